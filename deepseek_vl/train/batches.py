"""Batches: packed sequences as arrays for the model.

Shapes: B sequences, T tokens, N images, S targets (tokens whose prediction is learned), Y and X pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepseek_vl.config import ModelConfig
from deepseek_vl.images import canvas
from deepseek_vl.train.examples import Example

PAD_TO = 64  # unpacked sequences are padded to a multiple of this many tokens, so that shapes repeat


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """An example whose images are decoded: (3, Y, X) uint8 canvases."""

    example: Example
    canvases: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that are read in one pass.

    Args:
        tokens_BT: int64, padded with the end token.
        positions_BT: int64, from 0 in every example.
        examples_BT: int32, the number of the example in its sequence, from 0; -1 for padding.
        image_places: (N * tokens per image,) int64 indices of image tokens in the flattened `tokens_BT`.
        canvases_N3YX: uint8; None without images.
        target_places: (S,) int64 indices in the flattened `tokens_BT` at which the next token is predicted and learned.
        targets_S: int64, the token to predict at each of them.
        datasets_S: int64, the data set of each target.
        num_tokens: number of tokens without padding.
    """

    tokens_BT: np.ndarray
    positions_BT: np.ndarray
    examples_BT: np.ndarray
    image_places: np.ndarray
    canvases_N3YX: np.ndarray | None
    target_places: np.ndarray
    targets_S: np.ndarray
    datasets_S: np.ndarray
    num_tokens: int


def prepare(example: Example, config: ModelConfig) -> PreparedExample | None:
    """Decode and resize the images of an example; return None if one cannot be decoded."""
    try:
        return PreparedExample(example, tuple(canvas(image, config) for image in example.images))
    except ValueError:
        return None


def collate(
    sequences: Sequence[Sequence[PreparedExample]], config: ModelConfig, *, num_tokens: int | None = None
) -> Batch:
    """Return a batch of sequences, each a list of examples.

    Args:
        num_tokens: length to pad to; None for the longest sequence, rounded up.
    """
    lengths = [sum(len(each.example) for each in sequence) for sequence in sequences]
    if num_tokens is None:
        num_tokens = max(-(-max(lengths, default=0) // PAD_TO) * PAD_TO, PAD_TO)
    shape = len(sequences), num_tokens
    tokens_BT = np.full(shape, config.eos, np.int64)
    positions_BT = np.zeros(shape, np.int64)
    examples_BT = np.full(shape, -1, np.int32)
    places, targets, datasets = [], [], []
    for row, sequence in enumerate(sequences):
        start = 0
        for number, each in enumerate(sequence):
            example = each.example
            end = start + len(example)
            tokens_BT[row, start:end] = example.tokens
            positions_BT[row, start:end] = np.arange(len(example))
            examples_BT[row, start:end] = number
            predicted = np.flatnonzero(example.is_target)  # never the first token of an example
            places.append(row * num_tokens + start + predicted - 1)
            targets.append(example.tokens[predicted])
            datasets.append(np.full(len(predicted), example.dataset, np.int64))
            start = end
    canvases = [c for sequence in sequences for each in sequence for c in each.canvases]
    empty = np.zeros(0, np.int64)
    return Batch(
        tokens_BT=tokens_BT,
        positions_BT=positions_BT,
        examples_BT=examples_BT,
        image_places=np.flatnonzero((tokens_BT == config.image_token) & (examples_BT >= 0)),
        canvases_N3YX=np.stack(canvases) if canvases else None,
        target_places=np.concatenate([empty, *places]),
        targets_S=np.concatenate([empty, *targets]),
        datasets_S=np.concatenate([empty, *datasets]),
        num_tokens=sum(lengths),
    )
