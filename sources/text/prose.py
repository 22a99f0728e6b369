"""Lines of prose: tells them from cells of a table by how they fill their column and where their rows are."""

import numpy as np

MIN_LINES = 3  # fewer lines tell nothing
MIN_WIDTH = 9  # median line width over line height; shorter lines are cells, even if they fill a column
MIN_FILL = 0.72  # median line width over column width
MIN_FLUSH = 0.8  # share of lines that begin at the column's left edge, indents included
MAX_INDENT = 3.0  # in heights of a line
MAX_PITCH = 2.6  # from a line to the next, in heights of a line
MIN_FULL = 0.5  # share of lines on which the first word of the next line would not have fitted
WORD_SPACE = 0.3  # in heights of a line
OUTLIERS = 0.1  # share of lines that may be beyond the column's edges
MAX_NEIGHBOURS = 6  # lines of other columns in a row
SAME_BASELINE = 0.12  # between the middles of lines in a row, in heights of a line


def median(values: np.ndarray) -> float:
    """Return the (upper) median; `np.median` takes ten times as long for a page."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def quantile(values: np.ndarray, share: float) -> float:
    """Return the value that `share` of the others are below."""
    k = int(share * (len(values) - 1))
    return float(np.partition(values, k)[k])


def is_prose(boxes: np.ndarray, height: float, first_words: np.ndarray | None, *, from_left: bool) -> bool:
    """Return True if the lines next to a gutter fill their column as prose does.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 of the lines on one side of the gutter, sorted by height.
        height: height of a line.
        first_words: (N,) width of each line's first word, if it is known.
        from_left: True if the gutter is on their left.
    """
    near = is_next_to_gutter(boxes, height, from_left=from_left)
    boxes = boxes[near]
    if len(boxes) < MIN_LINES:
        return False
    start, end = quantile(boxes[:, 0], OUTLIERS), quantile(boxes[:, 2], 1 - OUTLIERS)
    width = median(boxes[:, 2] - boxes[:, 0])
    if width < MIN_WIDTH * height or width < MIN_FILL * (end - start):
        return False
    if (np.abs(boxes[:, 0] - start) <= MAX_INDENT * height).mean() < MIN_FLUSH:
        return False
    pitch = np.diff(boxes[:, 1] + boxes[:, 3]) / 2
    if median(pitch) > MAX_PITCH * height:
        return False
    if first_words is None:
        return True
    is_full = boxes[:-1, 2] + first_words[near][1:] + WORD_SPACE * height > end
    return bool(is_full[pitch <= MAX_PITCH * height].mean() >= MIN_FULL)


def is_next_to_gutter(boxes: np.ndarray, height: float, *, from_left: bool) -> np.ndarray:
    """Return an (N,) mask of the lines, sorted by height, with no line between them and the gutter."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    near = np.ones(len(boxes), bool)
    for step in range(1, min(MAX_NEIGHBOURS, len(boxes) - 1) + 1):
        beside = middle[step:] - middle[:-step] < 0.8 * height
        if not beside.any():
            break
        upper, lower = boxes[:-step], boxes[step:]
        upper_is_left, lower_is_left = upper[:, 2] <= lower[:, 0], lower[:, 2] <= upper[:, 0]
        near[step:] &= ~(beside & (upper_is_left if from_left else lower_is_left))
        near[:-step] &= ~(beside & (lower_is_left if from_left else upper_is_left))
    return near


def distance_to(middle: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each height to the nearest of the sorted `others`."""
    place = np.searchsorted(others, middle)
    above = np.abs(middle - others[np.maximum(place - 1, 0)])
    below = np.abs(others[np.minimum(place, len(others) - 1)] - middle)
    nearest: np.ndarray = np.minimum(above, below)
    return nearest


def share_in_rows(distance: np.ndarray, height: float) -> float:
    """Return the share of lines, of those next to another column's line, that are in a row with it."""
    beside = distance < height
    return float((distance[beside] < SAME_BASELINE * height).mean()) if beside.any() else 0.0
