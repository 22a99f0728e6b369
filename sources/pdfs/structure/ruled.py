"""Tables with ruling lines in both directions: the lines give the cells, spanning cells included."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sources.pdfs.structure.aligned import Columns, find_columns, is_prose, split_lines
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Cell, Table, cell_lines
from sources.pdfs.structure.pieces import pieces_of, rows_of

TOUCH = 3.0  # between the ends of lines that meet, in points
SAME = 3.5  # between lines of one border, in points; a double rule is 2 to 3 wide
MIN_GAP = 6.0  # narrower rows and columns without text are gaps between borders, in points
MIN_SHARED = 0.6  # share of lines of text at the height of another cell's, from which on they are rows
MIN_CUT = 1.0  # space between columns without a line between them, in font sizes
MIN_CUT_ROWS = 3  # lines of text that show such a space
MAX_PAIRS = 250_000  # of lines across and down; a page with more is a drawing
MIN_FILLED = 0.3  # share of cells with text; a chart's grid has few


@dataclass(slots=True)
class Frame:
    """Lines that touch each other.

    Args:
        box: x0, y0, x1, y1 of their hull.
        horizontal, vertical: their (M, 3) position, start and end.
    """

    box: tuple[float, float, float, float]
    horizontal: np.ndarray
    vertical: np.ndarray


def merge_collinear(lines: np.ndarray) -> np.ndarray:
    """Join the pieces of lines that have one position and touch, e.g. the borders of neighbouring cells.

    Args:
        lines: (M, 3) position, start, end.
    """
    if len(lines) < 2:
        return lines
    order = np.lexsort((lines[:, 1], lines[:, 0]))
    groups = np.concatenate([[0], np.cumsum(np.diff(lines[order, 0]) > SAME / 2)])
    merged: list[list[float]] = []
    for group in range(int(groups[-1]) + 1):
        members = lines[order[groups == group]]
        position = float(np.median(members[:, 0]))
        for _, start, end in members[np.argsort(members[:, 1], kind="stable")].tolist():
            if merged and merged[-1][0] == position and start <= merged[-1][2] + TOUCH:
                merged[-1][2] = max(merged[-1][2], end)
            else:
                merged.append([position, start, end])
    return np.array(merged)


def frames(horizontal: np.ndarray, vertical: np.ndarray) -> list[Frame]:
    """Group merged lines into frames: lines that cross or touch each other."""
    if not len(horizontal) or not len(vertical) or len(horizontal) * len(vertical) > MAX_PAIRS:
        return []
    h, v = horizontal[:, None, :], vertical[None, :, :]
    touch = (
        (v[..., 0] >= h[..., 1] - TOUCH)
        & (v[..., 0] <= h[..., 2] + TOUCH)
        & (h[..., 0] >= v[..., 1] - TOUCH)
        & (h[..., 0] <= v[..., 2] + TOUCH)
    )
    group_of_h = np.arange(len(horizontal))
    while True:  # every line takes the least number of the lines that it touches
        of_v = np.where(touch, group_of_h[:, None], len(horizontal)).min(axis=0)
        of_h = np.minimum(group_of_h, np.where(touch, of_v[None, :], len(horizontal)).min(axis=1))
        if (of_h == group_of_h).all():
            break
        group_of_h = of_h
    found = []
    for group in np.unique(group_of_h[touch.any(axis=1)]).tolist():
        hs, vs = horizontal[(group_of_h == group) & touch.any(axis=1)], vertical[of_v == group]
        x0, x1 = min(hs[:, 1].min(), vs[:, 0].min()), max(hs[:, 2].max(), vs[:, 0].max())
        y0, y1 = min(hs[:, 0].min(), vs[:, 1].min()), max(hs[:, 0].max(), vs[:, 2].max())
        found.append(Frame((float(x0), float(y0), float(x1), float(y1)), hs, vs))
    return found


def ruled_table(content: PageContent, frame: Frame, free: np.ndarray) -> Table | None:
    """Return the table that a frame of lines makes, or None if it is a box, a chart or another drawing.

    Args:
        free: (N,) mask of the words that belong to no other table.
    """
    x0, y0, x1, y1 = frame.box
    xs = _edges(frame.vertical[:, 0], x0, x1)
    ys = _edges(frame.horizontal[:, 0], y0, y1)
    num_rows, num_columns = len(ys) - 1, len(xs) - 1
    if num_columns < 2 or num_rows < 1 or num_rows * num_columns > 5000:
        return None
    middle_x = (content.boxes[:, 0] + content.boxes[:, 2]) / 2
    middle_y = (content.boxes[:, 1] + content.boxes[:, 3]) / 2
    inside = np.flatnonzero(free & (middle_x > x0) & (middle_x < x1) & (middle_y > y0) & (middle_y < y1))
    if not len(inside):
        return None
    cuts = _unruled_cuts(content, inside, xs)
    if cuts:
        frame = Frame(frame.box, frame.horizontal, _with_cuts(content, inside, frame.vertical, cuts, ys))
        xs = np.sort(np.concatenate([xs, cuts]))
        num_columns = len(xs) - 1
    owner = _owners(frame, xs, ys)
    row_of = np.clip(np.searchsorted(ys, middle_y[inside]) - 1, 0, num_rows - 1)
    column_of = np.clip(np.searchsorted(xs, middle_x[inside]) - 1, 0, num_columns - 1)
    words: dict[int, list[int]] = {}
    for k, row, column in zip(inside.tolist(), row_of.tolist(), column_of.tolist(), strict=True):
        words.setdefault(int(owner[row, column]), []).append(k)
    cells = []
    for number in np.unique(owner).tolist():
        rows, columns = np.nonzero(owner == number)
        cell = Cell(int(rows[0]), int(columns.min()), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
        if cell.row_span * cell.column_span != len(rows):
            return None  # no rectangle: a drawing
        cell.lines = cell_lines(content, words.get(number, ()))
        cells.append(cell)
    num_filled = sum(bool(cell.lines) for cell in cells)
    if len(cells) < 3 or num_filled < 2 or num_filled < MIN_FILLED * len(cells):
        return None
    cells.sort(key=lambda cell: (cell.row, cell.column))
    cells, num_rows, num_columns = _without_gaps(cells, xs, ys)
    cells, num_rows = _split_rows(content, cells, num_rows, num_columns)
    return Table(frame.box, num_rows, num_columns, cells) if num_columns > 1 and num_rows > 1 else None


def _unruled_cuts(content: PageContent, inside: np.ndarray, xs: np.ndarray) -> list[float]:
    """Return where columns without a line between them are separate."""
    cuts: list[float] = []
    middle = (content.boxes[inside, 0] + content.boxes[inside, 2]) / 2
    for low, high in pairwise(xs.tolist()):
        words = inside[(middle > low) & (middle < high)]
        rows = rows_of(pieces_of(content, words.tolist()))
        columns = find_columns(content, rows, MIN_CUT) if len(rows) >= MIN_CUT_ROWS else None
        if columns is not None and not is_prose(rows, columns):
            cuts += ((columns.ends[:-1] + columns.starts[1:]) / 2).tolist()
    return cuts


def _with_cuts(
    content: PageContent, inside: np.ndarray, vertical: np.ndarray, cuts: Sequence[float], ys: np.ndarray
) -> np.ndarray:
    """Add a line at every cut in the rows where no word is across it."""
    boxes = content.boxes[inside]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    added = []
    for cut in cuts:
        across = (boxes[:, 0] < cut) & (boxes[:, 2] > cut)
        for top, bottom in pairwise(ys.tolist()):
            if not (across & (middle > top) & (middle < bottom)).any():
                added.append((cut, top, bottom))
    return np.concatenate([vertical, np.array(added).reshape(-1, 3)])


def _edges(positions: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the borders of the grid: positions of lines, double rules joined, and the ends of the frame."""
    edges = [low]
    for position in np.sort(positions).tolist():
        if position - edges[-1] > SAME:
            edges.append(position)
    if high - edges[-1] > SAME:
        edges.append(high)
    return np.array(edges)


