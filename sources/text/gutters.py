"""Gutters: places between two columns of a region of a page, found from the left edges that lines have in common."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.text.prose import MIN_WIDTH

Indices = npt.NDArray[np.int64]
MAX_GUTTERS = 8  # candidates per region
MIN_COLUMN_LINES = 3  # fewer lines next to each other are a table row or a caption, not columns
MIN_COLUMN_SHARE = 0.1  # width of the narrower column relative to the region
SAME_EDGE = 0.5  # between left edges of a column's lines when sorted, in heights of a line
PROTRUDES = 0.5  # of a line of the left column into the gutter, in heights of a line


@dataclass(frozen=True, kw_only=True, slots=True)
class Gutter:
    """A place that may be between two columns.

    Args:
        sides: (N,) -1 for lines on its left, 1 on its right, 0 across it.
        evidence: (4, N) lines that may be of columns (see `_evidence`).
        num_lines: number of lines on its sides.
    """

    sides: Indices
    evidence: np.ndarray
    num_lines: int


def possible_gutters(boxes: np.ndarray, height: float) -> list[Gutter]:
    """Return the gutters that a region may have, first those with most lines on their sides.

    Args:
        boxes: (N, 4) lines of the region in stream order.
        height: height of a line.
    """
    x0 = np.sort(boxes[:, 0])
    start, width = x0[0], boxes[:, 2].max() - x0[0]
    first = np.flatnonzero(np.append(True, np.diff(x0) > SAME_EDGE * height))
    num_lines = np.diff(np.append(first, len(x0)))
    edges = x0[first]
    margin = MIN_COLUMN_SHARE * width
    found = np.flatnonzero(
        (num_lines >= MIN_COLUMN_LINES) & (edges >= start + margin) & (edges <= start + width - margin)
    )
    edges = edges[found[np.argsort(-num_lines[found], kind="stable")][:MAX_GUTTERS], None]
    on_right = boxes[:, 0] >= edges  # (gutters, N)
    on_left = (boxes[:, 2] <= edges + PROTRUDES * height) & ~on_right
    evidence = _evidence(boxes, height, on_left, on_right)
    is_possible = [may_have_columns(*numbers) for numbers in evidence.sum(axis=2).T.tolist()]
    sides = on_right.astype(np.int64) - on_left
    num_beside = np.abs(sides).sum(axis=1)
    return [
        Gutter(sides=sides[k], evidence=evidence[:, k], num_lines=int(num_beside[k]))
        for k in np.argsort(-num_beside, kind="stable")
        if is_possible[k]
    ]


def _evidence(boxes: np.ndarray, height: float, on_left: np.ndarray, on_right: np.ndarray) -> np.ndarray:
    """Return the (4, K, N) lines that may be of columns, which most cells of a table are not.

    They are wide lines on the left and on the right of each gutter, and lines there that are the third of several
    below each other in the stream.

    Args:
        on_left, on_right: (K, N) masks of the lines on the sides of each gutter.
    """
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    is_below = middle[1:] - middle[:-1] > 0.5 * height
    is_wide = boxes[:, 2] - boxes[:, 0] >= MIN_WIDTH * height
    found = np.zeros((4, *on_left.shape), bool)
    for k, side in enumerate((on_left, on_right)):
        found[k] = side & is_wide
        follows = side[:, 1:] & side[:, :-1] & is_below
        found[2 + k, :, 2:] = follows[:, 1:] & follows[:, :-1]
    return found


def may_have_columns(wide_left: int, wide_right: int, stacked_left: int, stacked_right: int) -> bool:
    """Return True if the numbers of lines in `Gutter.evidence` allow columns on both sides."""
    return min(wide_left, wide_right) >= MIN_COLUMN_LINES or min(stacked_left, stacked_right) > 0
