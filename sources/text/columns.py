"""Columns of text: divides a region of a page into bands, of which some have columns on both sides of a gutter."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sources.text.gutters import MIN_COLUMN_LINES, Gutter, Indices, may_have_columns, possible_gutters
from sources.text.prose import MAX_PITCH, OUTLIERS, distance_to, is_prose, median, quantile, share_in_rows

MAX_BREAKS = 4  # nested cuts at white space
MIN_BREAK = 0.5  # white space that separates a table or a figure, more than between other rows, in heights of a line
MIN_GUTTER = 0.4  # in heights of a line
MIN_BESIDE = 0.5  # share of the shorter column's lines that are next to a line of the other column
MIN_PROSE_LINES = 6  # in columns that were not written one after the other; fewer are more likely a table
MIN_ONE_SIDED = 12  # lines in each column, if only one of them is prose
MIN_IN_ROWS = 0.6  # share of lines that have a line of the other column in their row, if both are cells of a table
MAX_PITCH_IN_ROWS = 1.4  # of prose in two columns with common baselines, in heights; wider rows are a table's
MAX_NOTES = 0.5  # width and number of margin notes' lines, relative to the text
SMALL_NOTES = 0.9  # height of lines of notes on the left, relative to the text
NO_LINES: Indices = np.zeros(0, np.int64)

COLUMNS, TABLE, UNKNOWN = "columns", "table", "unknown"
Part = tuple[int, int, str]  # first line, last line + 1, kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """Lines of a page in stream order, upright.

    Args:
        boxes: (N, 4) x0, y0, x1, y1, with y pointing down.
        first_words: (N,) width of each line's first word; None if it is not known.
    """

    boxes: np.ndarray
    first_words: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """A band of a region: two columns, or lines that the gutter does not divide.

    Args:
        left: indices of the left column's lines, or of all lines, in stream order.
        right: indices of the right column's lines; empty if the band has no columns.
    """

    left: Indices
    right: Indices


def bands_of_columns(lines: Lines, indices: Indices) -> list[Band] | None:
    """Divide a region into bands, from top to bottom, at its best gutter; return None if it has no columns of text.

    The best gutter has the most lines in its columns. Every band is judged for itself, because a table or a figure may
    be above, below or between the columns.
    """
    boxes = lines.boxes[indices]
    height = median(boxes[:, 3] - boxes[:, 1])
    parts: list[tuple[str, Indices]] = []
    sides, most = NO_LINES, 0
    for gutter in possible_gutters(boxes, height):
        if gutter.num_lines <= most:
            break
        found = _AtGutter(lines, indices, gutter, height).parts()
        num_lines = sum(len(places) for kind, places in found if kind == COLUMNS)
        if num_lines > most:
            parts, sides, most = found, gutter.sides, num_lines
    if not most:
        return None
    bands: list[Band] = []
    others: list[Indices] = []
    for kind, places in [*parts, (COLUMNS, NO_LINES)]:
        if kind != COLUMNS:
            others.append(places)
            continue
        if others:
            bands.append(Band(left=indices[np.sort(np.concatenate(others))], right=NO_LINES))
            others = []
        if len(places):
            places = np.sort(places)
            is_right = sides[places] > 0
            bands.append(Band(left=indices[places[~is_right]], right=indices[places[is_right]]))
    return bands


class _AtGutter:
    """Lines of a region, sorted by height, and a gutter; judges which of them are columns."""

    def __init__(self, lines: Lines, indices: Indices, gutter: Gutter, height: float) -> None:
        boxes = lines.boxes[indices]
        self.places = np.argsort(boxes[:, 1] + boxes[:, 3], kind="stable")  # into the region, which is in stream order
        self.boxes = boxes[self.places]
        self.middle = (self.boxes[:, 1] + self.boxes[:, 3]) / 2
        self.across = np.flatnonzero(gutter.sides[self.places] == 0).tolist()
        self.is_right = gutter.sides[self.places] > 0
        self.height = height
        self.first_words = None if lines.first_words is None else lines.first_words[indices[self.places]]
        self.num_right: list[int] = [0, *np.cumsum(self.is_right).tolist()]
        self.evidence = np.zeros((4, len(indices) + 1), np.int64)
        np.cumsum(gutter.evidence[:, self.places], axis=1, out=self.evidence[:, 1:])
        # White space above each line over the whole width; negative next to other lines.
        bottom = np.maximum.accumulate(self.boxes[:, 3])
        self.white = np.append(0.0, np.minimum.accumulate(self.boxes[::-1, 1])[::-1][1:] - bottom[:-1])

    def parts(self) -> list[tuple[str, Indices]]:
        """Divide the region at the lines across the gutter, and between them at white space.

        Returns:
            kind and places (in the region) of the lines of each part, from top to bottom.
        """
        parts: list[Part] = []
        begin = 0
        for end in [*self.across, len(self.places)]:
            if end > begin:
                parts += self._divide(begin, end, MAX_BREAKS)
            if end < len(self.places):
                parts.append((end, end + 1, TABLE))
            begin = end + 1
        return [(kind, self.places[a:b]) for a, b, kind in parts]

    def _divide(self, a: int, b: int, depth: int) -> list[Part]:
        """Divide the lines a to b at white space, as long as that separates columns from something else."""
        if self._num_fewer(a, b) < MIN_COLUMN_LINES:
            return [(a, b, UNKNOWN)]
        if not may_have_columns(*(self.evidence[:, b] - self.evidence[:, a]).tolist()):
            return [(a, b, UNKNOWN if self._is_one_after_the_other(a, b) else TABLE)]
        kind = self._kind(a, b)
        cut = self._break(a, b) if depth else None
        if cut is None:
            return [(a, b, kind)]
        parts = self._divide(a, cut, depth - 1) + self._divide(cut, b, depth - 1)
        kinds = {part[2] for part in parts}
        if kind == COLUMNS and TABLE not in kinds and self._are_read_together(parts):
            columns = next((part for part in parts if part[2] == COLUMNS), (a, b, COLUMNS))
            is_certain = self._num_changes(a, b) == 1
            if is_certain or all(self._fits(part, columns) for part in parts if part[2] == UNKNOWN):
                return [(a, b, COLUMNS)]
        return self._merged(parts) if COLUMNS in kinds else [(a, b, UNKNOWN if kind == COLUMNS else kind)]

    def _num_fewer(self, a: int, b: int) -> int:
        """Return the number of lines on the side that has fewer of the lines a to b."""
        num_right = self.num_right[b] - self.num_right[a]
        return min(num_right, b - a - num_right)

    def _break(self, a: int, b: int) -> int | None:
        """Return the line below the widest white space, if it is wider than between other rows."""
        white = self.white[a + 1 : b]
        k = int(np.argmax(white))
        between_rows = white[white > -0.6 * self.height]
        usual = max(0.0, median(between_rows)) if len(between_rows) > 2 else 0.0
        return a + 1 + k if white[k] >= usual + MIN_BREAK * self.height else None

    def _are_read_together(self, parts: list[Part]) -> bool:
        """Return False if all of the upper columns were written before all of the lower ones, column by column."""
        columns = [(a, b) for a, b, kind in parts if kind == COLUMNS]
        for (a, b), (c, d) in pairwise(columns):
            is_before = self.places[a:b].max() < self.places[c:d].min()
            if is_before and self._is_one_after_the_other(a, b) and self._is_one_after_the_other(c, d):
                return False
        return True

    def _merged(self, parts: list[Part]) -> list[Part]:
        """Join columns that are read together, and columns with a few lines above or below that fit them."""
        merged: list[Part] = []
        for part in parts:
            if merged and self._belong_together(merged[-1], part):
                merged[-1] = (merged[-1][0], part[1], COLUMNS)
            else:
                merged.append(part)
        return merged

    def _belong_together(self, upper: Part, lower: Part) -> bool:
        kinds = {upper[2], lower[2]}
        if kinds == {COLUMNS}:
            return self._are_read_together([upper, lower])
        if kinds != {COLUMNS, UNKNOWN}:
            return False
        columns, few = (upper, lower) if upper[2] == COLUMNS else (lower, upper)
        return self._fits(few, columns)

    def _fits(self, few: Part, columns: Part) -> bool:
        """Return True if a few lines are within the columns, one per row."""
        a, b, _ = few
        first, last, _ = columns
        for side in (False, True):
            lines = self.boxes[a:b][self.is_right[a:b] == side]
            column = self.boxes[first:last][self.is_right[first:last] == side]
            if not len(lines):
                continue
            if (np.diff(lines[:, 1] + lines[:, 3]) < self.height).any():  # twice the distance
                return False
            start, end = column[:, 0].min() - self.height, column[:, 2].max() + self.height
            if lines[:, 0].min() < start or lines[:, 2].max() > end:
                return False
        return True

    def _kind(self, a: int, b: int) -> str:
        """Judge the lines a to b: columns of text, cells of a table, or too few lines to tell."""
        is_right, middle, boxes = self.is_right[a:b], self.middle[a:b], self.boxes[a:b]
        fewer = self._num_fewer(a, b)
        to_left = distance_to(middle[is_right], middle[~is_right])
        to_right = distance_to(middle[~is_right], middle[is_right])
        # Short lines above indented ones are not columns: lines of columns are next to each other.
        num_beside = min(int((to_left < self.height).sum()), int((to_right < self.height).sum()))
        if num_beside < max(MIN_COLUMN_LINES, MIN_BESIDE * fewer):
            return UNKNOWN
        if boxes[is_right, 0].min() - quantile(boxes[~is_right, 2], 1 - OUTLIERS) < MIN_GUTTER * self.height:
            return UNKNOWN
        if self._is_one_after_the_other(a, b):
            return COLUMNS
        left, right = self._is_prose(a, b, False), self._is_prose(a, b, True)
        if (left and self._has_margin_notes(a, b)) or (right and self._has_notes_on_the_left(a, b)):
            return COLUMNS
        if fewer < MIN_PROSE_LINES:
            return UNKNOWN if left and right else TABLE
        if share_in_rows(to_left, self.height) >= MIN_IN_ROWS:
            pitch = max(median(np.diff(middle[is_right])), median(np.diff(middle[~is_right])))
            is_text = left and right and pitch <= MAX_PITCH_IN_ROWS * self.height
        else:  # cells of a table are in rows, so one column of prose suffices
            is_text = (left and right) or ((left or right) and fewer >= MIN_ONE_SIDED)
        if not is_text:
            return TABLE
        is_row_by_row = self._num_changes(a, b) >= 1.5 * fewer
        return COLUMNS if is_row_by_row or not self._has_rows_of_cells(a, b) else TABLE

    def _is_prose(self, a: int, b: int, is_right: bool) -> bool:
        side = self.is_right[a:b] == is_right
        first_words = None if self.first_words is None else self.first_words[a:b][side]
        return is_prose(self.boxes[a:b][side], self.height, first_words, from_left=is_right)

    def _in_stream_order(self, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the (N, 4) boxes of the lines a to b and the (N,) mask of those on the right."""
        order = np.argsort(self.places[a:b])
        return self.boxes[a:b][order], self.is_right[a:b][order]

    def _num_changes(self, a: int, b: int) -> int:
        """Return how often the stream changes sides."""
        of_sides = self.is_right[a:b][np.argsort(self.places[a:b])]
        return int((of_sides[1:] != of_sides[:-1]).sum())

    def _is_one_after_the_other(self, a: int, b: int) -> bool:
        """Return True if the stream has first one column and then the other, a few lines excepted."""
        return self._num_changes(a, b) <= 1 + 0.1 * self._num_fewer(a, b)

    def _has_rows_of_cells(self, a: int, b: int) -> bool:
        """Return True if the stream goes back to the left only below everything that it has written on the right."""
        boxes, is_right = self._in_stream_order(a, b)
        bottom = np.maximum.accumulate(np.where(is_right, boxes[:, 3], -np.inf))
        back = np.flatnonzero(is_right[:-1] & ~is_right[1:])
        is_below = boxes[back + 1, 1] >= bottom[back] - 0.5 * self.height
        return bool(is_below.mean() > 0.8) if len(back) else False

    def _has_margin_notes(self, a: int, b: int) -> bool:
        """Return True if the right side is narrow and has few lines, most of them below another one in the stream."""
        return self._are_notes(*self._in_stream_order(a, b))

    def _has_notes_on_the_left(self, a: int, b: int) -> bool:
        """Return True if the left side has notes as above, in smaller letters, beside lines at an even distance.

        Without the latter they may be the first cells of a table's rows.
        """
        boxes, is_right = self._in_stream_order(a, b)
        heights = boxes[:, 3] - boxes[:, 1]
        is_small = median(heights[~is_right]) <= SMALL_NOTES * median(heights[is_right])
        if not is_small or not self._are_notes(boxes, ~is_right):
            return False
        pitch = np.diff(self.middle[a:b][self.is_right[a:b]])
        return bool((np.abs(pitch - median(pitch)) < 0.1 * self.height).mean() > 1 - OUTLIERS)

    def _are_notes(self, boxes: np.ndarray, is_note: np.ndarray) -> bool:
        """Return True if one side has the text, and the other one a few short lines, most of them below another one.

        Args:
            boxes: (N, 4) lines of both sides in stream order.
            is_note: (N,) True on the side that may have notes.
        """
        text, notes = boxes[~is_note], boxes[is_note]
        if len(text) < MIN_ONE_SIDED or len(notes) > MAX_NOTES * len(text):
            return False
        if np.ptp(notes[:, [0, 2]]) > MAX_NOTES * np.ptp(text[:, [0, 2]]):
            return False
        pitch = np.diff(boxes[:, 1] + boxes[:, 3]) / 2
        is_next = is_note[1:] & is_note[:-1] & (pitch > 0.5 * self.height) & (pitch < MAX_PITCH * self.height)
        return bool(2 * is_next.sum() >= len(notes))
