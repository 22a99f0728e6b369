"""Blocks of text that make up a page: each knows its HTML, its visible text and its Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol

import numpy as np

from sources.ocr.arrays import Floats, Pixels
from sources.ocr.countable import countable
from sources.ocr.escapes import escape_html, escape_markdown
from sources.ocr.spanning_table import SpanningTable

INSET = "\ufffc"  # marks a picture in the text of a block
INSET_FILE = "inset.png"  # a transparent pixel that the layout engine stretches to the size of the picture
SOFT_HYPHEN = "\u00ad"  # in HTML only: where a word may be broken


@dataclass(frozen=True, kw_only=True, slots=True)
class Inset:
    """A picture that flows with the text: a formula, a figure, a filled-in field.

    Args:
        pixels: (H, W, 4) uint8 RGBA, drawn at this size.
        drop: depth below the baseline in pixels (the denominator of a fraction).
        text: plain-text equivalent; empty for a figure.
        markdown: Markdown equivalent.
        words: N words in the picture; a formula is one word, its TeX.
        boxes: (N, 4) float x0, y0, x1, y1 of the words, relative to the top left corner of the picture.
    """

    pixels: Pixels
    drop: int = 0
    text: str = ""
    markdown: str = ""
    words: Sequence[str] = ()
    boxes: Floats = field(default_factory=lambda: np.zeros((0, 4)))

    @property
    def html(self) -> str:
        """Return an `img` element of the same size, which reserves the place of the picture."""
        height, width = self.pixels.shape[:2]
        return f'<img src="{INSET_FILE}" style="width:{width}px;height:{height - self.drop}px"/>'


class Divisible(Protocol):
    """What a block is made of, if a page may end inside it."""

    def divided(self, num_inked: int) -> "tuple[Block, Block] | None":
        """Return the part with the first `num_inked` visible characters and the rest; None if it cannot end there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, heading, table, etc.

    Args:
        html: HTML element.
        text: visible text in reading order; rows end with a newline, cells with a tab; `INSET` marks an inset.
        markdown: Markdown of the block.
        insets: pictures, one per `INSET` in the text.
        is_divisible: a page may end inside the block (a paragraph, whose Markdown is its text).
        is_tight: in Markdown, no blank line separates it from the block before (a list item).
        is_verbatim: the spaces of the text count (a code listing).
        leads: it belongs to the block after it, and ends no page (a heading, the caption above a table).
        table: the table, if it has merged cells.
        content: divides the block where a page ends, if it is no plain paragraph.
    """

    html: str
    text: str
    markdown: str
    insets: tuple[Inset, ...] = ()
    is_divisible: bool = False
    is_tight: bool = False
    is_verbatim: bool = False
    leads: bool = False
    table: SpanningTable | None = None
    content: Divisible | None = None

    def __post_init__(self) -> None:
        assert self.text.count(INSET) == len(self.insets)

    def divided(self, num_inked: int) -> "tuple[Block, Block] | None":
        """Return the part with the first `num_inked` visible characters and the rest; None if it cannot end there."""
        if self.content is not None:
            return self.content.divided(num_inked)
        if not self.is_divisible:
            return None
        inked = [k for k, sign in enumerate(self.text) if not sign.isspace()]
        text, rest = self.text[: inked[num_inked - 1] + 1], self.text[inked[num_inked] :]
        return replace(self, text=text, markdown=escape_markdown(text)), paragraph(rest, "rest")

    def plain(self) -> str:
        """Return the plain text, including the text of the insets; cells of a row are separated by tabs."""
        text = self.text if self.is_verbatim else countable(self.text)
        return _fill_insets(text, [inset.text for inset in self.insets]).strip()


def _fill_insets(text: str, inset_texts: Sequence[str]) -> str:
    pieces = text.split(INSET)
    return pieces[0] + "".join(content + piece for content, piece in zip(inset_texts, pieces[1:], strict=True))


def paragraph(
    text: str, css_class: str = "p", *, hyphenated_text: str | None = None, is_divisible: bool = True
) -> Block:
    """Return a paragraph.

    Args:
        hyphenated_text: the text with soft hyphens where words may be broken.
    """
    body = escape_html(hyphenated_text or text)
    return Block(
        html=f'<p class="{css_class}">{body}</p>', text=text, markdown=escape_markdown(text), is_divisible=is_divisible
    )


def rich_paragraph(pieces: Sequence[tuple[str, str] | Inset], css_class: str = "p", prefix: str = "") -> Block:
    """Return a paragraph of pieces, each an inset or a pair (text, tag) with the tag `b`, `i`, `u` or empty.

    Args:
        prefix: Markdown prefix, e.g. `> `.
    """
    body, text, markdown = "", "", prefix
    insets = []
    for piece in pieces:
        if isinstance(piece, Inset):
            body += piece.html
            text += INSET
            markdown += piece.markdown
            insets.append(piece)
            continue
        content, tag = piece
        body += f"<{tag}>{escape_html(content)}</{tag}>" if tag else escape_html(content)
        text += content
        sign = {"b": "**", "i": "*"}.get(tag, "")
        bare = content.strip()
        lead, trail = content[: len(content) - len(content.lstrip())], content[len(content.rstrip()) :]
        markdown += f"{lead}{sign}{escape_markdown(bare)}{sign}{trail}" if bare else content
    return Block(html=f'<p class="{css_class}">{body}</p>', text=text, markdown=markdown.rstrip(), insets=tuple(insets))


def heading(text: str, level: int, css_class: str | None = None) -> Block:
    """Return a heading of level 1 to 6; its CSS class is `h1` to `h6` unless given."""
    return Block(
        html=f'<p class="{css_class or f"h{level}"}">{escape_html(text)}</p>',
        text=text,
        markdown="#" * level + " " + escape_markdown(text),
        leads=True,
    )


def list_items(texts: Sequence[str], marks: Sequence[str], css_class: str = "li") -> list[Block]:
    """Return one block per list item. In Markdown, marks such as `1.` are kept and others become `-`."""
    blocks = []
    for k, (text, mark) in enumerate(zip(texts, marks, strict=True)):
        sign = (
            mark if re.fullmatch(r"\d+\.", mark) else "-" if not mark.strip("•–▪◦·-") else f"- {escape_markdown(mark)}"
        )
        blocks.append(
            Block(
                html=f'<p class="{css_class}">{escape_html(mark)}&nbsp; {escape_html(text)}</p>',
                text=f"{mark} {text}",
                markdown=f"{sign} {escape_markdown(text)}",
                is_tight=k > 0,
            )
        )
    return blocks


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a code listing."""

    lines: Sequence[str]
    language: str
    css_class: str

    def divided(self, num_inked: int) -> tuple[Block, Block] | None:
        ends = list(accumulate(len("".join(line.split())) for line in self.lines))
        if num_inked not in ends:
            return None
        number = ends.index(num_inked) + 1
        parts = self.lines[:number], self.lines[number:]
        shown, rest = (code(part, self.language, self.css_class, is_divisible=True) for part in parts)
        return shown, rest


