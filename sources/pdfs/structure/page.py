"""The structure of one page: its blocks in reading order, their Markdown and their boxes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from sources.pdfs.structure.block import (
    FIELD,
    FOOTER,
    HEADER,
    HEADING,
    LIST_ITEM,
    PARAGRAPH,
    TABLE,
    Block,
    Line,
    make_line,
)
from sources.pdfs.structure.body import Body, body_of
from sources.pdfs.structure.content import PageContent, page_content
from sources.pdfs.structure.forms import CHECKED, UNCHECKED, Field, KeyValue, key_values, words_inside
from sources.pdfs.structure.grid import Table
from sources.pdfs.structure.headings import Outline, join_headings, mark_headings
from sources.pdfs.structure.horizontal import groups_of_lines, tables_between
from sources.pdfs.structure.lists import contents_lines, set_levels, small_drawings
from sources.pdfs.structure.marginals import find_marginals, without_rules
from sources.pdfs.structure.markdown import block_markdown, separator
from sources.pdfs.structure.order import in_order, split_margins
from sources.pdfs.structure.paragraphs import to_blocks
from sources.pdfs.structure.pieces import Piece, free_pieces, pieces_of
from sources.pdfs.structure.roles import join_formulas, mark_captions, mark_footnotes, mark_formulas
from sources.pdfs.structure.ruled import frames, merge_collinear, ruled_table
from sources.pdfs.structure.tags import apply_marks, marks_of, tagged_tables
from sources.pdfs.structure.unruled import with_tables
from sources.text.paragraph import ParagraphJoiner
from sources.text.words import LayoutWords

MAX_NOTE_PITCH = 1.8  # between the lines of a note in the margin, in font sizes


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a page as its user sees it.

    Args:
        kind: name of the block's kind.
        text: its Markdown.
        box: x0, y0, x1, y1 in points.
    """

    kind: str
    text: str
    box: tuple[float, float, float, float]


def part_of(field: KeyValue) -> Part:
    """Return a form field as a part of the page: `key: value`."""
    return Part(FIELD, f"{field.key}: {field.value}".strip(), field.box)


@dataclass(frozen=True, slots=True)
class PageStructure:
    """A page in Markdown.

    Args:
        text: the Markdown.
        order: (N,) indices of the words in the order of the text.
        parts: the blocks in the order of the text.
    """

    text: str
    order: np.ndarray
    parts: Sequence[Part]


def page_structure(
    words: LayoutWords,
    page: Mapping[str, Any],
    images: Sequence[Sequence[float]],
    outline: Outline,
    fields: Sequence[Field] = (),
) -> PageStructure:
    """Find the structure of one page.

    Args:
        words: the words that are seen, in stream order.
        page: PyMuPDF's `dict` of the page with vectors.
        images: boxes of the page's images, in points.
        outline: level of the page's titles in the document's outline, by `outline_key`.
        fields: form fields.
    """
    content = page_content(words, page, images)
    blocks = find_blocks(content, outline)
    found, shown = key_values(words, fields) if fields else ([], {})
    inside = words_inside(words, fields)
    for block in blocks:
        if block.kind == HEADING and not inside.isdisjoint(block.words):
            block.kind = PARAGRAPH
    if shown:
        content = replace(content, texts=[shown.get(k, text) for k, text in enumerate(content.texts)])
        _mark_tasks(blocks, shown)
    joined = ParagraphJoiner([[words.texts[k] for k in line] for line in _lines_of(content)])
    text, parts = "", []
    previous: Block | None = None
    for block in blocks:
        markdown = block_markdown(block, content, joined)
        text += (separator(previous, block) if previous else "") + markdown
        parts.append(Part(block.kind, markdown.strip(), _box_of(block, words.boxes)))
        previous = block
    parts += map(part_of, found)
    order = np.array([k for block in blocks for k in block.words], np.int64)
    return PageStructure(text, order, parts)


def _lines_of(content: PageContent) -> Iterator[list[int]]:
    """Yield the words of every line of the layout engine."""
    for _, words in groupby(range(len(content.texts)), key=content.line_numbers.__getitem__):
        yield list(words)


def _box_of(block: Block, boxes: np.ndarray) -> tuple[float, float, float, float]:
    """Return the box around a block's words, and around the lines of a table."""
    inside = boxes[block.words]
    low, high = inside[:, :2].min(axis=0).tolist(), inside[:, 2:].max(axis=0).tolist()
    if block.table is not None:
        x0, y0, x1, y1 = block.table.box
        low, high = [min(low[0], x0), min(low[1], y0)], [max(high[0], x1), max(high[1], y1)]
    return low[0], low[1], high[0], high[1]


