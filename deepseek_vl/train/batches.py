"""Batches: sequences as one row of tokens for the model, without padding.

Shapes: T tokens of all sequences, N images, M images that are encoded, S targets (tokens whose prediction is learned),
Y and X pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepseek_vl.config import ModelConfig
from deepseek_vl.images import canvas
from deepseek_vl.train.examples import Example
from deepseek_vl.train.features import Features, FeatureStore, digest_of


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image that is decoded, or whose features are known.

    Args:
        canvas: (3, Y, X) uint8; None if no tower needs it.
        features: of the frozen towers, from a store.
        digest: names the image in the store; empty without one.
    """

    canvas: np.ndarray | None
    features: Features | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class PreparedExample:
    """An example with its images."""

    example: Example
    images: tuple[PreparedImage, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences that are read in one pass.

    Args:
        tokens_T: int64, one example after the other.
        positions_T: int64, from 0 in every example.
        lengths: tokens of each example; there is no attention between them.
        image_places: (N * tokens per image,) int64 indices of image tokens in `tokens_T`.
        canvases_M3YX: uint8, of the images that are encoded; None if there are none.
        canvas_places: (M,) int64, which of the N images they are.
        features: (N,) what is known of each image.
        digests: (N,) names of the images in a store of features.
        target_places: (S,) int64 indices in `tokens_T` at which the next token is predicted and learned.
        targets_S: int64, the token to predict at each of them.
        datasets_S: int64, the data set of each target.
    """

    tokens_T: np.ndarray
    positions_T: np.ndarray
    lengths: tuple[int, ...]
    image_places: np.ndarray
    canvases_M3YX: np.ndarray | None
    canvas_places: np.ndarray
    features: tuple[Features | None, ...]
    digests: tuple[str, ...]
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
        return len(self.features)

    @property
    def num_known(self) -> int:
        """Number of images whose features are known."""
        return sum(each is not None for each in self.features)


def prepare(example: Example, config: ModelConfig, store: FeatureStore | None = None) -> PreparedExample | None:
    """Decode and resize the images of an example, or read their features; return None if one cannot be decoded."""
    try:
        return PreparedExample(example, tuple(_prepared(image, config, store) for image in example.images))
    except ValueError:
        return None


def _prepared(image: bytes, config: ModelConfig, store: FeatureStore | None) -> PreparedImage:
    if store is None:
        return PreparedImage(canvas(image, config))
    digest = digest_of(image)
    features = store.get(digest)
    is_needed = features is None or store.needs_canvases
    return PreparedImage(canvas(image, config) if is_needed else None, features, digest)


def collate(sequences: Sequence[Sequence[PreparedExample]], config: ModelConfig) -> Batch:
    """Return a batch of sequences, each a list of examples; without any, a batch with nothing to learn."""
    prepared = [each for sequence in sequences for each in sequence]
    if not prepared:
        nothing = Example(np.array([config.eos]), np.array([False]))
        prepared = [PreparedExample(nothing)]
    examples = [each.example for each in prepared]
    starts = np.cumsum([0, *map(len, examples)])
    predicted = [np.flatnonzero(example.is_target) for example in examples]  # never the first token of an example
    images = [image for each in prepared for image in each.images]
    canvases = [image.canvas for image in images if image.canvas is not None]
    tokens_T = _joined([example.tokens for example in examples])
    return Batch(
        tokens_T=tokens_T,
        positions_T=_joined([np.arange(len(example)) for example in examples]),
        lengths=tuple(map(len, examples)),
        image_places=np.flatnonzero(tokens_T == config.image_token),
        canvases_M3YX=np.stack(canvases) if canvases else None,
        canvas_places=np.array([k for k, image in enumerate(images) if image.canvas is not None], np.int64),
        features=tuple(image.features for image in images),
        digests=tuple(image.digest for image in images),
        target_places=_joined([start + places - 1 for start, places in zip(starts, predicted, strict=False)]),
        targets_S=_joined([example.tokens[places] for example, places in zip(examples, predicted, strict=True)]),
        datasets_S=_joined(
            [np.full(len(places), example.dataset) for example, places in zip(examples, predicted, strict=True)]
        ),
    )


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *parts])
