"""Boxes as they are written in questions and answers: in thousandths of the image's sides."""

from collections.abc import Sequence

import numpy as np

BOX_SCALE = 1000


def scaled(box: Sequence[float] | np.ndarray, width: int, height: int) -> str:
    """Format a box in pixels as `[x0, y0, x1, y1]`, with whole numbers from 0 to `BOX_SCALE`."""
    sides = (width, height, width, height)
    edges = [
        min(BOX_SCALE, max(0, round(float(edge) * BOX_SCALE / side))) for edge, side in zip(box, sides, strict=True)
    ]
    return str(edges)


def hull(boxes: np.ndarray) -> np.ndarray:
    """Return the (4,) box around (N, 4) boxes."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