def find_blocks(content: PageContent, outline: Outline) -> list[Block]:
    """Return the blocks of a page in reading order; every word is in exactly one."""
    free = np.ones(len(content.texts), bool)
    horizontal, vertical = merge_collinear(content.horizontal), merge_collinear(content.vertical)
    tables = _ruled_tables(content, horizontal, vertical, free)
    pieces = pieces_of(content, np.flatnonzero(free).tolist())
    body = body_of(pieces)
    head, foot = find_marginals(content, pieces, body)
    for piece in (*head, *foot):
        free[piece.words] = False
    for table in tagged_tables(content, free):
        free[table.words] = False
        tables.append(table)
    pieces = free_pieces(content, pieces, free)
    rules = without_rules(horizontal, content, head, foot, body)
    for lines in groups_of_lines(rules):
        for table in tables_between(content, pieces, lines, rules):
            free[table.words] = False
            tables.append(table)
            pieces = free_pieces(content, pieces, free)
    text, notes = split_margins(pieces, content.width)
    items = in_order(content, text, tables)
    text_lines = [item for item in items if isinstance(item, Line)]
    for line, is_entry in zip(text_lines, contents_lines(text_lines), strict=True):
        line.is_entry = is_entry
    items = with_tables(content, items)
    blocks = _with_notes(_text_blocks(content, items, body, outline), _note_blocks(content, notes))
    return [*_edge_blocks(content, head, HEADER), *blocks, *_edge_blocks(content, foot, FOOTER)]


def _mark_tasks(blocks: Sequence[Block], shown: Mapping[int, str]) -> None:
    """Turn text behind a box of a form into an item of a task list."""
    for block in blocks:
        words = block.words
        num_boxes = sum(shown.get(k, "").startswith((CHECKED, UNCHECKED)) for k in words)
        if num_boxes == 1 and block.kind in (PARAGRAPH, LIST_ITEM) and words[0] in shown:
            block.kind, block.marker, block.cut = LIST_ITEM, "-", 0


def _ruled_tables(content: PageContent, horizontal: np.ndarray, vertical: np.ndarray, free: np.ndarray) -> list[Table]:
    tables = []
    for frame in frames(horizontal, vertical):
        table = ruled_table(content, frame, free)
        if table is not None:
            free[table.words] = False
            tables.append(table)
    return tables


def _text_blocks(content: PageContent, items: Sequence[Line | Table], body: Body, outline: Outline) -> list[Block]:
    bullets = small_drawings(content)
    marks = marks_of(content)
    blocks: list[Block] = []
    lines: list[Line] = []
    for item in (*items, None):
        if isinstance(item, Line):
            lines.append(item)
            continue
        blocks += to_blocks(lines, body, content.width, bullets, marks)
        lines = []
        if item is not None:
            blocks.append(Block(TABLE, table=item))
    if marks is not None:
        apply_marks(blocks, marks)
    mark_captions(blocks)
    mark_headings(blocks, body, outline)
    mark_footnotes(blocks, content, body)
    mark_formulas(blocks)
    blocks = join_formulas(join_headings(blocks))
    set_levels(blocks)
    return blocks


def _note_blocks(content: PageContent, notes: Sequence[Piece]) -> list[Block]:
    """Return one block for each group of lines in the margin."""
    blocks: list[Block] = []
    for piece in sorted(notes, key=lambda piece: (piece.x0 > content.width / 2, piece.y0)):
        last = blocks[-1].lines[-1].all if blocks else None
        if (
            last is not None
            and 0 < piece.y0 - last.y0 < MAX_NOTE_PITCH * piece.size
            and abs(piece.size - last.size) < 0.5
        ):
            blocks[-1].lines.append(make_line(content, [piece]))
        else:
            blocks.append(Block(PARAGRAPH, [make_line(content, [piece])]))
    return blocks


def _with_notes(blocks: Sequence[Block], notes: Sequence[Block]) -> list[Block]:
    """Insert notes in the margin before the first block that begins at their height or below."""
    result = list(blocks)
    for note in notes:
        top = note.box[1]
        size = note.lines[0].size
        place = next((k for k, block in enumerate(result) if block.box[1] > top - size), len(result))
        result.insert(place, note)
    return result


def _edge_blocks(content: PageContent, pieces: Sequence[Piece], kind: str) -> list[Block]:
    lines = in_order(content, pieces, ())
    return [Block(kind, [line for line in lines if isinstance(line, Line)])] if lines else []
