"""Words below other words, with a shape between them: the place has ink, but of the upper word only."""

from collections.abc import Sequence

import numpy as np
import pymupdf

COVERS = ("fill-path", "fill-image", "fill-shade")
MIN_OVERLAP = 0.5  # of the narrower and of the lower of two boxes
Rect = tuple[float, float, float, float]


def words_below_shapes(page: pymupdf.Page, texts: Sequence[str], boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the words that a shape or image covers on which another word is painted.

    Args:
        texts, boxes: N words and their (N, 4) boxes in points.
    """
    if page.rotation:
        boxes = _turned(boxes, page.derotation_matrix)
    below = np.zeros(len(texts), np.bool_)
    pairs = [(a, b) for a, b in _overlapping(boxes) if texts[a] != texts[b]]  # twice the same is bold or a shadow
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
    height = max(1e-6, float(np.median(boxes[:, 3] - boxes[:, 1])))
    row = np.floor((boxes[:, 1] + boxes[:, 3]) / 2 / height)
    order = np.lexsort((boxes[:, 0], row))
    before, after = boxes[order[:-1]], boxes[order[1:]]
    shared = np.minimum(before[:, 2:], after[:, 2:]) - np.maximum(before[:, :2], after[:, :2])
    sides = np.minimum(before[:, 2:] - before[:, :2], after[:, 2:] - after[:, :2])
    is_on = (shared > MIN_OVERLAP * sides).all(axis=1)
    return [(int(order[k]), int(order[k + 1])) for k in np.flatnonzero(is_on)]


def _painted_at(letters: Sequence[tuple[int, str, pymupdf.Rect]], text: str, box: np.ndarray) -> int | None:
    """Return the place in the order of painting of a word's first letter."""
    start = pymupdf.Rect(box[0] - 1, box[1] - 1, box[0] + 1, box[3] + 1)
    found = (k for k, letter, where in letters if letter == text[0] and abs(where.x0 - box[0]) < 1 and where & start)
    return next(found, None)
