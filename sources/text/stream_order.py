"""Order of lines without columns: the order of the content stream, mended where it is not the reading order."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import numpy as np

from sources.text.gutters import Indices
from sources.text.prose import median

MIN_IN_ORDER = 4  # mean lines of parts whose order is kept; shuffled lines have three
SAME_ROW = 0.5  # overlap of two pieces of a row, in heights of the lower one


def top_down(boxes: np.ndarray, indices: Indices) -> Indices:
    """Keep the given order, but sort its parts by height where it jumps up and not to a next column or cell."""
    if len(indices) < 2:
        return indices
    indices = _rows_from_the_left(boxes, indices)
    lines = boxes[indices]
    slack = 0.5 * median(lines[:, 3] - lines[:, 1])
    breaks = _jumps(lines, slack)
    if not breaks:
        return indices
    starts = np.array([0, *breaks])
    tops, bottoms = np.minimum.reduceat(lines[:, 1], starts), np.maximum.reduceat(lines[:, 3], starts)
    parts = np.split(np.arange(len(indices)), breaks)
    ordered: list[Indices] = []
    group: list[Indices] = []
    bottom = -np.inf
    for k in np.argsort(tops, kind="stable"):
        if group and tops[k] >= bottom - slack:
            ordered.append(_side_by_side(lines, group, slack))
            group, bottom = [], -np.inf
        group.append(parts[k])
        bottom = max(bottom, bottoms[k])
    ordered.append(_side_by_side(lines, group, slack))
    result: Indices = indices[np.concatenate(ordered)]
    return result


def _rows_from_the_left(boxes: np.ndarray, indices: Indices) -> Indices:
    """Sort rows whose pieces follow each other in the stream, but not from left to right."""
    lines = boxes[indices]
    a, b = lines[:-1], lines[1:]
    height = np.minimum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1])
    in_row = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1]) > SAME_ROW * height
    to_left = in_row & (b[:, 2] <= a[:, 0] + 0.1 * height)
    if not to_left.any():
        return indices
    to_right = in_row & (b[:, 0] >= a[:, 2] - 0.1 * height)
    in_row &= to_left | to_right
    starts = np.flatnonzero(in_row & ~np.append(False, in_row[:-1]))
    ends = np.flatnonzero(in_row & ~np.append(in_row[1:], False)) + 2
    # Two pieces may be a line and its number; they are sorted if most pairs of the page are written from the right.
    pairs = to_left[starts[ends - starts == 2]]
    least = 2 if 3 * pairs.sum() > 2 * len(pairs) else 3
    ordered = indices.copy()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start >= least and to_left[start : end - 1].any():
            ordered[start:end] = ordered[start:end][np.argsort(lines[start:end, 0], kind="stable")]
    return ordered


def _jumps(lines: np.ndarray, slack: float) -> list[int]:
    """Return the lines at which a new part begins: the order jumps up, and not to the right of the part's other lines.

    Only lines next to the new line or below it count. The staircase has the lines of the part that have no other line
    of the part both below them and further to the right.
    """
    middle = (lines[:, 1] + lines[:, 3]) / 2
    jumps_up = np.append(False, middle[1:] < middle[:-1] - slack)
    if not jumps_up.any():
        return []
    ends = 0.25 * lines[:, 0] + 0.75 * lines[:, 2]  # a table cell may extend into the next one by a quarter
    starts = lines[:, 0] + slack
    heights: list[float] = []  # ascending
    rightmost: list[float] = []  # descending
    breaks = []
    for k, (y, end, start, up) in enumerate(
        zip(middle.tolist(), ends.tolist(), starts.tolist(), jumps_up.tolist(), strict=True)
    ):
        if up:
            place = bisect_right(heights, y - slack / 2)
            if place < len(heights) and rightmost[place] > start:
                breaks.append(k)
                heights, rightmost = [], []
        place = bisect_left(heights, y)
        if place < len(heights) and rightmost[place] >= end:
            continue  # a line that is lower ends further to the right
        first = place
        while first and rightmost[first - 1] <= end:
            first -= 1
        after = place + (place < len(heights) and heights[place] == y)
        heights[first:after], rightmost[first:after] = [y], [end]
    return breaks


def _side_by_side(lines: np.ndarray, parts: list[Indices], slack: float) -> Indices:
    """Order parts of a page that overlap in height: left to right if they are separate, else merged."""
    if len(parts) == 1:
        return parts[0]
    if MIN_IN_ORDER * len(parts) > sum(map(len, parts)):
        return _by_rows(lines, np.sort(np.concatenate(parts)), slack)
    parts = sorted(parts, key=lambda part: float(lines[part, 0].min()))
    if all(lines[b, 0].min() >= lines[a, 2].max() - slack for a, b in pairwise(parts)):
        return np.concatenate(parts)
    merged = [_Sequence.of(lines, part, slack) for part in parts]
    while len(merged) > 1:  # neighbours first, so that every line is moved only log2(parts) times
        merged = [a.merged_with(b, slack) for a, b in zip_longest(merged[::2], merged[1::2])]
    return np.array(merged[0].places, np.int64)


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Lines in an order to keep, each with the first row that is still to come: its height and where it begins."""

    places: list[int]
    tops: list[float]
    starts: list[float]

    @classmethod
    def of(cls, lines: np.ndarray, part: Indices, slack: float) -> "_Sequence":
        middle = ((lines[part, 1] + lines[part, 3]) / 2).tolist()
        tops, starts = [], []
        top = start = np.inf
        for y, x in zip(reversed(middle), reversed(lines[part, 0].tolist()), strict=True):
            if y < top - slack:
                top, start = y, x
            elif y <= top + slack:
                top, start = min(top, y), min(start, x)
            tops.append(top)
            starts.append(start)
        return cls(part.tolist(), tops[::-1], starts[::-1])

    def merged_with(self, other: "_Sequence | None", slack: float) -> "_Sequence":
        """Take next the sequence whose remaining lines begin higher, or in the same row further to the left."""
        if other is None:
            return self
        merged = _Sequence([], [], [])
        a, b, i, j = self, other, 0, 0
        while i < len(a.places) or j < len(b.places):
            if i == len(a.places):
                first = False
            elif j == len(b.places):
                first = True
            elif abs(a.tops[i] - b.tops[j]) <= slack:
                first = a.starts[i] <= b.starts[j]
            else:
                first = a.tops[i] < b.tops[j]
            source, k = (a, i) if first else (b, j)
            merged.places.append(source.places[k])
            merged.tops.append(source.tops[k])
            merged.starts.append(source.starts[k])
            i, j = i + first, j + (not first)
        return merged


def _by_rows(lines: np.ndarray, indices: Indices, slack: float) -> Indices:
    """Sort lines by rows, and each row from the left."""
    middle = (lines[indices, 1] + lines[indices, 3]) / 2
    by_height = np.argsort(middle, kind="stable")
    # A row has the lines whose middles are within half a line height of its first line.
    rows, first, row = [], -np.inf, 0
    for height in middle[by_height].tolist():
        if height - first > slack:
            first, row = height, row + 1
        rows.append(row)
    row_of = np.zeros(len(indices), np.int64)
    row_of[by_height] = rows
    by_rows: Indices = indices[np.lexsort((lines[indices, 0], row_of))]
    return by_rows
