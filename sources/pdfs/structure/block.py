"""Blocks: the parts of a page in reading order, and the lines of text that they are made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.grid import Table
from sources.pdfs.structure.pieces import Piece, hull, make_piece

Box = tuple[float, float, float, float]

HEADING, PARAGRAPH, LIST_ITEM, TABLE, CAPTION = "heading", "paragraph", "list_item", "table", "caption"
CODE, FORMULA, FOOTNOTE, FIGURE, FIELD = "code", "formula", "footnote", "figure", "field"
MONO = 0.85  # share of characters in a fixed-width font from which on a line is code
HEADER, FOOTER, CONTENTS = "page_header", "page_footer", "contents_entry"


@dataclass(slots=True)
class Line:
    """One line of text in reading order.

    Args:
        pieces: its pieces, left to right.
        all: the pieces as one.
        is_entry: True if it is an entry of a table of contents.
        region: number of the column of text; it grows where reading goes on at the top of another column.
    """

    pieces: list[Piece]
    all: Piece
    region: int = 0
    is_entry: bool = False

    @property
    def x0(self) -> float:
        return self.all.x0

    @property
    def x1(self) -> float:
        return self.all.x1

    @property
    def size(self) -> float:
        return self.all.size

    @property
    def text(self) -> str:
        return self.all.text

    @property
    def is_code(self) -> bool:
        """True if nearly all is in a fixed-width font; East Asian fonts often call themselves fixed."""
        return self.all.mono >= MONO and 2 * sum(map(str.isascii, self.text)) > len(self.text)


@dataclass(slots=True)
class Block:
    """One part of a page.

    Args:
        kind: one of the names above.
        lines: its lines of text; empty for a table.
        table: the table, None for other kinds.
        level: level of a heading from 1, or of a list item or an entry of the contents from 0.
        marker: marker of a list item as printed, `-` for a bullet.
        has_level: True if the structure tree tells the level of a list item.
        cut: number of words of the marker at the start of the first line.
    """

    kind: str
    lines: list[Line] = field(default_factory=list)
    table: Table | None = None
    level: int = 0
    marker: str = ""
    cut: int = 0
    has_level: bool = False

    @property
    def words(self) -> list[int]:
        """Indices of its words in reading order."""
        if self.table is not None:
            return self.table.words
        return [k for line in self.lines for k in line.all.words]

    @property
    def box(self) -> Box:
        """Box in points."""
        text = [line.all for line in self.lines]
        return self.table.box if self.table is not None else hull(text)

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(line.text for line in self.lines)

    def share(self, style: str) -> float:
        """Return the share of characters in bold, mono or math fonts."""
        total = sum(len(line.text) for line in self.lines)
        styled: float = sum(getattr(line.all, style) * len(line.text) for line in self.lines)
        return styled / max(total, 1)


def make_line(content: PageContent, pieces: Sequence[Piece]) -> Line:
    """Return the line of pieces that are side by side."""
    pieces = list(pieces)
    whole = pieces[0] if len(pieces) == 1 else make_piece(content, [k for piece in pieces for k in piece.words])
    return Line(pieces, whole)
