"""A picture of text: its pixels and the quad of every word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.ocr.arrays import Floats, Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedText:
    """Pixels and the words in them, in reading order.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        texts: N words.
        quads: (N, 4, 2) float32 corners (x, y) of the words in pixels, origin top left; before any warp,
            their order is top left, top right, bottom right, bottom left.
    """

    pixels: Pixels
    texts: Sequence[str]
    quads: Floats

    def __post_init__(self) -> None:
        assert self.pixels.ndim == 3
        assert self.pixels.dtype == np.uint8
        assert self.quads.shape == (len(self.texts), 4, 2)

    def boxes(self) -> Floats:
        """Return (N, 4) float32 x0, y0, x1, y1: the smallest upright boxes around the words."""
        low, high = self.quads.min(axis=1), self.quads.max(axis=1)
        boxes: Floats = np.concatenate([low, high], axis=1)
        return boxes.astype(np.float32)
