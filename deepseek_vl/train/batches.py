"""Batches: sequences as one row of tokens for the model, without padding.

Shapes: T tokens of all sequences, N images, S targets (tokens whose prediction is learned), Y and X pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepseek_vl.config import ModelConfig
from deepseek_vl.images import canvas
from deepseek_vl.train.examples import Example


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """An example whose images are decoded: (3, Y, X) uint8 canvases."""

    example: Example
    canvases: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that are read in one pass.

    Args:
        tokens_T: int64, one example after the other.
        positions_T: int64, from 0 in every example.
        lengths: tokens of each example; there is no attention between them.
        image_places: (N * tokens per image,) int64 indices of image tokens in `tokens_T`.
        canvases_N3YX: uint8; None without images.
        target_places: (S,) int64 indices in `tokens_T` at which the next token is predicted and learned.
        targets_S: int64, the token to predict at each of them.
        datasets_S: int64, the data set of each target.
    """

    tokens_T: np.ndarray
    positions_T: np.ndarray
    lengths: tuple[int, ...]
    image_places: np.ndarray
    canvases_N3YX: np.ndarray | None
    target_places: np.ndarray
    targets_S: np.ndarray
    datasets_S: np.ndarray

    @property
    def num_tokens(self) -> int:
        """Number of tokens."""
        return len(self.tokens_T)

    @property
    def num_images(self) -> int:
        """Number of images."""
        return 0 if self.canvases_N3YX is None else len(self.canvases_N3YX)


def prepare(example: Example, config: ModelConfig) -> PreparedExample | None:
    """Decode and resize the images of an example; return None if one cannot be decoded."""
    try:
        return PreparedExample(example, tuple(canvas(image, config) for image in example.images))
    except ValueError:
        return None


def collate(sequences: Sequence[Sequence[PreparedExample]], config: ModelConfig) -> Batch:
    """Return a batch of sequences, each a list of examples; without any, a batch with nothing to learn."""
    prepared = [each for sequence in sequences for each in sequence]
    if not prepared:
        nothing = Example(np.array([config.eos]), np.array([False]))
        prepared = [PreparedExample(nothing, ())]
    examples = [each.example for each in prepared]
    starts = np.cumsum([0, *map(len, examples)])
    predicted = [np.flatnonzero(example.is_target) for example in examples]  # never the first token of an example
    canvases = [c for each in prepared for c in each.canvases]
    tokens_T = _joined([example.tokens for example in examples])
    return Batch(
        tokens_T=tokens_T,
        positions_T=_joined([np.arange(len(example)) for example in examples]),
        lengths=tuple(map(len, examples)),
        image_places=np.flatnonzero(tokens_T == config.image_token),
        canvases_N3YX=np.stack(canvases) if canvases else None,
        target_places=_joined([start + places - 1 for start, places in zip(starts, predicted, strict=False)]),
        targets_S=_joined([example.tokens[places] for example, places in zip(examples, predicted, strict=True)]),
        datasets_S=_joined(
            [np.full(len(places), example.dataset) for example, places in zip(examples, predicted, strict=True)]
        ),
    )


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *parts])
