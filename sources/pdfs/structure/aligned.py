"""Tables without vertical lines: columns are where the words of many rows leave the same space free."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Cell, Table, is_wrapped
from sources.pdfs.structure.pieces import Piece, hull, make_piece, rows_of

MAX_CROSSING = 0.25  # share of rows that may run across the space between two columns (spanning cells)
MIN_BOTH = 0.3  # share of rows with words on both sides of the space between two columns
PROSE_FILL = 0.8  # share of a column's width that lines of prose fill
PROSE_WIDTH = 14.0  # width of lines of prose, in font sizes
ROW_PITCH = 1.35  # between rows of a table with wrapped cells, in pitches of the lines in a cell
MIN_SPACE = 0.45  # between the words of two columns if there are many rows, in font sizes
MIN_SPACE_FEW = 0.9  # the same with fewer rows than MANY_ROWS
MANY_ROWS = 5
CROSSED = 1.3  # how much wider a space must be if rows run across it

CellLine = tuple[int, int, Piece]  # first column, last column, line of text


@dataclass(slots=True)
class Columns:
    """The columns of some rows: (C,) left and right ends of their words."""

    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, piece: Piece) -> tuple[int, int]:
        """Return the first and the last column that a piece touches."""
        middle = (piece.x0 + piece.x1) / 2
        touched = np.flatnonzero((self.starts < piece.x1 - 0.5) & (self.ends > piece.x0 + 0.5))
        if not len(touched):
            nearest = int(np.abs((self.starts + self.ends) / 2 - middle).argmin())
            return nearest, nearest
        return int(touched[0]), int(touched[-1])


def find_columns(
    content: PageContent, rows: Sequence[Sequence[Piece]], min_space: float | None = None
) -> Columns | None:
    """Return the columns of rows of pieces, or None if there is only one.

    Args:
        min_space: least space between two columns in font sizes; by default it depends on the number of rows.
    """
    size = float(np.median([piece.size for row in rows for piece in row]))
    intervals, row_of = _intervals(content, rows, size)
    edges = np.unique(intervals)
    if len(edges) < 4:
        return None
    middle = (edges[:-1] + edges[1:]) / 2
    crossing = ((intervals[:, :1] < middle) & (intervals[:, 1:] > middle)).sum(axis=0)
    num_rows = len(rows)
    if min_space is None:
        min_space = MIN_SPACE if num_rows >= MANY_ROWS else MIN_SPACE_FEW
    cuts: list[tuple[float, float]] = []
    for allowed in range(int(MAX_CROSSING * num_rows) + 1):  # spaces that fewer rows run across come first
        least = min_space * size * (CROSSED if allowed else 1)
        for cut in _spaces(edges, crossing <= allowed):
            is_new = all(_has_between(intervals, cut, other) for other in cuts)
            if is_new and cut[1] - cut[0] >= least and _has_both(intervals, row_of, cut, num_rows, size):
                cuts.append(cut)
    if not cuts:
        return None
    return _columns_between(intervals, np.array(sorted((low + high) / 2 for low, high in cuts)))


def _has_between(intervals: np.ndarray, a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Return True if some words are between two spaces, so that these are not one space."""
    low, high = (a[1], b[0]) if a[0] < b[0] else (b[1], a[0])
    return bool(((intervals[:, 0] >= low - 0.01) & (intervals[:, 1] <= high + 0.01)).any())


