"""Reading order: sorts the lines of a page into the order in which a person reads them."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
MAX_DEPTH = 12  # of nested cuts; deeper regions stay in the given order
MAX_GUTTERS = 8  # per region, the best ones, that are examined closely
MIN_COLUMN_LINES = 3  # fewer lines next to each other are a table row or a caption, not columns
MIN_COLUMN_SHARE = 0.12  # width of the narrower column relative to the region
MIN_GUTTER = 0.4  # in heights of a line
MAX_MARGIN_LINES = 3  # in a running head or foot
MIN_MARGIN = 1.0  # between a running head or foot and the body, in heights of a line
MAX_CROSSING = 0.6  # share of lines (titles, a full-width abstract) that may cross a gutter
MIN_BESIDE = 0.5  # share of the shorter column's lines that are next to a line of the other column
MIN_PROSE_LINES = 6  # in a column whose lines alternate with the other's; fewer are more likely a table
MIN_LINE_FILL = 0.8  # share of a column's rows covered by its lines: prose fills its column, table cells do not
MIN_PROSE_WIDTH = 10  # median line width over line height; shorter lines are cells, even if they fill a column


def reading_order(boxes: np.ndarray, *, right_to_left: bool = False) -> list[int]:
    """Return the indices of lines in reading order.

    Columns are found by recursive cuts at gutters; lines that cross a gutter (a title) divide the page into bands.
    Columns of text differ from columns of a table in how the producer wrote them: one after the other, or in
    alternating lines that fill their column as prose does. Within a column the given order is kept, unless it jumps
    up without moving to the right: producers mostly write in reading order, and it keeps the rows and cells of a
    table together.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 of the lines, with y pointing down, in the order of the page's content stream.
        right_to_left: True if columns go from right to left (Arabic, Hebrew).
    """
    if right_to_left:  # a mirrored page has its first column on the left
        boxes = np.stack([-boxes[:, 2], boxes[:, 1], -boxes[:, 0], boxes[:, 3]], axis=1)
    indices = np.arange(len(boxes))
    if (boxes[1:, 1] >= (boxes[:-1, 1] + boxes[:-1, 3]) / 2).all():  # every line is below the previous one
        return list(range(len(boxes)))
    boxes = np.ascontiguousarray(boxes, np.float64)
    # Separate the margins: a page number below the gutter would end up in one of the columns.
    head, body, foot = _split_margins(boxes)
    ordered = [
        _top_down(boxes, indices[head]),
        _order(boxes, indices[body], MAX_DEPTH),
        _top_down(boxes, indices[foot]),
    ]
    return [int(k) for k in np.concatenate(ordered)]


def _split_margins(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) masks of the lines of a running head, the body and a running foot, separated by white space."""
    white = MIN_MARGIN * _median(boxes[:, 3] - boxes[:, 1])
    head, foot = np.zeros(len(boxes), bool), np.zeros(len(boxes), bool)
    for part, top, bottom in ((head, boxes[:, 1], boxes[:, 3]), (foot, -boxes[:, 3], -boxes[:, 1])):
        order = np.argsort(top, kind="stable")[: MAX_MARGIN_LINES + 1]
        gaps = top[order[1:]] - np.maximum.accumulate(bottom[order[:-1]])
        for k in np.flatnonzero(gaps > white)[-1:]:
            part[order[: k + 1]] = True
    return head, ~(head | foot), foot & ~head


def _order(boxes: np.ndarray, indices: np.ndarray, depth: int) -> np.ndarray:
    """Return `indices` (into `boxes`, in stream order) in reading order."""
    if len(indices) < 2 * MIN_COLUMN_LINES or depth == 0:
        return _top_down(boxes, indices)
    cut = _gutter(boxes[indices])
    if cut is None:
        return _top_down(boxes, indices)
    left, right, across = _sides(boxes[indices], cut)
    bands = _bands(boxes[indices], across)
    ordered = []
    for band in range(across.sum() + 1):
        ordered += [_order(boxes, indices[side & (bands == band)], depth - 1) for side in (left, right)]
        ordered.append(indices[across & (bands == band)])
    return np.concatenate(ordered)


