"""A drawn picture of text: its pixels, and where every word stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedText:
    """Pixels and the words in them, in reading order.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        texts: N words.
        quads: (N, 4, 2) float32 corners (x, y) in pixels, origin top left: those of the word's box before any warp,
            in the order top left, top right, bottom right, bottom left.
    """

    pixels: np.ndarray
    texts: Sequence[str]
    quads: np.ndarray

    def __post_init__(self) -> None:
        assert self.pixels.ndim == 3
        assert self.pixels.dtype == np.uint8
        assert self.quads.shape == (len(self.texts), 4, 2)

    def boxes(self) -> np.ndarray:
        """(N, 4) float32 x0, y0, x1, y1: the smallest upright boxes around the words."""
        return np.concatenate([self.quads.min(axis=1), self.quads.max(axis=1)], axis=1).astype(np.float32)
