"""Reading order: lines of a page, as a layout engine found them, to the order a person reads them in."""

from itertools import pairwise

import numpy as np

MAX_DEPTH = 12  # cuts inside cuts; a page nested deeper is read as it stands
MAX_GUTTERS = 8  # of a region, the best ones, are looked at closely
MIN_COLUMN_LINES = 3  # fewer lines beside each other are a table row or a caption, not columns
MIN_COLUMN_SHARE = 0.12  # of the region's width, for the narrower column
MIN_GUTTER = 0.4  # of a line's height
MAX_MARGIN_LINES = 3  # of a running head or foot
MIN_MARGIN = 1.0  # of a line's height, between a running head or foot and the body
MAX_CROSSING = 0.6  # share of lines (titles, a full-width abstract) that may run across a gutter
MIN_BESIDE = 0.5  # share of the shorter column's lines that have a line of the other column beside them
MIN_PROSE_LINES = 6  # of a column whose lines alternate with the other's: fewer are more likely a table
MIN_LINE_FILL = 0.8  # share of a column's rows that its lines cover: prose fills its column, table cells do not
MIN_PROSE_WIDTH = 10  # median line width over line height: shorter lines are cells, however well they fill a column


def reading_order(boxes: np.ndarray, *, right_to_left: bool = False) -> list[int]:
    """Indices of lines in reading order.

    Columns are found by recursive cuts at gutters; what runs across a gutter (a title) parts the page into bands.
    Two columns are told from two columns of a table by how the producer wrote them: one after the other, or in
    lines that alternate but fill their column as prose does. Inside one column the given order stands, unless it
    jumps up without moving on to the right: producers mostly write in reading order, and it is what keeps the
    rows and cells of a table together.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 of the lines, y downwards, in the order of the page's content stream.
        right_to_left: columns run from right to left (Arabic, Hebrew).
    """
    if right_to_left:  # a mirrored page has its first column on the left
        boxes = np.stack([-boxes[:, 2], boxes[:, 1], -boxes[:, 0], boxes[:, 3]], axis=1)
    members = np.arange(len(boxes))
    if (boxes[1:, 1] >= (boxes[:-1, 1] + boxes[:-1, 3]) / 2).all():  # every line stands below the one before
        return list(range(len(boxes)))
    boxes = np.ascontiguousarray(boxes, np.float64)
    # A page number under the gutter would belong to one of the columns.
    head, body, foot = _parted(boxes)
    ordered = [
        _top_down(boxes, members[head]),
        _order(boxes, members[body], MAX_DEPTH),
        _top_down(boxes, members[foot]),
    ]
    return [int(k) for k in np.concatenate(ordered)]


