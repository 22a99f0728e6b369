"""Converts conversations and images to the model's input, and its tokens back to text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from deepseek_vl.checkpoint import CheckpointError, find, read_config
from deepseek_vl.config import SPECIAL_TOKENS, ModelConfig
from deepseek_vl.conversation import SYSTEM, Message, Special, render
from deepseek_vl.images import MAX_PIXELS, ImageInput, canvas


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as the model's input.

    Args:
        tokens: (T,) int64, the begin token first, every image as a run of image tokens.
        canvases: (3, image_px, image_px) uint8 each, in the order of their runs.
    """

    tokens: np.ndarray
    canvases: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)


class Processor:
    """Tokenizer, prompt template and image preprocessing of a model."""

    def __init__(self, tokenizer: Tokenizer, config: ModelConfig):
        """Raises ValueError if the tokenizer does not fit the model."""
        self.config = config
        for field, token in SPECIAL_TOKENS.items():
            if tokenizer.token_to_id(token) != getattr(config, field):
                raise ValueError(
                    f"the tokenizer's {token} is {tokenizer.token_to_id(token)}; expected {getattr(config, field)}"
                )
        if tokenizer.get_vocab_size() > config.language.vocabulary:
            raise ValueError(
                f"the tokenizer has {tokenizer.get_vocab_size()} tokens, the model {config.language.vocabulary}"
            )
        # Special tokens in typed text are encoded as text; the real ones are inserted by id.
        self.tokenizer = Tokenizer.from_str(_all_special(tokenizer.to_str()))
        self.tokenizer.encode_special_tokens = True

    @classmethod
    def load(cls, source: str | Path) -> "Processor":
        """Load the processor of a checkpoint from a folder or a hub id. Raises CheckpointError."""
        folder = find(source)
        return cls.from_file(folder / "tokenizer.json", read_config(folder))

    @classmethod
    def from_file(cls, path: Path, config: ModelConfig) -> "Processor":
        """Load the processor of a model from a `tokenizer.json`. Raises CheckpointError."""
        try:
            return cls(_read_tokenizer(path), config)
        except CheckpointError:
            raise
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from error

    def prompt(
        self,
        messages: Sequence[Message],
        images: Sequence[ImageInput] = (),
        *,
        system: str = SYSTEM,
        max_pixels: int = MAX_PIXELS,
    ) -> Prompt:
        """Prepare a conversation (see `conversation.render`) with its images in order.

        Raises:
            ValueError: the numbers of image parts and images differ, an image cannot be read, or the prompt is longer
                than the model allows.
        """
        tokens = self.encode(render(messages, system), len(images))
        return Prompt(tokens, tuple(canvas(image, self.config, max_pixels) for image in images))

    def encode(self, pieces: Sequence[str | Special], num_images: int) -> np.ndarray:
        """Return the (T,) int64 tokens of a rendered conversation. Raises ValueError as `prompt` does."""
        wanted = sum(piece is Special.IMAGE for piece in pieces)
        if wanted != num_images:
            raise ValueError(f"the messages hold {wanted} image parts and {num_images} images are given")
        tokens_T = self.tokens(pieces)
        self.check_length(len(tokens_T))
        return tokens_T

    def check_length(self, num_tokens: int) -> None:
        """Raise ValueError if a prompt is longer than the model can read."""
        if num_tokens > self.config.language.max_positions:
            raise ValueError(
                f"the prompt has {num_tokens} tokens, visual tokens included; "
                f"the model reads at most {self.config.language.max_positions}"
            )

    def tokens(self, pieces: Sequence[str | Special]) -> np.ndarray:
        """Return the (T,) int64 tokens of texts and special tokens, of any length, with the begin token first."""
        tokens = [self.config.bos]
        for piece in pieces:
            if piece is Special.IMAGE:
                tokens += [self.config.image_token] * self.config.tokens_per_image
            elif piece is Special.END:
                tokens.append(self.config.eos)
            else:
                tokens += self.tokenizer.encode(piece, add_special_tokens=False).ids
        return np.array(tokens, dtype=np.int64)

    def decode(self, tokens: Sequence[int] | npt.NDArray[np.int64]) -> str:
        """Return the text of tokens, without special tokens."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True)


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # the library has no narrower class for an invalid file
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from error


def _all_special(tokenizer_json: str) -> str:
    """Mark the model's three tokens as special; some published files do not, and typed text would match them."""
    content = json.loads(tokenizer_json)
    for token in content["added_tokens"]:
        token["special"] = token["special"] or token["content"] in SPECIAL_TOKENS.values()
    return json.dumps(content, ensure_ascii=False)
