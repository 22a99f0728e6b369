"""Reading order: sorts the lines of a page into the order in which a person reads them."""

import numpy as np

from sources.text.columns import Lines, bands_of_columns
from sources.text.gutters import MIN_COLUMN_LINES, Indices
from sources.text.prose import median
from sources.text.stream_order import top_down

MAX_DEPTH = 12  # of nested cuts; deeper regions stay in the given order
MAX_MARGIN_LINES = 3  # in a running head or foot
MIN_MARGIN = 1.0  # between a running head or foot and the body, in heights of a line
TALL = 4.0  # height of a turned stamp, in heights of a line and in its own widths
LARGE = 2.5  # height of an upright stamp, in heights of a line
FIRST_OR_LAST = 3  # lines of the stream among which upright stamps are
MIN_COVERED = 2  # lines under an upright stamp


def reading_order(
    boxes: np.ndarray, *, right_to_left: bool = False, first_words: np.ndarray | None = None
) -> list[int]:
    """Return the indices of lines in reading order.

    Running heads and feet are separated first. Then columns are found by recursive cuts at gutters; a gutter divides
    only the bands of the page that have columns of text beside it, so that a table, a figure or a title above, below
    or between them is read on its own. Columns of text differ from columns of a table in how the producer wrote them,
    one after the other, or in lines that fill their column as prose does. Within a column the given order is kept,
    unless it jumps up without moving to the right: producers mostly write in reading order, and it keeps the rows and
    cells of a table together.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 of the lines, with y pointing down, in the order of the page's content stream.
        right_to_left: True if columns go from right to left (Arabic, Hebrew).
        first_words: (N,) width of each line's first word, which tells broken lines of prose from cells of a table.
    """
    if (boxes[1:, 1] >= (boxes[:-1, 1] + boxes[:-1, 3]) / 2).all():  # every line is below the previous one
        return list(range(len(boxes)))
    if right_to_left:  # a mirrored page has its first column on the left
        boxes = np.stack([-boxes[:, 2], boxes[:, 1], -boxes[:, 0], boxes[:, 3]], axis=1)
    lines = Lines(boxes=np.ascontiguousarray(boxes, np.float64), first_words=first_words)
    apart = _is_stamp(lines.boxes)
    # Separate the margins: a page number below the gutter would end up in one of the columns.
    head, body, foot = _split_margins(lines.boxes, np.flatnonzero(~apart))
    ordered = [top_down(lines.boxes, head), _order(lines, body, MAX_DEPTH), top_down(lines.boxes, foot)]
    return [int(k) for k in np.concatenate([*ordered, np.flatnonzero(apart)])]


def _is_stamp(boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of stamps: text turned by 90 degrees in a margin, and large text over other lines."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    line_height = median(height)
    stamp: np.ndarray = (height >= TALL * line_height) & (height >= TALL * width)
    if stamp.any():  # other tall boxes are parentheses of a formula
        left, right = boxes[~stamp, 0].min(initial=np.inf), boxes[~stamp, 2].max(initial=-np.inf)
        stamp &= (boxes[:, 2] <= left + line_height) | (boxes[:, 0] >= right - line_height)
    for k in np.flatnonzero(~stamp & (height >= LARGE * line_height)):
        if FIRST_OR_LAST <= k < len(boxes) - FIRST_OR_LAST:  # a formula may be large and have other lines inside
            continue
        y = (boxes[:, 1] + boxes[:, 3]) / 2
        x0, y0, x1, y1 = boxes[k]
        crosses = (boxes[:, 0] < x1) & (boxes[:, 2] > x0) & (y > y0) & (y < y1)
        stamp[k] = crosses.sum() > MIN_COVERED  # itself included
    return stamp


def _split_margins(boxes: np.ndarray, indices: Indices) -> tuple[Indices, Indices, Indices]:
    """Return the lines of a running head, the body and a running foot, which are separated by white space."""
    if not len(indices):
        return indices, indices, indices
    lines = boxes[indices]
    white = MIN_MARGIN * median(lines[:, 3] - lines[:, 1])
    head, foot = np.zeros(len(lines), bool), np.zeros(len(lines), bool)
    for part, top, bottom in ((head, lines[:, 1], lines[:, 3]), (foot, -lines[:, 3], -lines[:, 1])):
        order = np.argsort(top, kind="stable")[: MAX_MARGIN_LINES + 1]
        gaps = top[order[1:]] - np.maximum.accumulate(bottom[order[:-1]])
        for k in np.flatnonzero(gaps > white)[-1:]:
            part[order[: k + 1]] = True
    return indices[head], indices[~(head | foot)], indices[foot & ~head]


def _order(lines: Lines, indices: Indices, depth: int) -> Indices:
    """Return `indices` (in stream order) in reading order."""
    boxes = lines.boxes[indices]
    if len(indices) < 2 * MIN_COLUMN_LINES or depth == 0:
        return top_down(lines.boxes, indices)
    if (boxes[1:, 1] >= (boxes[:-1, 1] + boxes[:-1, 3]) / 2).all():
        return indices
    bands = bands_of_columns(lines, indices)
    if bands is None:
        return top_down(lines.boxes, indices)
    ordered = []
    for band in bands:
        ordered += [_order(lines, side, depth - 1) for side in (band.left, band.right) if len(side)]
    return np.concatenate(ordered)
