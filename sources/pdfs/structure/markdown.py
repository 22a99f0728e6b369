"""Markdown of the blocks of a page."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sources.pdfs.structure.block import (
    CODE,
    CONTENTS,
    HEADING,
    LIST_ITEM,
    TABLE,
    Block,
    Line,
)
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import BREAK, Joined, Table
from sources.pdfs.structure.lists import LEADER

_SYNTAX = re.compile(r"^(#{1,6}(?=\s)|[-+*>](?=\s)|\d+(?=[.)]\s)|```|~~~)")
LIST_INDENT = "  "
MAX_CODE_COLUMN = 200  # of a character in a line of code


def block_markdown(block: Block, content: PageContent, joined: Joined) -> str:
    """Return the Markdown of one block."""
    if block.kind == TABLE and block.table is not None:
        return table_markdown(block.table, joined)
    if block.kind == CODE:
        return f"```\n{code_text(block.lines, content)}\n```"
    text = joined([[content.texts[k] for k in words] for words in block_words(block) if words])
    if block.kind == HEADING:
        return f"{'#' * max(block.level, 1)} {text}"
    if block.kind == CONTENTS:
        return f"{LIST_INDENT * block.level}- {' '.join(LEADER.sub(' ', text).split())}"
    if block.kind == LIST_ITEM:
        marker = (
            block.marker if block.marker in ("-",) or re.match(r"^\d{1,9}[.)]$", block.marker) else f"- {block.marker}"
        )
        return f"{LIST_INDENT * block.level}{marker} {text}"
    return escape_start(text)


def block_words(block: Block) -> list[list[int]]:
    """Return the words of every line of a block without the marker of a list item."""
    lines = [line.all.words for line in block.lines]
    if block.cut and lines:
        lines = [lines[0][block.cut :], *lines[1:]]
    return lines


def escape_start(text: str) -> str:
    """Escape what would make a paragraph a heading, a list item, a quotation or code."""
    return _SYNTAX.sub(lambda match: f"\\{match[0]}" if not match[0].isdigit() else f"{match[0]}\\", text)


def table_markdown(table: Table, joined: Joined) -> str:
    """Return a table with pipes; the first row is its header, and a line break in a cell is `<br>`.

    The text of a cell that spans rows or columns is in its first place; the other places are empty.
    """
    rows = [[cell.replace("|", "\\|").replace(BREAK, "<br>") for cell in row] for row in table.rows(joined)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, f"|{'---|' * table.num_columns}")
    return "\n".join(lines)


def code_text(lines: Sequence[Line], content: PageContent) -> str:
    """Return lines of code with their indentation and the spaces between words, from the width of a character."""
    words = [k for line in lines for k in line.all.words]
    lengths = np.array([len(content.texts[k]) for k in words])
    widths = content.boxes[words, 2] - content.boxes[words, 0]
    width = float(np.median(widths / lengths)) or 1.0
    left = min(line.x0 for line in lines)
    leading = _leading(lines)
    result: list[str] = []
    previous: Line | None = None
    for line in lines:
        if previous is not None:
            num_blank = round((line.all.y1 - previous.all.y1) / leading) - 1
            result += [""] * min(max(num_blank, 0), 2)
        result.append(_spaced(line, content, left, width))
        previous = line
    return "\n".join(result)


def _leading(lines: Sequence[Line]) -> float:
    pitches = [b.all.y1 - a.all.y1 for a, b in pairwise(lines)]
    return min((pitch for pitch in pitches if pitch > 0.8 * lines[0].size), default=1.2 * lines[0].size)


def _spaced(line: Line, content: PageContent, left: float, width: float) -> str:
    text = ""
    for k in line.all.words:
        column = min(round((float(content.boxes[k, 0]) - left) / width), MAX_CODE_COLUMN)
        text += " " * max(column - len(text), 1 if text else 0) + content.texts[k]
    return text


def separator(before: Block, after: Block) -> str:
    """Return what is between two blocks: a line break between items of one list, else an empty line."""
    same = before.kind == after.kind and after.kind in (LIST_ITEM, CONTENTS)
    return "\n" if same else "\n\n"
