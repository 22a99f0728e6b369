"""Training examples of the labeller: the prompts and hard negatives of a taxonomy, and variants as users type them."""

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from taxonomy.schema import LANGUAGES
from taxonomy.tree import Taxonomy

_CHINESE = re.compile("[\u3400-\u9fff]")
NUM_VARIANTS = 3  # per prompt
_OPENINGS = {
    "en": ("please ", "can you ", "hi, ", "could you ", "hey ", "I need help: ", "quick question: ", "pls "),
    "zh": ("请", "麻烦", "帮我", "你好，", "能不能", "请问", "帮忙", "您好，请"),
}
_ENDINGS = {
    "en": (" please", " thanks", "?", " asap", "!", " thx", " in this image", " in the picture"),
    "zh": ("，谢谢", "？", "吗", "，急", "！", "呢", "，谢谢啦", "（见图）"),
}


class Example(NamedTuple):
    """A prompt and the leaf that it belongs to."""

    prompt: str
    use_case: str
    language: str


def examples_of(taxonomy: Taxonomy) -> list[Example]:
    """Return all prompts and hard negatives, each once and with the leaf it belongs to."""
    found: dict[str, Example] = {}
    for leaf_id, leaf in taxonomy.leaves.items():
        for language in LANGUAGES:
            for prompt in getattr(leaf.prompts, language):
                found.setdefault(prompt, Example(prompt, leaf_id, language))
    for leaf in taxonomy.leaves.values():
        for negative in leaf.hard_negatives:
            present = taxonomy.resolve(negative.belongs_to)
            assert present is not None
            found.setdefault(negative.prompt, Example(negative.prompt, present, language_of(negative.prompt)))
    return list(found.values())


def language_of(prompt: str) -> str:
    """Return `zh` if the prompt has a Chinese character, else `en`."""
    return "zh" if not prompt.isascii() and _CHINESE.search(prompt) else "en"


def variants(example: Example, num: int = NUM_VARIANTS) -> Iterator[str]:
    """Yield the prompt and `num` variants with other openings or endings or a typo; always the same for a prompt."""
    yield example.prompt
    rng = random.Random(zlib.crc32(example.prompt.encode()))
    for _ in range(num):
        text = example.prompt
        if rng.random() < 0.5:
            text = rng.choice(_OPENINGS[example.language]) + text
        if rng.random() < 0.4:
            text = text.rstrip("?!.。？！") + rng.choice(_ENDINGS[example.language])
        if rng.random() < 0.5:
            text = _with_typo(text, rng)
        yield text


def _with_typo(text: str, rng: random.Random) -> str:
    """Return the text with two neighbouring characters swapped, or one left out."""
    if len(text) < 6:
        return text
    k = rng.randrange(1, len(text) - 2)
    if rng.random() < 0.5:
        return text[:k] + text[k + 1] + text[k] + text[k + 2 :]
    return text[:k] + text[k + 1 :]


def folds(examples: Sequence[Example], num: int) -> list[list[Example]]:
    """Split the examples into `num` parts by a hash of the prompt."""
    parts: list[list[Example]] = [[] for _ in range(num)]
    for example in examples:
        parts[zlib.crc32(example.prompt.encode()[::-1]) % num].append(example)
    return parts