def _owners(frame: Frame, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Return the (rows, columns) number of the cell at every grid position; no line between two makes them one."""
    rows, columns = len(ys) - 1, len(xs) - 1
    owner = np.arange(rows * columns).reshape(rows, columns)
    middle_x, middle_y = (xs[:-1] + xs[1:]) / 2, (ys[:-1] + ys[1:]) / 2
    v, h = frame.vertical, frame.horizontal

    def join(a: int, b: int) -> None:
        owner[owner == max(a, b)] = min(a, b)

    for column in range(1, columns):
        near = v[np.abs(v[:, 0] - xs[column]) <= SAME]
        cut = ((near[:, None, 1] <= middle_y + 1) & (near[:, None, 2] >= middle_y - 1)).any(axis=0)
        for row in np.flatnonzero(~cut).tolist():
            join(int(owner[row, column - 1]), int(owner[row, column]))
    for row in range(1, rows):
        near = h[np.abs(h[:, 0] - ys[row]) <= SAME]
        cut = ((near[:, None, 1] <= middle_x + 1) & (near[:, None, 2] >= middle_x - 1)).any(axis=0)
        for column in np.flatnonzero(~cut).tolist():
            join(int(owner[row - 1, column]), int(owner[row, column]))
    return owner


def _split_rows(content: PageContent, cells: Sequence[Cell], num_rows: int, num_columns: int) -> tuple[list[Cell], int]:
    """Split grid rows without lines between their rows of text, as in tables with lines only between columns."""
    columns = _columns(cells, num_columns)
    result: list[Cell] = []
    added = 0
    for row in range(num_rows):
        members = [cell for cell in cells if cell.row == row]
        lines = [(cell.column, cell.column + cell.column_span - 1, line) for cell in members for line in cell.lines]
        if columns is None or any(cell.row_span > 1 for cell in members) or not _is_several_rows(members):
            result += [Cell(row + added, c.column, c.row_span, c.column_span, c.lines) for c in members]
            continue
        split = split_lines(content, lines, columns)
        result += [Cell(row + added + cell.row, cell.column, 1, cell.column_span, cell.lines) for cell in split]
        added += max(cell.row for cell in split)
    for cell in result:  # cells that span rows below which rows were split keep their size
        cell.row_span = min(cell.row_span, num_rows + added - cell.row)
    return result, num_rows + added


def _columns(cells: Sequence[Cell], num_columns: int) -> Columns | None:
    """Return where the text of every column begins and ends, None if a column has no text."""
    starts, ends = np.full(num_columns, np.inf), np.full(num_columns, -np.inf)
    for cell in cells:
        if cell.column_span == 1:
            for line in cell.lines:
                starts[cell.column] = min(starts[cell.column], line.x0)
                ends[cell.column] = max(ends[cell.column], line.x1)
    return Columns(starts, ends) if np.isfinite(starts).all() else None


def _is_several_rows(members: Sequence[Cell]) -> bool:
    """Return True if the lines of the cells of one grid row are rows of the table, not the lines of wrapped cells."""
    filled = [cell for cell in members if cell.lines]
    if max((len(cell.lines) for cell in filled), default=0) < 2 or len(filled) < 2:
        return False
    rows = rows_of([line for cell in filled for line in cell.lines])
    if any(not any(cell.lines[0] is piece for piece in rows[0]) for cell in filled):
        return False  # a cell in the middle of its row's height
    if sum(len(row) > 1 for row in rows) < MIN_SHARED * len(rows):
        return False
    num_pairs = num_separate = 0
    for cell in filled:
        width = max(line.x1 - line.x0 for line in cell.lines)
        for above, below in pairwise(cell.lines):
            first = (below.x1 - below.x0) * len(below.text.split(" ", 1)[0]) / len(below.text)
            fits = above.x1 - above.x0 + first + 0.25 * above.size < width
            num_pairs += 1
            num_separate += fits or (" " not in above.text and " " not in below.text)
    return num_separate >= 0.5 * num_pairs and (len(rows) > 2 or num_separate == num_pairs)


def _without_gaps(cells: list[Cell], xs: np.ndarray, ys: np.ndarray) -> tuple[list[Cell], int, int]:
    """Leave out narrow rows and columns in which nothing is written: the gaps between separate borders."""
    used_rows = {cell.row for cell in cells if cell.lines} | set(np.flatnonzero(np.diff(ys) >= MIN_GAP).tolist())
    used_columns = {cell.column for cell in cells if cell.lines} | set(np.flatnonzero(np.diff(xs) >= MIN_GAP).tolist())
    rows, columns = sorted(used_rows), sorted(used_columns)
    kept = []
    for cell in cells:
        if cell.row in used_rows and cell.column in used_columns:
            row_span = sum(cell.row <= row < cell.row + cell.row_span for row in rows)
            column_span = sum(cell.column <= column < cell.column + cell.column_span for column in columns)
            kept.append(Cell(rows.index(cell.row), columns.index(cell.column), row_span, column_span, cell.lines))
    return kept, len(rows), len(columns)