def _parted(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three (N,) masks: lines of a running head, of the body, and of a foot, told by the white space between them."""
    white = MIN_MARGIN * _median(boxes[:, 3] - boxes[:, 1])
    head, foot = np.zeros(len(boxes), bool), np.zeros(len(boxes), bool)
    for part, top, bottom in ((head, boxes[:, 1], boxes[:, 3]), (foot, -boxes[:, 3], -boxes[:, 1])):
        order = np.argsort(top, kind="stable")[: MAX_MARGIN_LINES + 1]
        gaps = top[order[1:]] - np.maximum.accumulate(bottom[order[:-1]])
        for k in np.flatnonzero(gaps > white)[-1:]:
            part[order[: k + 1]] = True
    return head, ~(head | foot), foot & ~head


def _order(boxes: np.ndarray, members: np.ndarray, depth: int) -> np.ndarray:
    """`members` (indices into `boxes`, in stream order) in reading order."""
    if len(members) < 2 * MIN_COLUMN_LINES or depth == 0:
        return _top_down(boxes, members)
    cut = _gutter(boxes[members])
    if cut is None:
        return _top_down(boxes, members)
    left, right, across = _sides(boxes[members], cut)
    bands = _bands(boxes[members], across)
    ordered = []
    for band in range(across.sum() + 1):
        for side in (left, right):
            ordered.append(_order(boxes, members[side & (bands == band)], depth - 1))
        ordered.append(members[across & (bands == band)])
    return np.concatenate(ordered)


def _sides(boxes: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three (N,) masks: lines left of the cut, right of it, and across it."""
    left, right = boxes[:, 2] <= cut, boxes[:, 0] >= cut
    return left, right, ~(left | right)


def _bands(boxes: np.ndarray, across: np.ndarray) -> np.ndarray:
    """(N,) the band of every line: the k-th line across ends band k; others belong to the band they stand in."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    bands = np.searchsorted(np.sort(middle[across]), middle, side="left")
    rank = np.empty(across.sum(), np.int64)
    rank[np.argsort(middle[across], kind="stable")] = np.arange(across.sum())
    bands[across] = rank
    return bands


def _gutter(boxes: np.ndarray) -> float | None:
    """The x of the best gutter between two columns, or None."""
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
        if _parts_columns(boxes, middle[k], width):
            return float(middle[k])
    return None


def _parts_columns(boxes: np.ndarray, cut: float, width: float) -> bool:
    """Whether the lines on both sides of a cut are columns of text rather than cells of a table."""
    left, right, across = _sides(boxes, cut)
    bands = _bands(boxes, across)
    # Only bands with some lines on both sides say anything: others are rows of a table or a caption on one side.
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
        num_rows = len(np.unique(np.round(middle / line_height)))  # a side may hold columns of its own
        is_prose &= bool(line_widths.sum() >= MIN_LINE_FILL * column_width * num_rows)
        is_prose &= bool(_median(line_widths) >= MIN_PROSE_WIDTH * line_height)
    # Short lines above and indented lines below share no height: only lines beside each other make columns.
    a, b = boxes[left], boxes[right]
    beside = (a[:, None, 1] < b[None, :, 3]) & (a[:, None, 3] > b[None, :, 1])
    if min(beside.any(axis=0).sum(), beside.any(axis=1).sum()) < max(MIN_COLUMN_LINES, MIN_BESIDE * fewer):
        return False
    # How often the stream changes sides: once a band where columns were written one after the other, at nearly every
    # line where they were written row by row, once a cell of a table.
    of_sides = right[left | right]
    changes = int((of_sides[1:] != of_sides[:-1]).sum())
    one_after_the_other = changes <= 2 * both.sum() - 1 + 0.1 * fewer
    row_by_row = changes >= 1.5 * fewer
    return one_after_the_other or (is_prose and row_by_row)


def _median(values: np.ndarray) -> float:
    """The (upper) median; NumPy's own takes longer than everything else in this file."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])


def _top_down(boxes: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The given order, its parts put one below the other where it jumps up to what is not a next column or cell."""
    if len(members) < 2:
        return members
    lines = boxes[members]
    slack = 0.5 * _median(lines[:, 3] - lines[:, 1])
    middle = (lines[:, 1] + lines[:, 3]) / 2
    breaks = []
    for k in np.flatnonzero(middle[1:] < middle[:-1] - slack) + 1:
        passed = lines[:k][middle[:k] > middle[k] - slack / 2]  # what stands beside or below the new line
        # A table's cell may run over into the next, by a quarter.
        if (0.25 * passed[:, 0] + 0.75 * passed[:, 2]).max() > lines[k, 0] + slack:
            breaks.append(int(k))
    if not breaks:
        return members
    parts = np.split(np.arange(len(members)), breaks)
    parts.sort(key=lambda part: lines[part, 1].min())
    ordered: list[np.ndarray] = []
    group: list[np.ndarray] = []
    bottom = -np.inf
    for part in parts:
        if group and lines[part, 1].min() >= bottom - slack:
            ordered.append(_beside(lines, group, slack))
            group = []
        group.append(part)
        bottom = max(bottom, lines[part, 3].max()) if len(group) > 1 else lines[part, 3].max()
    ordered.append(_beside(lines, group, slack))
    return members[np.concatenate(ordered)]


def _beside(lines: np.ndarray, parts: list[np.ndarray], slack: float) -> np.ndarray:
    """Parts of a page that share some height: left to right if they stand apart, else all lines by rows."""
    parts = sorted(parts, key=lambda part: lines[part, 0].min())
    if all(lines[b, 0].min() >= lines[a, 2].max() - slack for a, b in pairwise(parts)):
        return np.concatenate(parts)
    members = np.sort(np.concatenate(parts))
    middle = (lines[members, 1] + lines[members, 3]) / 2
    by_height = np.argsort(middle, kind="stable")
    # Rows: lines whose middles lie within half a line height of the row's first line.
    row_of = np.zeros(len(members), np.int64)
    first, row = middle[by_height[0]], 0
    for k in by_height:
        if middle[k] - first > slack:
            first, row = middle[k], row + 1
        row_of[k] = row
    return members[np.lexsort((lines[members, 0], row_of))]
