"""Tables as Markdown, and tables that only arrange a page."""

from collections.abc import Callable, Sequence
from itertools import chain

from lxml import etree

from sources.books.markup import local_name

_LAYOUT = ("table", "figure", "img", "svg", "pre", "h1", "h2", "h3", "section", "blockquote")
MAX_SPAN = 1000


def cells_of(table: etree._Element) -> list[list[etree._Element]]:
    """Return the cells of each row."""
    rows = [row for row in table.iter("{*}tr") if next(row.iterancestors("{*}table")) is table]
    return [[cell for cell in row if local_name(cell) in ("td", "th")] for row in rows]


def is_layout(table: etree._Element, cells: Sequence[Sequence[etree._Element]]) -> bool:
    """Return True for one column, and for cells with what a row of a Markdown table cannot hold."""
    if table.get("role") == "presentation" or _width(cells) < 2:
        return True
    return any(local_name(part) in _LAYOUT for cell in chain.from_iterable(cells) for part in cell.iterdescendants())


def table_text(cells: Sequence[Sequence[etree._Element]], text: Callable[[etree._Element], str]) -> str:
    """Return a table with pipes, whose first row is its header; empty if no cell has a text.

    A cell that spans rows or columns has its text in its first place.
    """
    width = _width(cells)
    taken: set[tuple[int, int]] = set()
    grid = [[""] * width for _ in cells]
    for y, row in enumerate(cells):
        x = 0
        for cell in row:
            while (y, x) in taken:
                x += 1
            if x >= width:
                break
            grid[y][x] = text(cell)
            across, down = min(_span(cell, "colspan"), width - x), min(_span(cell, "rowspan"), len(cells) - y)
            taken |= {(y + below, x + right) for below in range(down) for right in range(across)}
            x += across
    if not any(map(any, grid)):
        return ""
    lines = [f"| {' | '.join(row)} |" for row in grid]
    lines.insert(1, f"|{'---|' * width}")
    return "\n".join(lines)


def _width(cells: Sequence[Sequence[etree._Element]]) -> int:
    return max((sum(_span(cell, "colspan") for cell in row) for row in cells), default=0)


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and len(value) < 6 else 1
