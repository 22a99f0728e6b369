"""Ink: how much of a picture differs from its background, measured before lossy encoding."""

import numpy as np
from PIL import Image

INK_CONTRAST = 32  # grey levels a pixel must differ from the page's background to count as ink


def ink(grey: np.ndarray) -> float:
    """Return the share of pixels (0 to 1) that differ from the background by more than 32 grey levels.

    The background is the most common grey level.

    Args:
        grey: (height, width) uint8; every second row is looked at.
    """
    counts = np.array(grey_view(grey[::2]).histogram())
    background = int(counts.argmax())
    low, high = max(0, background - INK_CONTRAST), min(255, background + INK_CONTRAST)
    return float(1 - counts[low : high + 1].sum() / counts.sum())


def grey_view(grey: np.ndarray) -> Image.Image:
    """Return a Pillow image of a (height, width) uint8 array, without the copy that `fromarray` makes."""
    return Image.frombuffer("L", (grey.shape[1], grey.shape[0]), np.ascontiguousarray(grey), "raw", "L", 0, 1)
