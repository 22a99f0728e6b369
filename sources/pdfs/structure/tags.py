"""Tagged PDFs: what the structure tree says about headings, lists, tables and the other parts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sources.pdfs.structure.aligned import Columns
from sources.pdfs.structure.block import CAPTION, CODE, FOOTNOTE, FORMULA, HEADING, LIST_ITEM, PARAGRAPH, Block, Line
from sources.pdfs.structure.content import PageContent, Tag
from sources.pdfs.structure.grid import Cell, Table, cell_lines
from sources.pdfs.structure.pieces import Piece, hull

MIN_TAGGED = 0.5  # share of a page's words in tagged parts, from which on the tags are used
KINDS = {
    "P": PARAGRAPH,
    "BlockQuote": PARAGRAPH,
    "Caption": CAPTION,
    "Note": FOOTNOTE,
    "FENote": FOOTNOTE,
    "Formula": FORMULA,
    "Code": CODE,
    "Title": HEADING,
    "H": HEADING,
    "LI": LIST_ITEM,
}
_HEADING = re.compile(r"^H(\d)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """The facts that a tag states about a text.

    Args:
        kind: kind of the block.
        part: number of its structure element.
        item: number of the list item that it is in, -1 outside of lists.
        level: level of a heading from 1 (0 if the tag does not tell) or of a list item from 0.
        is_label: True for the number or bullet of a list item.
    """

    kind: str
    part: int
    item: int = -1
    level: int = 0
    is_label: bool = False


def mark_of(tag: Tag | None) -> Mark | None:
    """Return what a tag says, None if it names no part of a text."""
    if tag is None:
        return None
    item = next((number for name, number in zip(tag.names[::-1], tag.ids[::-1], strict=True) if name == "LI"), -1)
    is_label = "Lbl" in tag.names and item >= 0
    for name, number in zip(tag.names[::-1], tag.ids[::-1], strict=True):
        match = _HEADING.match(name)
        if match:
            return Mark(HEADING, number, -1, int(match[1]))
        kind = KINDS.get(name)
        if kind is not None:
            inner = LIST_ITEM if item >= 0 and kind == PARAGRAPH else kind
            level = tag.names.count("L") - 1 if inner == LIST_ITEM else int(name == "Title")
            return Mark(inner, item if is_label else number, item, level, is_label)
    return None


def marks_of(content: PageContent) -> list[Mark | None] | None:
    """Return the mark of every word, or None if the page has no tags or too few to be of use."""
    if content.tags is None:
        return None
    known: dict[int, Mark | None] = {}
    marks = []
    for tag in content.tags:
        key = id(tag)
        if key not in known:
            known[key] = mark_of(tag)
        marks.append(known[key])
    num_marked = sum(m is not None or _is_cell(tag) for m, tag in zip(marks, content.tags, strict=True))
    return marks if num_marked >= MIN_TAGGED * len(marks) else None


def _is_cell(tag: Tag | None) -> bool:
    return tag is not None and ("TD" in tag.names or "TH" in tag.names)


def mark_of_line(line: Line, marks: Sequence[Mark | None]) -> Mark | None:
    """Return the mark of most words of a line; a label counts only if there are no other words."""
    found = [mark for k in line.all.words if (mark := marks[k]) is not None]
    if not found:
        return None
    texts = [mark for mark in found if not mark.is_label]
    return max(texts or found, key=(texts or found).count)


def tagged_tables(content: PageContent, free: np.ndarray) -> list[Table]:
    """Return the tables of the structure tree whose words are free; their columns come from where the cells are."""
    if content.tags is None:
        return []
    tables: dict[int, dict[int, dict[int, list[int]]]] = {}
    for k in np.flatnonzero(free).tolist():
        place = _cell_of(content.tags[k])
        if place is not None:
            table, row, cell = place
            tables.setdefault(table, {}).setdefault(row, {}).setdefault(cell, []).append(k)
    found = [_table(content, rows) for rows in tables.values()]
    return [table for table in found if table is not None]


def _cell_of(tag: Tag | None) -> tuple[int, int, int] | None:
    """Return the numbers of the table, row and cell of a text; of nested tables, the outermost counts."""
    if not _is_cell(tag):
        return None
    assert tag is not None
    of = dict(zip(tag.names[::-1], tag.ids[::-1], strict=True))
    cell = of.get("TD", of.get("TH"))
    if "Table" not in of or "TR" not in of or cell is None:
        return None
    return of["Table"], of["TR"], cell


def _table(content: PageContent, rows: dict[int, dict[int, list[int]]]) -> Table | None:
    numbered = [[cell_lines(content, words) for _, words in sorted(row.items())] for _, row in sorted(rows.items())]
    boxes = [[hull(lines) for lines in row] for row in numbered]
    columns = _columns([box for row in boxes for box in row])
    if len(columns) < 2 or len(numbered) < 2:
        return None
    cells = []
    for k, row in enumerate(numbered):
        last = -1
        for lines in row:
            first, end = columns.of(_wide(lines))
            first = max(first, last + 1)
            last = max(first, end)
            if first >= len(columns):
                return None
            cells.append(Cell(k, first, 1, last - first + 1, lines))
    return Table(hull(line for cell in cells for line in cell.lines), len(numbered), len(columns), cells)


def _wide(lines: Sequence[Piece]) -> Piece:
    return max(lines, key=lambda line: line.x1 - line.x0)


def _columns(boxes: Sequence[tuple[float, float, float, float]]) -> Columns:
    """Return columns: cells that overlap are in one, narrow ones first, so that spanning cells join nothing."""
    starts: list[float] = []
    ends: list[float] = []
    for x0, _, x1, _ in sorted(boxes, key=lambda box: box[2] - box[0]):
        touched = [k for k in range(len(starts)) if starts[k] < x1 and ends[k] > x0]
        if not touched:
            starts.append(x0)
            ends.append(x1)
        elif len(touched) == 1:
            k = touched[0]
            starts[k], ends[k] = min(starts[k], x0), max(ends[k], x1)
    order = np.argsort(starts)
    return Columns(np.array(starts)[order], np.array(ends)[order])


def apply_marks(blocks: Sequence[Block], marks: Sequence[Mark | None]) -> None:
    """Give blocks the kind and level that their tags say."""
    seen: set[int] = set()
    for block in blocks:
        mark = mark_of_line(block.lines[0], marks) if block.lines else None
        if mark is None or block.kind in ("table", "contents_entry"):
            continue
        if mark.kind == HEADING:
            block.kind, block.level, block.marker, block.cut = HEADING, mark.level or 1, "", 0
        elif mark.kind == LIST_ITEM and mark.item not in seen:
            seen.add(mark.item)
            labels = [k for k in block.lines[0].all.words if (own := marks[k]) is not None and own.is_label]
            block.kind, block.level, block.has_level = LIST_ITEM, max(mark.level, 0), True
            if not block.marker:
                block.cut = len(labels)
                block.marker = _marker(block.lines[0].text.split(" ")[: len(labels)])
        elif mark.kind in (CAPTION, FOOTNOTE, FORMULA, CODE) and block.kind in (PARAGRAPH, LIST_ITEM):
            block.kind, block.marker, block.cut = mark.kind, "", 0


def _marker(labels: Sequence[str]) -> str:
    text = " ".join(labels)
    return text if any(map(str.isalnum, text)) else "-"
