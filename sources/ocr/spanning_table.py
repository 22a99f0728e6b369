"""Tables with cells over several columns or rows, and their ground truth as HTML, OTSL and Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from sources.ocr.countable import countable
from sources.ocr.escapes import escape_html, escape_markdown

JOINED = " / "  # between the heads of a column in Markdown, which has one row of heads


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, and how many columns and rows it takes."""

    text: str
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class SpanningTable:
    """A table as rows of the cells that begin in them.

    Args:
        rows: cells from left to right; together they cover a rectangle, without a gap.
        num_heads: number of rows at the top that hold the heads of columns.
    """

    rows: Sequence[Sequence[Cell]]
    num_heads: int

    def grid(self) -> list[list[tuple[Cell, bool, bool]]]:
        """Return the cell at each place, and whether it begins in an earlier column, and in an earlier row.

        Raises:
            ValueError: the cells overlap or leave a gap.
        """
        width = sum(cell.columns for cell in self.rows[0])
        places: dict[tuple[int, int], tuple[Cell, bool, bool]] = {}
        for y, row in enumerate(self.rows):
            x = 0
            for cell in row:
                while (y, x) in places:
                    x += 1
                for dy in range(cell.rows):
                    for dx in range(cell.columns):
                        if (y + dy, x + dx) in places:
                            raise ValueError(f"two cells at row {y + dy}, column {x + dx}")
                        places[y + dy, x + dx] = (cell, dx > 0, dy > 0)
                x += cell.columns
        if set(places) != {(y, x) for y in range(len(self.rows)) for x in range(width)}:
            raise ValueError("the cells of a table do not fill a rectangle")
        return [[places[y, x] for x in range(width)] for y in range(len(self.rows))]

    def to_html(self) -> str:
        """Return the table as HTML without styles, a row a line."""
        lines = [self._html_row(row, "th" if k < self.num_heads else "td") for k, row in enumerate(self.rows)]
        head, body = "\n".join(lines[: self.num_heads]), "\n".join(lines[self.num_heads :])
        return f"<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def _html_row(self, row: Sequence[Cell], tag: str) -> str:
        cells = (f"<{tag}{_spans(cell)}>{escape_html(countable(cell.text))}</{tag}>" for cell in row)
        return f"<tr>{''.join(cells)}</tr>"

    def to_otsl(self) -> str:
        """Return the table as OTSL (Lysak et al. 2023, arXiv:2305.03393), with texts, and heads as Docling has them."""
        lines = []
        for k, row in enumerate(self.grid()):
            line = ""
            for cell, is_right, is_below in row:
                if is_right or is_below:
                    line += "<xcel>" if is_right and is_below else "<lcel>" if is_right else "<ucel>"
                elif not cell.text:
                    line += "<ecel>"
                else:
                    line += ("<ched>" if k < self.num_heads else "<fcel>") + countable(cell.text)
            lines.append(f"{line}<nl>")
        return "<otsl>" + "\n".join(lines) + "</otsl>"

    def to_markdown(self) -> str:
        """Return the table with the heads of a column in one row, joined, and the text of a merged cell in each row."""
        grid = [[escape_markdown(cell.text) for cell, _, _ in row] for row in self.grid()]
        columns = zip(*grid[: self.num_heads], strict=True)
        heads = [JOINED.join(text for text in dict.fromkeys(column) if text) for column in columns]
        lines = [heads, ["---"] * len(heads), *grid[self.num_heads :]]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def to_page_html(self) -> str:
        """Return the table as HTML for the style sheet of a page."""
        html = ""
        for k, row in enumerate(self.rows):
            tag, is_head = ("th", True) if k < self.num_heads else ("td", False)
            cells = (f"<{tag}{_spans(cell)}{_side(cell, is_head)}>{escape_html(cell.text)}</{tag}>" for cell in row)
            html += f"<tr>{''.join(cells)}</tr>"
        return f'<table class="grid">{html}</table>'


def _spans(cell: Cell) -> str:
    columns = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    return columns + (f' rowspan="{cell.rows}"' if cell.rows > 1 else "")


def _side(cell: Cell, is_head: bool) -> str:
    """Return the class of a number, which stands on the right."""
    return ' class="r"' if not is_head and cell.text.lstrip("-")[:1].isdigit() else ""
