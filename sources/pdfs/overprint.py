"""Words below other words, with a shape between them: the place has ink, but of the upper word only."""

from collections.abc import Sequence

import numpy as np
import pymupdf

COVERS = ("fill-path", "fill-image", "fill-shade")
ROW_POINTS = 6  # words whose middles are closer are in one row
MIN_OVERLAP = 0.5  # share of the second word that is below or above the first
Rect = tuple[float, float, float, float]


def words_below_shapes(page: pymupdf.Page, texts: Sequence[str], boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the words that a shape or image covers on which another word is painted.

    Args:
        texts, boxes: N words and their (N, 4) boxes in points.
    """
    if page.rotation:
        boxes = _turned(boxes, page.derotation_matrix)
    below = np.zeros(len(texts), np.bool_)
    pairs = [
        (a, b)
        for a, b in _overlapping(boxes)
        if texts[a] != texts[b] and min(len(texts[a]), len(texts[b])) > 1  # no bold or shadow, and no accents
    ]
    if not pairs:
        return below
    covers = [(k, pymupdf.Rect(box)) for k, (kind, box) in enumerate(page.get_bboxlog()) if kind in COVERS]
    if not covers:
        return below
    letters = [
        (span["seqno"], chr(character[0]), pymupdf.Rect(character[3]))
        for span in page.get_texttrace()
        for character in span["chars"]
    ]
    order = {k: _painted_at(letters, texts[k], boxes[k]) for pair in pairs for k in pair}
    for a, b in pairs:
        first, second = order[a], order[b]
        if first is None or second is None:
            continue
        lower, low, high = (a, first, second) if first < second else (b, second, first)
        middle = pymupdf.Point((boxes[lower, :2] + boxes[lower, 2:]) / 2)
        below[lower] |= any(low < k < high and middle in box for k, box in covers)
    return below


def _turned(boxes: np.ndarray, matrix: pymupdf.Matrix) -> np.ndarray:
    """Return (N, 4) boxes turned by a multiple of 90 degrees."""
    corners = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]])
    shift = (matrix.e, matrix.f)
    first, second = boxes[:, :2] @ corners + shift, boxes[:, 2:] @ corners + shift
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)


def _overlapping(boxes: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs of (N, 4) boxes in one row that are mostly on each other, among neighbours from left to right."""
    if len(boxes) < 2:
        return []
    row = np.round((boxes[:, 1] + boxes[:, 3]) / (2 * ROW_POINTS))
    order = np.argsort(row * 1e5 + boxes[:, 0])
    left, right = boxes[order, 0], boxes[order, 2]
    is_on = (left[1:] < right[:-1] - MIN_OVERLAP * (right - left)[1:]) & (row[order[1:]] == row[order[:-1]])
    return [(int(order[k]), int(order[k + 1])) for k in np.flatnonzero(is_on)]


def _painted_at(letters: Sequence[tuple[int, str, pymupdf.Rect]], text: str, box: np.ndarray) -> int | None:
    """Return the place in the order of painting of a word's first letter."""
    start = pymupdf.Rect(box[0] - 1, box[1] - 1, box[0] + 1, box[3] + 1)
    found = (k for k, letter, where in letters if letter == text[0] and abs(where.x0 - box[0]) < 1 and where & start)
    return next(found, None)
