"""Boxes around groups of boxes, and boxes next to each other."""

import numpy as np
import numpy.typing as npt

MAX_WORD_SPACE = 1.2  # in heights of a line; wider gaps separate cells and columns


def hulls(boxes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the (M, 4) boxes around groups of (N, 4) boxes; a group extends from one start to the next."""
    low, high = np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)
    return np.concatenate([low, high], axis=1)


def is_near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the pairs of boxes that are in one row, with at most a word space between them."""
    height = np.minimum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1])
    in_one_row = np.abs(a[:, 1] + a[:, 3] - b[:, 1] - b[:, 3]) < height
    gap = np.maximum(b[:, 0] - a[:, 2], a[:, 0] - b[:, 2])
    near: npt.NDArray[np.bool_] = in_one_row & (gap < MAX_WORD_SPACE * height)
    return near
