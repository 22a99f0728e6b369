"""Boxes in questions and answers: whole numbers from 0 to 1000, whatever the image's size."""

from collections.abc import Sequence

import numpy as np

BOX_SCALE = 1000


def scaled(box: Sequence[float] | np.ndarray, width: int, height: int) -> str:
    """A box in pixels of an image as `[x0, y0, x1, y1]` of whole numbers from 0 to `BOX_SCALE`."""
    sides = (width, height, width, height)
    edges = [
        min(BOX_SCALE, max(0, round(float(edge) * BOX_SCALE / side))) for edge, side in zip(box, sides, strict=True)
    ]
    return str(edges)


def hull(boxes: np.ndarray) -> np.ndarray:
    """(4,) the box around (N, 4) boxes."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
