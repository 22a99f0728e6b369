"""Tables whose only lines are horizontal ones above, below and between their rows."""

import re
from collections.abc import Sequence

import numpy as np

from sources.pdfs.structure.aligned import MANY_ROWS, Columns, aligned_table, cells_of, find_columns, is_prose
from sources.pdfs.structure.block import MONO
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Table
from sources.pdfs.structure.pieces import Piece, rows_of

SAME_END = 4.0  # between the ends of the lines of one table, in points
MIN_WIDTH = 40.0  # of a table, in points
MAX_OUT = 12.0  # of a cell's text over the ends of the lines, in points
MIN_MULTI = 0.15  # share of lines of text with two cells or more; cells may be wrapped
MIN_MULTI_OF_TWO = 0.35  # the same of tables with two columns
MAX_SPANNING = 0.34  # share of lines of text that run across columns
CAPTION = re.compile(r"^(table|figure|fig\.|tab\.|abb\.|abbildung|tabelle|tableau|tabla|表|图|圖)\s*[\dIVXA-Z]", re.I)


def groups_of_lines(horizontal: np.ndarray) -> list[np.ndarray]:
    """Return the (K, 3) lines of equal start and end, top to bottom, of every group with at least two."""
    left = horizontal[horizontal[:, 2] - horizontal[:, 1] >= MIN_WIDTH]
    groups = []
    while len(left):
        same = (np.abs(left[:, 1] - left[0, 1]) <= SAME_END) & (np.abs(left[:, 2] - left[0, 2]) <= SAME_END)
        if same.sum() > 1:
            groups.append(left[same][np.argsort(left[same, 0], kind="stable")])
        left = left[~same]
    return groups


def tables_between(
    content: PageContent, pieces: Sequence[Piece], lines: np.ndarray, all_lines: np.ndarray
) -> list[Table]:
    """Return the tables between lines of one width.

    Args:
        pieces: pieces of text that belong to no other table.
        lines: (K, 3) full lines, top to bottom.
        all_lines: (M, 3) every horizontal line of the page; the shorter ones separate rows, too.
    """
    x0, x1 = float(lines[:, 1].min()) - 3, float(lines[:, 2].max()) + 3
    beside = [p for p in pieces if p.x1 > x0 + 6 and p.x0 < x1 - 6]
    segments = []
    for top, bottom in zip(lines[:-1, 0].tolist(), lines[1:, 0].tolist(), strict=True):
        segment = [p for p in beside if top <= (p.y0 + p.y1) / 2 < bottom]
        segments.append((top, bottom, rows_of(segment)))
    tables = []
    first = 0
    while first < len(segments):
        if _is_break(content, segments[first][2], x0, x1):
            first += 1
            continue
        last = first
        while last + 1 < len(segments) and not _is_break(content, segments[last + 1][2], x0, x1):
            last += 1
        run = segments[first : last + 1]
        rows = [row for _, _, part in run for row in part]
        table = _table(content, rows, (x0, run[0][0], x1, run[-1][1]), all_lines)
        if table is not None:
            tables.append(table)
        first = last + 1
    return tables


def _is_break(content: PageContent, rows: Sequence[Sequence[Piece]], x0: float, x1: float) -> bool:
    """Return True if the text between two lines is no part of a table: running text or a caption."""
    if not rows:
        return False
    width = x1 - x0
    if any(piece.x0 < x0 - MAX_OUT or piece.x1 > x1 + MAX_OUT for row in rows for piece in row):
        return True
    single = [row[0] for row in rows if len(row) == 1]
    if any(CAPTION.match(piece.text) for piece in single) and len(single) > 0.5 * len(rows):
        return True
    wide = [piece for piece in single if piece.x1 - piece.x0 > 0.7 * width]
    if len(wide) < 2 or len(wide) <= 0.5 * len(rows):
        return False
    columns = find_columns(content, rows) if len(rows) >= MANY_ROWS else None  # cells may be close to each other
    return columns is None or is_prose(rows, columns)


def _table(
    content: PageContent,
    rows: Sequence[Sequence[Piece]],
    box: tuple[float, float, float, float],
    all_lines: np.ndarray,
) -> Table | None:
    if len(rows) < 2:
        return None
    x0, y0, x1, y1 = box
    own_lines = [y for y in all_lines[:, 0].tolist() if y0 - 1 < y < y1 + 1]
    columns = find_columns(content, rows)
    if columns is None or is_prose(rows, columns):
        return None
    if len(own_lines) == 2 and sum(piece.mono >= MONO for row in rows for piece in row) > 0.8 * sum(map(len, rows)):
        return None  # code between two lines
    num_spanning = sum(len(row) == 1 and _is_spanning(content, row[0], columns) for row in rows)
    num_multi = sum(len(cells_of(content, row, columns)) > 1 for row in rows)
    if num_multi < max(
        2, (MIN_MULTI_OF_TWO if len(columns) == 2 else MIN_MULTI) * len(rows)
    ) or num_spanning > MAX_SPANNING * len(rows):
        return None
    near = (
        (all_lines[:, 1] >= x0 - 4)
        & (all_lines[:, 2] <= x1 + 4)
        & (all_lines[:, 0] > y0 - 1)
        & (all_lines[:, 0] < y1 + 1)
    )
    return aligned_table(content, rows, columns, all_lines[near, 0].tolist(), (x0 + 3, y0, x1 - 3, y1))


def _is_spanning(content: PageContent, piece: Piece, columns: Columns) -> bool:
    cells = cells_of(content, [piece], columns)
    return len(cells) == 1 and cells[0][0] != cells[0][1]
