"""Rows of words in a picture, from the boxes of the words alone."""

from collections.abc import Sequence

import numpy as np

MAX_GAP = 1.5  # between neighbouring words, in heights of the row
MIN_GAP = 0.12  # likewise; of 48,554 gaps on pages 0.4 % are smaller, nearly all within words that were taken apart
MAX_LEADING = 2.0  # distance between the middles of neighbouring lines, in heights


def is_readable(box: np.ndarray) -> bool:
    """Return True if a word is large enough to be read in the picture."""
    return bool(box[3] - box[1] >= 6 and box[2] - box[0] >= 8)


def is_taken_apart(a: np.ndarray, b: np.ndarray) -> bool:
    """Return True if two words of a row are so close that they are parts of one word."""
    height = max(1.0, min(a[3] - a[1], b[3] - b[1]))
    return bool(b[0] - a[2] < MIN_GAP * height)


def is_next_to(a: np.ndarray, b: np.ndarray) -> bool:
    height = max(1.0, min(a[3] - a[1], b[3] - b[1]))
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return bool(overlap > 0.5 * height and -0.3 * height < b[0] - a[2] < MAX_GAP * height)


def is_directly_below(above: np.ndarray, below: np.ndarray) -> bool:
    height = max(1.0, min(above[3] - above[1], below[3] - below[1]))
    leading = ((below[1] + below[3]) - (above[1] + above[3])) / 2
    overlap = min(above[2], below[2]) - max(above[0], below[0])
    return bool(
        0.6 * height < leading < MAX_LEADING * height and overlap > 0.3 * min(above[2] - above[0], below[2] - below[0])
    )


def is_ascending(boxes: np.ndarray) -> bool:
    return bool((np.diff(boxes[:, 0]) > 0).all())


def visual_rows(words: Sequence[str], boxes: np.ndarray) -> list[list[str]]:
    """Return the words of every row across the whole picture, from top to bottom and left to right."""
    rows: list[list[int]] = []
    for k in np.argsort(boxes[:, 1] + boxes[:, 3], kind="stable").tolist():
        last = boxes[rows[-1][0]] if rows else None
        if last is not None and last[1] < (boxes[k][1] + boxes[k][3]) / 2 < last[3]:
            rows[-1].append(k)
        else:
            rows.append([k])
    return [[words[k] for k in sorted(row, key=lambda k: boxes[k][0])] for row in rows]
