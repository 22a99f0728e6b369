"""A table: cells with their text on a grid, and how the words of a cell become its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.pieces import Piece, make_piece, pieces_of, rows_of

BREAK = "\n"  # in the text of a cell, where its author began a line

Joined = Callable[[Sequence[Sequence[str]]], str]


@dataclass(slots=True)
class Cell:
    """One cell. Its text is at its first grid position; the other positions that it spans are empty.

    Args:
        row, column: first grid position, from 0.
        row_span, column_span: number of grid positions.
        lines: the words of every line.
    """

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    lines: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """A table.

    Args:
        box: x0, y0, x1, y1 in points.
        num_rows, num_columns: size of the grid.
        cells: in reading order.
    """

    box: tuple[float, float, float, float]
    num_rows: int
    num_columns: int
    cells: list[Cell]

    @property
    def words(self) -> list[int]:
        """The words in reading order, cell by cell."""
        return [k for cell in self.cells for piece in cell.lines for k in piece.words]

    def rows(self, joined: Joined) -> list[list[str]]:
        """Return the texts of the grid, row by row."""
        widths = self._column_widths()
        texts = [[""] * self.num_columns for _ in range(self.num_rows)]
        for cell in self.cells:
            width = sum(widths[cell.column : cell.column + cell.column_span])
            texts[cell.row][cell.column] = _cell_text(cell.lines, width, joined)
        return texts

    def _column_widths(self) -> list[float]:
        widths = [0.0] * self.num_columns
        for cell in self.cells:
            if cell.column_span == 1:
                widest = max((line.x1 - line.x0 for line in cell.lines), default=0.0)
                widths[cell.column] = max(widths[cell.column], widest)
        return widths


def cell_lines(content: PageContent, words: Sequence[int]) -> list[Piece]:
    """Return the lines of a cell from top to bottom, each as one piece."""
    rows = rows_of(pieces_of(content, words))
    return [row[0] if len(row) == 1 else make_piece(content, [k for p in row for k in p.words]) for row in rows]


def is_wrapped(line: Piece, following: Piece, content: PageContent, width: float) -> bool:
    """Return True if the first word of the following line had no room on this line of a column of this width."""
    x0, _, x1, _ = content.box_rows[following.words[0]]
    return line.x1 - line.x0 + (x1 - x0) + 0.25 * line.size > width


def _cell_text(lines: Sequence[Piece], width: float, joined: Joined) -> str:
    parts: list[list[list[str]]] = []
    previous: Piece | None = None
    for line in lines:
        texts = line.text.split(" ")
        first = (line.x1 - line.x0) * len(texts[0]) / len(line.text)  # width of the first word
        fits = previous is not None and previous.x1 - previous.x0 + first + 0.25 * line.size <= width
        if previous is None or fits:
            parts.append([texts])
        else:
            parts[-1].append(texts)
        previous = line
    return BREAK.join(joined(part) for part in parts)
