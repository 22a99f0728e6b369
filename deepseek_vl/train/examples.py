"""Turns rows of a data set into token sequences with a mark on every token that is learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepseek_vl.conversation import IMAGE_MARK, SYSTEM, Special, marked_parts, render
from deepseek_vl.processor import Processor


class ExampleError(ValueError):
    """A row that cannot be learned from.

    Args:
        reason: stable snake_case code, under which it is counted.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Example:
    """A sample as tokens.

    Args:
        tokens: (T,) int64, the begin token first, every image as a run of image tokens.
        is_target: (T,) bool, True for tokens whose prediction is learned: text of a pre-training sample, or the
            assistant's turns of a conversation. Image tokens are never targets.
        images: the encoded images, in the order of their runs.
        dataset: index of the data set in the mixture, for reporting the loss by data set.
    """

    tokens: np.ndarray
    is_target: np.ndarray
    images: tuple[bytes, ...] = ()
    dataset: int = 0

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def num_images(self) -> int:
        """Number of images."""
        return len(self.images)


class ExampleEncoder:
    """Encodes rows with the columns `images`, `text` and `messages`.

    Args:
        max_tokens: tokens of the longest example.
        max_images: images of the example with the most.
        too_long: `refuse` raises ValueError for a longer example, `skip` raises ExampleError, and `split` cuts
            pre-training samples into several examples and skips conversations.
    """

    def __init__(
        self, processor: Processor, *, max_tokens: int, max_images: int, too_long: str = "skip", system: str = SYSTEM
    ):
        if too_long not in ("refuse", "skip", "split"):
            raise ValueError(f"too_long must be refuse, skip or split, got {too_long!r}")
        self._processor = processor
        self._max_tokens, self._max_images, self._too_long = max_tokens, max_images, too_long
        self._system = system

    def encode(self, row: Mapping[str, Any], dataset: int = 0) -> list[Example]:
        """Return the examples of a row: one, or several if a long one is split.

        Raises:
            ExampleError: the row cannot be learned from; it is counted under its reason.
            ValueError: the example is too long and `too_long` is `refuse`.
        """
        images = tuple(_bytes_of(image) for image in row.get("images") or ())
        if row.get("messages"):
            pieces = self._conversation(row["messages"])
        elif row.get("text"):
            pieces = _pieces_of_text(row["text"])
        else:
            raise ExampleError("no_text", "the row has neither text nor messages")
        example = replace(self._tokens(pieces, images), dataset=dataset)
        if not example.is_target.any():
            raise ExampleError("nothing_to_learn", "the row has no token that is learned")
        if len(example) <= self._max_tokens and example.num_images <= self._max_images:
            return [example]
        return self._parts(example, is_conversation=bool(row.get("messages")))

    def _conversation(self, messages: Sequence[Mapping[str, Any]]) -> list[tuple[str | Special, bool]]:
        turns = [{"role": turn["role"], "content": marked_parts(turn["content"])} for turn in messages]
        try:
            return supervised_pieces(turns, self._system)
        except ValueError as error:
            raise ExampleError("malformed_messages", str(error)) from error

    def _tokens(self, pieces: Sequence[tuple[str | Special, bool]], images: tuple[bytes, ...]) -> Example:
        config = self._processor.config
        num_marks = sum(piece is Special.IMAGE for piece, _ in pieces)
        if num_marks != len(images):
            raise ExampleError("image_count", f"the text marks {num_marks} images, the row holds {len(images)}")
        tokens, is_target = [config.bos], [False]
        for piece, is_learned in pieces:
            if piece is Special.IMAGE:
                new = [config.image_token] * config.tokens_per_image
            elif piece is Special.END:
                new = [config.eos]
            else:
                new = self._processor.tokenizer.encode(piece, add_special_tokens=False).ids
            tokens += new
            is_target += [is_learned and piece is not Special.IMAGE] * len(new)
        return Example(np.array(tokens, np.int64), np.array(is_target), images)

    def _parts(self, example: Example, *, is_conversation: bool) -> list[Example]:
        size = f"{len(example)} tokens and {example.num_images} images"
        limit = f"{self._max_tokens} tokens and {self._max_images} images"
        if self._too_long == "refuse":
            raise ValueError(f"a sample has {size}; a sequence holds {limit} (data.too_long says what to do)")
        if self._too_long == "skip" or is_conversation:
            raise ExampleError("too_long", f"the sample has {size}; a sequence holds {limit}")
        return self._split(example)

    def _split(self, example: Example) -> list[Example]:
        """Cut an example between tokens, but never inside an image; every part begins with the begin token."""
        config = self._processor.config
        per_image = config.tokens_per_image
        if 1 + per_image >= self._max_tokens and example.num_images:
            raise ExampleError("too_long", f"an image takes {per_image} tokens, a sequence holds {self._max_tokens}")
        parts: list[Example] = []
        start, used_images = 1, 0
        while start < len(example):
            end, num_images = start, 0
            while end < len(example):
                is_image = example.tokens[end] == config.image_token
                step = per_image if is_image else 1
                if 1 + end + step - start > self._max_tokens or num_images + is_image > self._max_images:
                    break
                end, num_images = end + step, num_images + bool(is_image)
            tokens = np.concatenate([[config.bos], example.tokens[start:end]])
            is_target = np.concatenate([[False], example.is_target[start:end]])
            images = example.images[used_images : used_images + num_images]
            if is_target.any():
                parts.append(Example(tokens, is_target, images, example.dataset))
            start, used_images = end, used_images + num_images
        return parts


def supervised_pieces(messages: Sequence[Mapping[str, Any]], system: str = SYSTEM) -> list[tuple[str | Special, bool]]:
    """Render a conversation as (piece, is it learned) pairs; the assistant's turns and their ends are learned.

    A turn is cut where generation begins, after `Assistant:`, so that a model learns the tokens that it will generate.

    Raises:
        ValueError: as `conversation.render`, or the last turn is not the assistant's.
    """
    if not messages or messages[-1].get("role") != "assistant":
        raise ValueError("the last message must be the assistant's")
    pieces: list[tuple[str | Special, bool]] = []
    for n, message in enumerate(messages):
        if message.get("role") != "assistant":
            continue
        prompt, whole = render(messages[:n], system), render(messages[: n + 1], system)
        answer = _after(whole, prompt)
        context = prompt if not pieces else _after(prompt, [piece for piece, _ in pieces])
        pieces += [(piece, False) for piece in context] + [(piece, True) for piece in answer]
    return pieces


def _after(whole: Sequence[str | Special], start: Sequence[str | Special]) -> list[str | Special]:
    """Return the pieces of `whole` that follow `start`, which may end or begin inside a text."""
    rest = list(whole)
    for piece in start:
        first = rest.pop(0)
        if isinstance(first, str) and isinstance(piece, str):
            assert first.startswith(piece), (first, piece)
            if len(first) > len(piece):
                rest.insert(0, first[len(piece) :])
        else:
            assert first is piece, (first, piece)
    return rest


def _pieces_of_text(text: str) -> list[tuple[str | Special, bool]]:
    pieces: list[tuple[str | Special, bool]] = []
    for n, part in enumerate(text.split(IMAGE_MARK)):
        if n:
            pieces.append((Special.IMAGE, False))
        if part:
            pieces.append((part, True))
    return [*pieces, (Special.END, True)]


def _bytes_of(image: Mapping[str, Any]) -> bytes:
    data = image.get("bytes")
    if not data:
        raise ExampleError("no_image_bytes", f"an image has no bytes, only the path {image.get('path')!r}")
    return bytes(data)
