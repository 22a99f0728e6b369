"""Blocks: what a book consists of, in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

# Around formulas and code inside a text, for a reader that is asked to mark them apart from `$` and backticks.
FORMULA_START, FORMULA_END, CODE_START, CODE_END = "\x05", "\x06", "\x07", "\x08"
NOTE_START, NOTE_END = "\x02", "\x03"  # around the key of a footnote in a text; no XML text can have them

Kind = Literal["heading", "text", "item", "term", "table", "code", "formula", "caption", "figure"]


@dataclass(slots=True)
class Figure:
    """A picture of a book.

    Args:
        name: path of its file, empty for an SVG inside the document or a `data:` URI.
        data: the content, if it is inside the document.
        base: the document, against which the links of a drawing are resolved.
        alt: what the document says that it shows.
        drop: why it is no figure for certain (`cover`, `decoration`), else empty.
        caption: its caption as plain text; empty without one.
        size: width and height in pixels, where they are known without its content.
    """

    name: str = ""
    data: bytes = b""
    base: str = ""
    alt: str = ""
    drop: str = ""
    caption: str = ""
    size: tuple[int, int] | None = None


@dataclass(slots=True)
class Block:
    """A paragraph, heading, list item, table, …, or a figure.

    Args:
        text: Markdown without the markers of lists and quotations; empty for figures.
        level: 1 to 6 for headings.
        first, rest: what is written before its first line and before the others: markers and indentation.
        group: the innermost container of figures that it is in, None outside.
        anchors: where links can lead to, as document#id.
        note: the key of the footnote that it is part of; empty in running text.
        opens: it is the first block of a document.
        goes_on: it is of the same paragraph as the text before the figure before it.
        joined: it must not be divided from the block before it, as a caption from its figure.
    """

    kind: Kind
    text: str = ""
    level: int = 0
    first: str = ""
    rest: str = ""
    figure: Figure | None = None
    group: "Group | None" = None
    anchors: Sequence[str] = ()
    note: str = ""
    opens: bool = False
    goes_on: bool = False
    joined: bool = False


@dataclass(eq=False, slots=True)
class Group:
    """A container of figures and their captions, such as the `figure` element."""

    parent: "Group | None" = None
    captions: list[Block] = field(default_factory=list)
