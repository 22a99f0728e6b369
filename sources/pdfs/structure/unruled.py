"""Tables without any line: consecutive lines of text whose pieces line up in columns."""

import re
from collections.abc import Sequence

import numpy as np

from sources.pdfs.structure.aligned import MANY_ROWS, Columns, aligned_table, cells_of, find_columns, is_prose
from sources.pdfs.structure.block import Line
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Table
from sources.pdfs.structure.lists import BULLET, ENUMERATOR
from sources.pdfs.structure.pieces import Piece

MIN_ROWS = 3  # with two cells or more
MIN_MULTI = 0.6  # share of lines with two cells or more
MIN_MULTI_OF_TWO = 0.4  # the same in two columns of more than MANY_ROWS lines: cells may be wrapped
MIN_MULTI_OF_MORE = 0.25  # the same in three columns or more
MAX_PITCH = 2.6  # between lines of a table, in font sizes
MAX_MATH = 0.5  # share of characters in math fonts; equations line up, too
MIN_ALIGNED = 0.6  # share of a column's cells that share their left or right edge or their middle
EQUATION_NUMBER = re.compile(r"^\(?[A-Z]?\d{1,2}(\.\d{1,3})*[a-z]?\)$")


def with_tables(content: PageContent, items: Sequence[Line | Table]) -> list[Line | Table]:
    """Replace runs of lines that are a table by that table; `items` are in reading order."""
    result: list[Line | Table] = []
    k = 0
    while k < len(items):
        run = _run(items, k)
        found = _table(content, run) if run else None
        if found is not None:
            table, columns = found
            k += len(run)
            above = result[-1] if result else None
            if isinstance(above, Line) and _is_row(content, above, run[0], columns):
                result.pop()
                table = _table_of(content, [above, *run], columns)
            result.append(table)
        else:
            result.append(items[k])
            k += 1
    return result


def _is_row(content: PageContent, line: Line, first: Line, columns: Columns) -> bool:
    """Return True if a line above a table is a row of it whose cells are close to each other."""
    pitch = first.all.y1 - line.all.y1
    cells = cells_of(content, line.pieces, columns)
    near = line.region == first.region and pitch < 2.0 * line.size and abs(line.size - first.size) < 0.6
    return (
        near
        and len(cells) > 1
        and line.x0 > columns.starts[0] - 4 * line.size
        and line.x1 < columns.ends[-1] + 4 * line.size
    )


def _is_multi(line: Line, starts: Sequence[float] = ()) -> bool:
    if len(line.pieces) < 2 or line.is_entry or line.all.math > MAX_MATH:
        return False
    if line.is_code:  # code, unless it is in the columns of the lines above
        return bool(starts) and all(any(abs(p.x0 - x) < 0.3 * line.size for x in starts) for p in line.pieces)
    if len(line.pieces) == 2 and (BULLET.match(line.pieces[0].text) or ENUMERATOR.match(line.pieces[0].text)):
        return False
    return not (EQUATION_NUMBER.match(line.pieces[-1].text) and len(line.pieces) < 3)


def _run(items: Sequence[Line | Table], first: int) -> list[Line]:
    """Return the lines from `first` on that may be a table."""
    line = items[first]
    if not isinstance(line, Line) or not _is_multi(line):
        return []
    run = [line]
    starts = [piece.x0 for piece in line.pieces]
    for item in items[first + 1 :]:
        if not isinstance(item, Line) or item.region != line.region:
            break
        pitch = item.all.y1 - run[-1].all.y1
        if pitch > MAX_PITCH * item.size or abs(item.size - line.size) > 1.5:
            break
        if _is_multi(item, starts):
            starts += [piece.x0 for piece in item.pieces]
        elif (
            not any(abs(item.x0 - start) < 0.6 * item.size for start in starts[1:]) or item.x0 < min(starts) + item.size
        ):
            break
        run.append(item)
    while run and len(run[-1].pieces) < 2 and len(run) > 1 and run[-1].x0 <= min(starts) + run[-1].size:
        run.pop()
    return run


def _table(content: PageContent, run: Sequence[Line]) -> tuple[Table, Columns] | None:
    rows = [line.pieces for line in run]
    multi = [row for row in rows if len(row) > 1]
    if len(multi) < MIN_ROWS:
        return None
    columns = find_columns(content, rows)
    if columns is None or is_prose(rows, columns):
        return None
    least = MIN_MULTI if len(rows) <= MANY_ROWS else MIN_MULTI_OF_TWO if len(columns) == 2 else MIN_MULTI_OF_MORE
    if len(multi) < least * len(rows):
        return None
    aligned = [_alignment(multi, columns, k) for k in range(len(columns))]
    if min(aligned) < MIN_ALIGNED:
        return None
    if len(columns) == 2 and not _is_two_column_table(multi, columns):
        return None
    return _table_of(content, run, columns), columns


def _table_of(content: PageContent, run: Sequence[Line], columns: Columns) -> Table:
    return aligned_table(content, [line.pieces for line in run], columns)


def _alignment(rows: Sequence[Sequence[Piece]], columns: Columns, column: int) -> float:
    """Return the share of a column's cells that line up at the left, at the right or in the middle."""
    cells = [piece for row in rows for piece in row if columns.of(piece) == (column, column)]
    if not cells:
        return 0.0
    if len(cells) < 3:
        return 1.0
    best = 0.0
    slack = 0.5 * cells[0].size
    edges = [(cell.x0, cell.x1, (cell.x0 + cell.x1) / 2) for cell in cells]
    for values in np.array(edges).T:
        best = max(best, float((np.abs(values - np.median(values)) < slack).mean()))
    return best


def _is_two_column_table(rows: Sequence[Sequence[Piece]], columns: Columns) -> bool:
    """Return True if two columns are cells, not a hanging list of terms in running text or two columns of prose."""
    left = [row[0] for row in rows]
    size = left[0].size
    space = float(columns.starts[1] - columns.ends[0])
    return space > 0.7 * size and float(np.median([len(piece.text) for piece in left])) < 40
