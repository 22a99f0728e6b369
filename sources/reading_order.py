"""Reading order: lines of a page, as a layout engine found them, to the order a person reads them in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_DEPTH = 12  # cuts inside cuts; a page nested deeper is read as it stands
MIN_COLUMN_LINES = 3  # fewer lines beside each other are a table row or a caption, not columns
MIN_COLUMN_SHARE = 0.2  # of the region's width, for the narrower column
MIN_LINE_FILL = 0.45  # median line width over column width: prose fills its column, table cells do not
MAX_CROSSING = 0.3  # share of lines (titles, wide figures' captions) that may run across a gutter


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page: its box (x0, y0, x1, y1) and how many characters it has."""

    box: tuple[float, float, float, float]
    num_chars: int


def reading_order(lines: Sequence[Line], *, right_to_left: bool = False, vertical: bool = False) -> list[int]:
    """Indices of `lines` in reading order.

    Columns are found by recursive cuts at gutters that prose stands on both sides of; what runs across a gutter (a title)
    parts the page into bands. Inside one column the given order stands unless it jumps upwards: producers mostly
    write in reading order, and it is what keeps the rows of a table together.

    Args:
        lines: in the order of the page's content stream.
        right_to_left: columns run from right to left (Arabic, Hebrew).
        vertical: lines run top to bottom and follow each other from right to left (vertical Chinese, Japanese).
    """
    boxes = np.array([line.box for line in lines], np.float64).reshape(-1, 4)
    if vertical:  # turn the page by 90 degrees: what is further right comes first
        boxes = np.stack([boxes[:, 1], -boxes[:, 2], boxes[:, 3], -boxes[:, 0]], axis=1)
    elif right_to_left:  # a mirrored page has its first column on the left
        boxes = np.stack([-boxes[:, 2], boxes[:, 1], -boxes[:, 0], boxes[:, 3]], axis=1)
    return [int(k) for k in _order(boxes, np.arange(len(boxes)), MAX_DEPTH)]


def _order(boxes: np.ndarray, members: np.ndarray, depth: int) -> np.ndarray:
    if len(members) < 2 * MIN_COLUMN_LINES or depth == 0:
        return _top_down(boxes, members)
    cut = _gutter(boxes[members])
    if cut is None:
        return _top_down(boxes, members)
    left = members[boxes[members, 2] <= cut]
    right = members[boxes[members, 0] >= cut]
    across = members[(boxes[members, 0] < cut) & (boxes[members, 2] > cut)]
    if not len(across):
        return np.concatenate([_order(boxes, left, depth - 1), _order(boxes, right, depth - 1)])
    ordered = []
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    above = -np.inf
    beside = np.concatenate([left, right])
    for line in [*across[np.argsort(middle[across], kind="stable")], None]:
        below = np.inf if line is None else middle[line]
        band = np.sort(beside[(middle[beside] > above) & (middle[beside] <= below)])
        ordered.append(_order(boxes, band, depth - 1))
        if line is not None:
            ordered.append(np.array([line]))
        above = below
    return np.concatenate(ordered)


def _gutter(boxes: np.ndarray) -> float | None:
    """The x of the best gutter between two columns of prose, or None."""
    x0, x1 = boxes[:, 0], boxes[:, 2]
    start, end = x0.min(), x1.max()
    width = end - start
    if width <= 0:
        return None
    candidates = np.linspace(start + MIN_COLUMN_SHARE * width, end - MIN_COLUMN_SHARE * width, 64)
    crossing = ((x0[:, None] < candidates) & (x1[:, None] > candidates)).sum(axis=0)
    least = crossing.min()
    if least > MAX_CROSSING * len(boxes):
        return None
    # Of the widest run of least-crossed positions, the middle.
    runs = np.split(np.flatnonzero(crossing == least), np.flatnonzero(np.diff(np.flatnonzero(crossing == least)) > 1) + 1)
    run = max(runs, key=len)
    cut = float(candidates[run[len(run) // 2]])
    for side in (boxes[x1 <= cut], boxes[x0 >= cut]):
        if len(side) < MIN_COLUMN_LINES:
            return None
        column_width = side[:, 2].max() - side[:, 0].min()
        if column_width < MIN_COLUMN_SHARE * width:
            return None
        if np.median(side[:, 2] - side[:, 0]) < MIN_LINE_FILL * column_width:
            return None
    left, right = boxes[x1 <= cut], boxes[x0 >= cut]
    beside = min(left[:, 3].max(), right[:, 3].max()) - max(left[:, 1].min(), right[:, 1].min())
    return cut if beside > 0 else None


def _top_down(boxes: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The given order, unless a line starts above its predecessor without standing beside it; then sorted by rows."""
    if len(members) < 2:
        return members
    before, after = boxes[members[:-1]], boxes[members[1:]]
    height = np.median(boxes[members, 3] - boxes[members, 1])
    upwards = after[:, 1] < before[:, 1] - 0.5 * height
    if not upwards.any():
        return members
    # Rows: lines whose middles lie within half a line height of the row's first line.
    middle = (boxes[members, 1] + boxes[members, 3]) / 2
    by_height = members[np.argsort(middle, kind="stable")]
    middle = np.sort(middle, kind="stable")
    row_of = np.zeros(len(members), np.int64)
    first, row = middle[0], 0
    for k, y in enumerate(middle):
        if y - first > 0.5 * height:
            first, row = y, row + 1
        row_of[k] = row
    return by_height[np.lexsort((boxes[by_height, 0], row_of))]