def code(lines: Sequence[str], language: str, css_class: str = "code", *, is_divisible: bool = False) -> Block:
    """Return a code listing."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return Block(
        html=f'<pre class="{css_class}">{escape_html(text)}</pre>',
        text=text,
        markdown=f"{fence}{language}\n{text}\n{fence}",
        is_verbatim=True,
        content=_Lines(lines, language, css_class) if is_divisible else None,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table; its header is repeated where it goes on."""

    header: Sequence[str | Inset]
    rows: Sequence[Sequence[str | Inset]]
    css_class: str
    widths: Sequence[int]
    right: Sequence[int]

    def divided(self, num_inked: int) -> tuple[Block, Block] | None:
        lengths = [sum(map(_num_inked, row)) for row in (self.header, *self.rows)]
        ends = list(accumulate(lengths))
        number = ends.index(num_inked) if num_inked in ends else 0
        if number == 0:
            return None
        parts = self.rows[:number], self.rows[number:]
        shown, rest = (
            table(self.header, part, css_class=self.css_class, widths=self.widths, right=self.right, is_divisible=True)
            for part in parts
        )
        return shown, rest


def _num_inked(cell: str | Inset) -> int:
    return 1 if isinstance(cell, Inset) else len("".join(cell.split()))


def table(
    header: Sequence[str | Inset],
    rows: Sequence[Sequence[str | Inset]],
    *,
    css_class: str = "grid",
    widths: Sequence[int] = (),
    right: Sequence[int] = (),
    is_divisible: bool = False,
) -> Block:
    """Return a table; all rows must be as long as the header.

    Args:
        widths: column widths in percent; empty leaves them to the layout engine.
        right: indices of right-aligned columns.
        is_divisible: a page may end between two rows; the header is repeated on the next one.
    """
    assert all(len(row) == len(header) for row in rows)

    def cells(row: Sequence[str | Inset], tag: str) -> str:
        markup = ""
        for k, cell in enumerate(row):
            width = f' width="{widths[k]}%"' if widths else ""
            side = ' class="r"' if k in right else ""
            content = cell.html if isinstance(cell, Inset) else escape_html(cell)
            markup += f"<{tag}{side}{width}>{content}</{tag}>"
        return f"<tr>{markup}</tr>"

    body = cells(header, "th") + "".join(cells(row, "td") for row in rows)
    rules = ["---:" if k in right else "---" for k in range(len(header))]
    shown = [
        [cell.markdown if isinstance(cell, Inset) else escape_markdown(cell) for cell in row] for row in (header, *rows)
    ]
    lines = [shown[0], rules, *shown[1:]]
    return Block(
        html=f'<table class="{css_class}">{body}</table>',
        text="\n".join(
            "\t".join(INSET if isinstance(cell, Inset) else cell for cell in row) for row in (header, *rows)
        ),
        markdown="\n".join(f"| {' | '.join(line)} |" for line in lines),
        insets=tuple(cell for row in (header, *rows) for cell in row if isinstance(cell, Inset)),
        content=_Rows(header, rows, css_class, widths, right) if is_divisible else None,
    )


def figure(inset: Inset, caption: str = "") -> list[Block]:
    """Return a block with a picture only, followed by a block with its caption if there is one."""
    blocks = [Block(html=f'<p class="figure">{inset.html}</p>', text=INSET, markdown=inset.markdown, insets=(inset,))]
    if caption:
        blocks.append(
            Block(
                html=f'<p class="caption">{escape_html(caption)}</p>', text=caption, markdown=escape_markdown(caption)
            )
        )
    return blocks


def join_markdown(blocks: Sequence[Block]) -> str:
    """Return the Markdown of the blocks in order."""
    text = ""
    for block in blocks:
        if block.markdown:
            text += ("" if not text else "\n" if block.is_tight else "\n\n") + block.markdown
    return text


def join_text(blocks: Sequence[Block]) -> str:
    """Return the plain text of the blocks in order, one line per paragraph or table row."""
    return "\n".join(content for block in blocks if (content := block.plain()))


def table_block(table: SpanningTable) -> Block:
    """Return a table with merged cells."""
    text = "\n".join("\t".join(cell.text for cell in row) for row in table.rows)
    return Block(html=table.to_page_html(), text=text, markdown=table.to_markdown(), table=table)
