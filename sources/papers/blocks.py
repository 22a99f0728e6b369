"""The content of a paper: blocks of text, with marks for styles, and objects such as formulas in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

STRONG, STRONG_END, EMPHASIS, EMPHASIS_END, CODE, CODE_END = (chr(0xE000 + k) for k in range(6))
OBJECT, OBJECT_END = "\ue010", "\ue011"
CELL, ROW, RULE = "\ue020", "\ue021", "\ue022"
LINE_BREAK = "\ue023"
OPENING = {STRONG: STRONG_END, EMPHASIS: EMPHASIS_END, CODE: CODE_END}

Kind = Literal[
    "heading", "paragraph", "item", "formula", "table", "caption", "note", "code", "title", "front", "reference",
    "picture",
]  # fmt: skip
Stream = Literal["main", "notes", "figures", "tables", "front"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula.

    Args:
        tex: TeX without `$`, macros expanded.
        num_numbers: equation numbers that are printed next to it.
    """

    tex: str
    is_display: bool = False
    num_numbers: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """Text that only the page has: numbers, labels, citations as they are printed.

    Args:
        kind: `label` before a text, `reference`, `citation`, or `note`, the mark of a footnote.
    """

    kind: Literal["label", "reference", "citation", "note"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture; its words are no part of the markup.

    Args:
        name: file of the paper; empty if TeX draws it.
    """

    name: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The number of columns and rows that a table's cell fills, at the cell's beginning."""

    columns: int = 1
    rows: int = 1


Object = Formula | Hole | Picture | Span


@dataclass(slots=True)
class Block:
    """A block.

    Args:
        text: its text with marks; an object is its number between `OBJECT` and `OBJECT_END`.
        level: level of a heading, from 1, or depth of a list item, from 0.
        stream: blocks of one stream are on the pages in this order.
        group: blocks of one float have the same number, counted from 1.
    """

    kind: Kind
    text: str
    level: int = 0
    stream: Stream = "main"
    group: int = 0


@dataclass(slots=True)
class Content:
    """A paper.

    Args:
        objects: formulas and so on by their number.
        missing: files that it names and does not have.
        read: names of the files that were read.
    """

    blocks: list[Block] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    missing: Sequence[str] = ()
    read: Sequence[str] = ()


def object_mark(number: int) -> str:
    """Return the mark of an object."""
    return f"{OBJECT}{number}{OBJECT_END}"