def _sides(boxes: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) masks of the lines left of the cut, right of it, and across it."""
    left, right = boxes[:, 2] <= cut, boxes[:, 0] >= cut
    return left, right, ~(left | right)


def _bands(boxes: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Return the (N,) band of every line; the k-th line across the gutter ends band k."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    bands = np.searchsorted(np.sort(middle[across]), middle, side="left")
    rank = np.empty(across.sum(), np.int64)
    rank[np.argsort(middle[across], kind="stable")] = np.arange(across.sum())
    bands[across] = rank
    result: Indices = bands
    return result


def _gutter(boxes: np.ndarray) -> float | None:
    """Return the x coordinate of the best gutter between two columns, or None."""
    x0, x1 = np.sort(boxes[:, 0]), np.sort(boxes[:, 2])
    start, width = x0[0], x1[-1] - x0[0]
    line_height = _median(boxes[:, 3] - boxes[:, 1])
    edges = np.unique(np.concatenate([x0, x1]))
    strips = np.diff(edges)
    middle = edges[:-1] + strips / 2
    num_begun, num_ended = np.searchsorted(x0, middle), np.searchsorted(x1, middle)
    crossing = num_begun - num_ended
    margin = MIN_COLUMN_SHARE * width
    possible = (
        (crossing <= MAX_CROSSING * len(boxes))
        & (strips >= MIN_GUTTER * line_height)
        & (np.minimum(num_ended, len(boxes) - num_begun) >= MIN_COLUMN_LINES)
        & (middle >= start + margin)
        & (middle <= start + width - margin)
    )
    found = np.flatnonzero(possible)
    for k in found[np.lexsort((-strips[found], crossing[found]))][:MAX_GUTTERS]:
        if _is_gutter(boxes, middle[k], width):
            return float(middle[k])
    return None


def _is_gutter(boxes: np.ndarray, cut: float, width: float) -> bool:
    """Return True if the lines on both sides of a cut are columns of text, not cells of a table."""
    left, right, across = _sides(boxes, cut)
    bands = _bands(boxes, across)
    # Only bands with several lines on both sides count; others are table rows, or a caption on one side.
    num_bands = int(across.sum()) + 1
    both = np.minimum(np.bincount(bands[left], minlength=num_bands), np.bincount(bands[right], minlength=num_bands)) > 1
    left, right = left & both[bands], right & both[bands]
    fewer = min(left.sum(), right.sum())
    if fewer < MIN_COLUMN_LINES:
        return False
    heights = boxes[:, 3] - boxes[:, 1]
    is_prose = bool(fewer >= MIN_PROSE_LINES)
    for side in (left, right):
        column_width = boxes[side, 2].max() - boxes[side, 0].min()
        if column_width < MIN_COLUMN_SHARE * width:
            return False
        line_widths, line_height = boxes[side, 2] - boxes[side, 0], _median(heights[side])
        middle = (boxes[side, 1] + boxes[side, 3]) / 2
        num_rows = len(np.unique(np.round(middle / line_height)))  # a side may contain columns, too
        is_prose &= bool(line_widths.sum() >= MIN_LINE_FILL * column_width * num_rows)
        is_prose &= bool(_median(line_widths) >= MIN_PROSE_WIDTH * line_height)
    # Short lines above indented ones are not columns: lines of columns are next to each other.
    a, b = boxes[left], boxes[right]
    beside = (a[:, None, 1] < b[None, :, 3]) & (a[:, None, 3] > b[None, :, 1])
    if min(beside.any(axis=0).sum(), beside.any(axis=1).sum()) < max(MIN_COLUMN_LINES, MIN_BESIDE * fewer):
        return False
    # The stream changes sides once per band if columns were written one after the other, at nearly every line if they
    # were written row by row, and once per cell in a table.
    of_sides = right[left | right]
    changes = int((of_sides[1:] != of_sides[:-1]).sum())
    one_after_the_other = changes <= 2 * both.sum() - 1 + 0.1 * fewer
    row_by_row = changes >= 1.5 * fewer
    return one_after_the_other or (is_prose and row_by_row)


def _median(values: np.ndarray) -> float:
    """Return the (upper) median; `np.median` takes longer than everything else in this file."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _top_down(boxes: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Keep the given order, but sort its parts by height where it jumps up and not to a next column or cell."""
    if len(indices) < 2:
        return indices
    lines = boxes[indices]
    slack = 0.5 * _median(lines[:, 3] - lines[:, 1])
    middle = (lines[:, 1] + lines[:, 3]) / 2
    breaks = []
    for k in np.flatnonzero(middle[1:] < middle[:-1] - slack) + 1:
        overlapping = lines[:k][middle[:k] > middle[k] - slack / 2]  # earlier lines next to or below the new line
        # A table cell may extend into the next one, by a quarter of its width.
        if (0.25 * overlapping[:, 0] + 0.75 * overlapping[:, 2]).max() > lines[k, 0] + slack:
            breaks.append(int(k))
    if not breaks:
        return indices
    parts = np.split(np.arange(len(indices)), breaks)
    parts.sort(key=lambda part: lines[part, 1].min())
    ordered: list[np.ndarray] = []
    group: list[np.ndarray] = []
    bottom = -np.inf
    for part in parts:
        if group and lines[part, 1].min() >= bottom - slack:
            ordered.append(_side_by_side(lines, group, slack))
            group = []
        group.append(part)
        bottom = max(bottom, lines[part, 3].max()) if len(group) > 1 else lines[part, 3].max()
    ordered.append(_side_by_side(lines, group, slack))
    result: Indices = indices[np.concatenate(ordered)]
    return result


def _side_by_side(lines: np.ndarray, parts: list[np.ndarray], slack: float) -> np.ndarray:
    """Order parts of a page that overlap in height: left to right if they are separate, else all lines by rows."""
    parts = sorted(parts, key=lambda part: lines[part, 0].min())
    if all(lines[b, 0].min() >= lines[a, 2].max() - slack for a, b in pairwise(parts)):
        return np.concatenate(parts)
    indices = np.sort(np.concatenate(parts))
    middle = (lines[indices, 1] + lines[indices, 3]) / 2
    by_height = np.argsort(middle, kind="stable")
    # A row has the lines whose middles are within half a line height of its first line.
    row_of = np.zeros(len(indices), np.int64)
    first, row = middle[by_height[0]], 0
    for k in by_height:
        if middle[k] - first > slack:
            first, row = middle[k], row + 1
        row_of[k] = row
    by_rows: Indices = indices[np.lexsort((lines[indices, 0], row_of))]
    return by_rows