def _spaces(edges: np.ndarray, is_free: np.ndarray) -> list[tuple[float, float]]:
    """Return the longest intervals that are free, without those at the left and right end."""
    steps = np.diff(np.concatenate([[0], is_free.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    found = [(float(edges[a]), float(edges[b])) for a, b in zip(starts, ends, strict=True)]
    return [(low, high) for low, high in found if low > edges[0] and high < edges[-1]]


def _intervals(content: PageContent, rows: Sequence[Sequence[Piece]], size: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, 2) x intervals of words that are at most a word space from each other, and the (M,) row of each."""
    found: list[tuple[float, float]] = []
    row_of: list[int] = []
    for number, row in enumerate(rows):
        words = [k for piece in row for k in piece.words]
        spans = sorted((float(content.boxes[k, 0]), float(content.boxes[k, 2])) for k in words)
        start, end = spans[0]
        for x0, x1 in spans[1:]:
            if x0 - end <= 0.4 * size:
                end = max(end, x1)
            else:
                found.append((start, end))
                row_of.append(number)
                start, end = x0, x1
        found.append((start, end))
        row_of.append(number)
    return np.array(found), np.array(row_of)


def _has_both(intervals: np.ndarray, row_of: np.ndarray, cut: tuple[float, float], num_rows: int, size: float) -> bool:
    """Return True if enough rows have words on both sides of the space."""
    left = np.full(num_rows, -np.inf)
    right = np.full(num_rows, np.inf)
    on_left, on_right = intervals[:, 1] <= cut[0] + 0.01, intervals[:, 0] >= cut[1] - 0.01
    np.maximum.at(left, row_of[on_left], intervals[on_left, 1])
    np.minimum.at(right, row_of[on_right], intervals[on_right, 0])
    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < min(2, num_rows) or both.sum() < MIN_BOTH * min(np.isfinite(left).sum(), np.isfinite(right).sum()):
        return False
    return bool(np.median((right - left)[both]) >= 0.7 * size)


def _columns_between(intervals: np.ndarray, cuts: np.ndarray) -> Columns:
    starts, ends = [], []
    bounds = np.concatenate([[-np.inf], cuts, [np.inf]])
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        inside = intervals[(intervals[:, 0] >= low - 0.01) & (intervals[:, 1] <= high + 0.01)]
        if not len(inside):  # only spanning pieces are here
            inside = np.array([[max(low, intervals[:, 0].min()), min(high, intervals[:, 1].max())]])
        starts.append(float(inside[:, 0].min()))
        ends.append(float(inside[:, 1].max()))
    return Columns(np.array(starts), np.array(ends))


def is_prose(rows: Sequence[Sequence[Piece]], columns: Columns) -> bool:
    """Return True if the columns hold running text, as a page in two columns does."""
    num_prose = 0
    for k in range(len(columns)):
        pieces = [piece for row in rows for piece in row if columns.of(piece) == (k, k)]
        if len(pieces) < 4:
            continue
        width = columns.ends[k] - columns.starts[k]
        widths = np.array([piece.x1 - piece.x0 for piece in pieces])
        size = float(np.median([piece.size for piece in pieces]))
        num_prose += bool(np.median(widths) >= max(PROSE_FILL * width, PROSE_WIDTH * size))
    return num_prose >= 2


def aligned_table(
    content: PageContent,
    rows: Sequence[Sequence[Piece]],
    columns: Columns,
    borders: Sequence[float] = (),
    box: tuple[float, float, float, float] | None = None,
) -> Table:
    """Return the table of rows and columns; lines of wrapped cells are joined to the row above.

    Args:
        borders: y of horizontal lines, which always separate rows.
        box: box of the table if its lines tell; by default the box of its words.
    """
    lines = [cells_of(content, row, columns) for row in rows]
    cells, num_rows = _joined_rows(content, lines, columns, borders)
    return Table(box or hull(p for row in rows for p in row), num_rows, len(columns), cells)


def split_lines(content: PageContent, cells: Sequence[CellLine], columns: Columns) -> list[Cell]:
    """Return the cells of the rows that lines of text in given columns make."""
    of = {id(piece): (first, last) for first, last, piece in cells}
    lines = [[(*of[id(piece)], piece) for piece in row] for row in rows_of([piece for _, _, piece in cells])]
    return _joined_rows(content, lines, columns, ())[0]


def _joined_rows(
    content: PageContent, lines: Sequence[Sequence[CellLine]], columns: Columns, borders: Sequence[float]
) -> tuple[list[Cell], int]:
    """Return cells and the number of rows; lines of wrapped cells are joined to the row above."""
    cells: list[Cell] = []
    row_number = -1
    current: dict[int, Cell] = {}
    for line, begin in zip(lines, _row_begins(content, lines, columns, borders), strict=True):
        if begin:
            row_number += 1
            current = {}
        for first, last, piece in line:
            cell = current.get(first)
            if cell is None:
                cell = current[first] = Cell(row_number, first, 1, last - first + 1)
                cells.append(cell)
            cell.lines.append(piece)
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return cells, row_number + 1


def cells_of(content: PageContent, row: Sequence[Piece], columns: Columns) -> list[CellLine]:
    """Return first column, last column and piece of the cells of one line of text, split at the columns."""
    cells: list[tuple[int, int, list[int]]] = []
    bounds = (columns.ends[:-1] + columns.starts[1:]) / 2
    for piece in row:
        groups: list[list[int]] = [[]]
        previous = -1
        for k in piece.words:
            if groups[-1] and _is_cut(content, previous, k, bounds, piece.size):
                groups.append([])
            groups[-1].append(k)
            previous = k
        for group in groups:
            part = piece if len(groups) == 1 else make_piece(content, group)
            first, last = columns.of(part)
            if cells and first <= cells[-1][1]:
                first = cells[-1][1]
                if first == cells[-1][1] and columns.of(part)[1] > first:
                    first += 1
            if cells and first == cells[-1][1]:
                cells[-1][2].extend(group)
            else:
                cells.append((first, max(first, last), list(group)))
    return [(first, last, make_piece(content, group)) for first, last, group in cells]


def _is_cut(content: PageContent, a: int, b: int, bounds: np.ndarray, size: float) -> bool:
    """Return True if a space between two columns lies between two words of a piece."""
    end, start = float(content.boxes[a, 2]), float(content.boxes[b, 0])
    if start - end < 0.4 * size:
        return False
    return bool(((bounds >= end - 0.2 * size) & (bounds <= start + 0.2 * size)).any())


def _row_begins(
    content: PageContent,
    lines: Sequence[Sequence[CellLine]],
    columns: Columns,
    borders: Sequence[float],
) -> list[bool]:
    """Return for every line of text True if it begins a row, False if it goes on with the cells of the line above."""
    middles = [sum(p.y0 + p.y1 for _, _, p in line) / (2 * len(line)) for line in lines]
    pitches = np.diff(middles)
    begins = [True]
    for k in range(1, len(lines)):
        ruled = any(middles[k - 1] < y < middles[k] for y in borders)
        begins.append(ruled or not _goes_on(content, lines, k, columns, pitches))
    return begins


def _goes_on(
    content: PageContent,
    lines: Sequence[Sequence[CellLine]],
    k: int,
    columns: Columns,
    pitches: np.ndarray,
) -> bool:
    above = {first: piece for first, _, piece in lines[k - 1]}
    here = {first: piece for first, _, piece in lines[k]}
    size = next(iter(here.values())).size
    if pitches[k - 1] > 1.7 * size or not set(here) <= set(above):
        return False
    if len(here) == 1 and 0 not in here:  # a row with a single text and nothing else is rare
        (column,) = here
        if " " in here[column].text or " " in above[column].text:
            return True
    if len(here) == len(columns) and len(columns) > 1 and 0 in here:
        every = all(_wraps(content, above[c], here[c], columns, c) and " " in above[c].text for c in here)
        return every and any(p.text[:1].islower() or above[c].text[-1:] in "-,(" for c, p in here.items())
    if len(here) > 1 and not all(_wraps(content, above[c], here[c], columns, c) for c in here):
        return False
    widest = max(here, key=lambda c: here[c].x1 - here[c].x0)
    return _wraps(content, above[widest], here[widest], columns, widest)


def _wraps(content: PageContent, above: Piece, here: Piece, columns: Columns, column: int) -> bool:
    if " " not in above.text and " " not in here.text:
        return above.text.endswith("-")  # single words do not tell whether there was room
    width = float(columns.ends[column] - columns.starts[column])
    if is_wrapped(above, here, content, width):
        return True
    begins_small = here.text[:1].islower() and " " in above.text and above.text[-1:] not in ".:;!?"
    return begins_small and here.x0 > columns.starts[column] - 1
