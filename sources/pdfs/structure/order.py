"""Lines of text and tables of a page in reading order."""

from collections.abc import Sequence

import numpy as np

from sources.pdfs.structure.block import Line, make_line
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Table
from sources.pdfs.structure.pieces import Piece, overlaps
from sources.text.reading_order import reading_order

MAX_ROW_GAP = 40.0  # between pieces of one line, in font sizes
MIN_TEXT = 0.4  # width of a line of text in widths of the page
MIN_LINES = 8  # of that width, on a page with notes in the margin
MAX_NOTES = 0.5  # pieces in the margin over lines of text
COLUMN_JUMP = 1.5  # upwards, to the top of a next column, in font sizes


def in_order(content: PageContent, pieces: Sequence[Piece], tables: Sequence[Table]) -> list[Line | Table]:
    """Return lines and tables in reading order; pieces that follow each other in one row are one line."""
    items: list[tuple[int, tuple[float, float, float, float], Piece | Table]] = []
    items += [(piece.words[0], piece.box, piece) for piece in pieces]
    items += [(min(table.words), table.box, table) for table in tables]
    items.sort(key=lambda item: item[0])
    boxes = np.array([box for _, box, _ in items]).reshape(-1, 4)
    result: list[Line | Table] = []
    row: list[Piece] = []

    def end_row() -> None:
        if row:
            result.append(make_line(content, sorted(row, key=lambda piece: piece.x0)))
            row.clear()

    for k in reading_order(boxes) if len(items) else ():
        item = items[k][2]
        if isinstance(item, Table):
            end_row()
            result.append(item)
        elif row and _is_in_row(row, item):
            row.append(item)
        else:
            end_row()
            row.append(item)
    end_row()
    _number_regions(result)
    return result


def split_margins(pieces: Sequence[Piece], width: float) -> tuple[list[Piece], list[Piece]]:
    """Separate the pieces in the margins of a page with one column from its text.

    Args:
        width: width of the page.
    """
    wide = [piece for piece in pieces if piece.x1 - piece.x0 > MIN_TEXT * width]
    if len(wide) < MIN_LINES:
        return list(pieces), []
    left = float(np.quantile([piece.x0 for piece in wide], 0.25))
    right = float(np.quantile([piece.x1 for piece in wide], 0.75))
    notes = [piece for piece in pieces if piece.x0 > right + piece.size * 0.5 or piece.x1 < left - piece.size * 0.3]
    notes = [piece for piece in notes if any(map(str.isalpha, piece.text)) and len(piece.text) > 2]
    if not notes or len(notes) > MAX_NOTES * len(wide):
        return list(pieces), []
    return [piece for piece in pieces if not any(piece is note for note in notes)], notes


def _is_in_row(row: Sequence[Piece], piece: Piece) -> bool:
    """Return True if a piece is in the row of others; cells are not always painted from left to right."""
    if not overlaps(row[-1].y0, row[-1].y1, piece.y0, piece.y1):
        return False
    gap = min(max(piece.x0 - other.x1, other.x0 - piece.x1) for other in row)
    return -0.3 * piece.size < gap < MAX_ROW_GAP * piece.size


def _number_regions(items: Sequence[Line | Table]) -> None:
    region, bottom = 0, -np.inf
    for item in items:
        y1 = item.all.y1 if isinstance(item, Line) else item.box[3]
        size = item.size if isinstance(item, Line) else 10.0
        if y1 < bottom - COLUMN_JUMP * size:
            region += 1
        if isinstance(item, Line):
            item.region = region
        bottom = y1
