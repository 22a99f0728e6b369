"""Tokens of samples, counted with the model's tokenizer or estimated."""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Sample
from sources.optional_dependencies import how_to_install
from sources.text.token_estimate import CHARS_PER_TOKEN, TOKENS_PER_CJK, estimate_tokens

IMAGE_TOKENS = 576  # of an image in DeepSeek-VL, whatever its size
ESTIMATE = f"estimate-{CHARS_PER_TOKEN:g}-{TOKENS_PER_CJK:g}"  # the digest of the estimate


def tokenizer_digest(tokenizer: str) -> str:
    """Return what identifies the tokenizer of a recipe, or the estimate in its place.

    Raises:
        ValueError: there is no such tokenizer, or it cannot be used.
    """
    if not tokenizer:
        return ESTIMATE
    _load(tokenizer)
    with _file(tokenizer).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_tokens(samples: Sequence[Sample], tokenizer: str) -> list[int]:
    """Return the number of tokens of each sample.

    Special tokens, roles of a conversation and its system prompt are not counted: they depend on the template.

    Args:
        tokenizer: file or folder of the tokenizer; empty for the estimate.
    """
    texts = [_text(sample) for sample in samples]
    if tokenizer:
        encoded = _load(tokenizer).encode_batch_fast(texts, add_special_tokens=False)
        lengths = [len(each.ids) for each in encoded]
    else:
        lengths = [estimate_tokens(text) for text in texts]
    return [length + IMAGE_TOKENS * len(sample.images) for length, sample in zip(lengths, samples, strict=True)]


def _text(sample: Sample) -> str:
    if sample.messages is not None:
        text = "\n".join(message.content for message in sample.messages)
    else:
        text = sample.text or ""
    return text.replace(IMAGE_PLACEHOLDER, "")


def _file(tokenizer: str) -> Path:
    path = Path(tokenizer)
    return path / "tokenizer.json" if path.is_dir() else path


@functools.lru_cache(maxsize=1)
def _load(tokenizer: str) -> Any:
    path = _file(tokenizer)
    if not path.is_file():
        raise ValueError(f"mixture.tokenizer is not a file: {path}; name the model's tokenizer.json, or its folder")
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ValueError(f"mixture.tokenizer needs the package tokenizers: {how_to_install('model')}") from error
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"mixture.tokenizer {path} cannot be read: {error}") from error
