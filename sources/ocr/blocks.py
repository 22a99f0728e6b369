"""What a page is made of: blocks of text that know their HTML, what a reader sees, and their Markdown."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

INSET = "\ufffc"  # stands in a block's text where a picture flows with the words
INSET_FILE = "inset.png"  # a transparent pixel that the layout engine stretches over the picture's place
SOFT_HYPHEN = "\u00ad"  # in HTML only: a place where a word may be broken
_MARKDOWN_SIGNS = re.compile(r"([\\*_`|<#])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inset:
    """A picture that flows with the text: a formula, a figure, a filled-in field.

    Args:
        pixels: (H, W, 4) uint8 RGBA, drawn at its own size.
        drop: pixels that it hangs below the line it stands on (a formula's fraction).
        text: what it says to a reader of plain text; empty for a figure.
        markdown: the same in Markdown.
        words: N words in it; a formula is one word, its TeX.
        boxes: (N, 4) float x0, y0, x1, y1 of the words, from its top left corner.
    """

    pixels: np.ndarray
    drop: int = 0
    text: str = ""
    markdown: str = ""
    words: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))

    @property
    def html(self) -> str:
        """Its place in a text."""
        height, width = self.pixels.shape[:2]
        return f'<img src="{INSET_FILE}" style="width:{width}px;height:{height - self.drop}px"/>'


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, heading, table …

    Args:
        html: its element.
        text: what stands on the page, in order: rows end with a newline, cells with a tab; `INSET` marks an inset.
        markdown: the same in Markdown.
        insets: pictures, one for every mark.
        is_divisible: a page may end in the middle of it (a paragraph, whose Markdown is its text).
        is_tight: in Markdown it follows the block before on the next line (an item of a list).
    """

    html: str
    text: str
    markdown: str
    insets: tuple[Inset, ...] = ()
    is_divisible: bool = False
    is_tight: bool = False

    def __post_init__(self) -> None:
        assert self.text.count(INSET) == len(self.insets)

    def plain(self) -> str:
        """The text with what the insets say."""
        return _with_insets(self.text, [inset.text for inset in self.insets]).replace("\t", "  ").strip()


def _with_insets(text: str, says: Sequence[str]) -> str:
    pieces = text.split(INSET)
    return pieces[0] + "".join(said + piece for said, piece in zip(says, pieces[1:], strict=True))


def escaped(text: str) -> str:
    """A text as HTML."""
    return html.escape(text, quote=False)


def as_markdown(text: str) -> str:
    """A text with the signs escaped that Markdown would take for its own."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", text)


def paragraph(text: str, css_class: str = "p", *, hyphenated: str | None = None, is_divisible: bool = True) -> Block:
    """A paragraph.

    Args:
        hyphenated: the text with soft hyphens where words may be broken.
    """
    body = escaped(hyphenated or text)
    return Block(
        html=f'<p class="{css_class}">{body}</p>', text=text, markdown=as_markdown(text), is_divisible=is_divisible
    )


def rich_paragraph(pieces: Sequence[tuple[str, str] | Inset], css_class: str = "p", prefix: str = "") -> Block:
    """A paragraph of pieces: (text, `b`, `i`, `u` or empty), or an inset.

    Args:
        prefix: Markdown before it, e.g. `> `.
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
        said, tag = piece
        body += f"<{tag}>{escaped(said)}</{tag}>" if tag else escaped(said)
        text += said
        sign = {"b": "**", "i": "*"}.get(tag, "")
        bare = said.strip()
        lead, trail = said[: len(said) - len(said.lstrip())], said[len(said.rstrip()) :]
        markdown += f"{lead}{sign}{as_markdown(bare)}{sign}{trail}" if bare else said
    return Block(html=f'<p class="{css_class}">{body}</p>', text=text, markdown=markdown.rstrip(), insets=tuple(insets))


def heading(text: str, level: int, css_class: str | None = None) -> Block:
    """A heading of level 1 to 6; the class of its look is `h1` … unless named."""
    return Block(
        html=f'<p class="{css_class or f"h{level}"}">{escaped(text)}</p>',
        text=text,
        markdown="#" * level + " " + as_markdown(text),
    )


def items(texts: Sequence[str], marks: Sequence[str], css_class: str = "li") -> list[Block]:
    """A list, an item a block. Marks that end with a figure and a stop stay as they are, others become `-`."""
    blocks = []
    for k, (text, mark) in enumerate(zip(texts, marks, strict=True)):
        sign = mark if re.fullmatch(r"\d+\.", mark) else "-" if not mark.strip("•–▪◦·-") else f"- {as_markdown(mark)}"
        blocks.append(
            Block(
                html=f'<p class="{css_class}">{escaped(mark)}&nbsp; {escaped(text)}</p>',
                text=f"{mark} {text}",
                markdown=f"{sign} {as_markdown(text)}",
                is_tight=k > 0,
            )
        )
    return blocks


def code(lines: Sequence[str], language: str, css_class: str = "code") -> Block:
    """A listing."""
    text = "\n".join(lines)
    return Block(
        html=f'<pre class="{css_class}">{escaped(text)}</pre>', text=text, markdown=f"```{language}\n{text}\n```"
    )


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    css_class: str = "grid",
    widths: Sequence[int] = (),
    right: Sequence[int] = (),
) -> Block:
    """A table whose rows are all as long as the header.

    Args:
        widths: of the columns in percent; empty leaves them to the layout.
        right: columns whose cells are set to the right.
    """
    assert all(len(row) == len(header) for row in rows)

    def cells(row: Sequence[str], tag: str) -> str:
        made = ""
        for k, cell in enumerate(row):
            width = f' width="{widths[k]}%"' if widths else ""
            side = ' class="r"' if k in right else ""
            made += f"<{tag}{side}{width}>{escaped(cell)}</{tag}>"
        return f"<tr>{made}</tr>"

    body = cells(header, "th") + "".join(cells(row, "td") for row in rows)
    rules = ["---:" if k in right else "---" for k in range(len(header))]
    shown = [[as_markdown(cell) for cell in row] for row in (header, *rows)]
    lines = [shown[0], rules, *shown[1:]]
    return Block(
        html=f'<table class="{css_class}">{body}</table>',
        text="\n".join("\t".join(row) for row in (header, *rows)),
        markdown="\n".join(f"| {' | '.join(line)} |" for line in lines),
    )


def figure(inset: Inset, caption: str = "") -> list[Block]:
    """A picture in a line of its own, and its caption."""
    blocks = [Block(html=f'<p class="figure">{inset.html}</p>', text=INSET, markdown=inset.markdown, insets=(inset,))]
    if caption:
        blocks.append(
            Block(html=f'<p class="caption">{escaped(caption)}</p>', text=caption, markdown=as_markdown(caption))
        )
    return blocks


def joined_markdown(blocks: Sequence[Block]) -> str:
    """The Markdown of blocks in order."""
    text = ""
    for block in blocks:
        if block.markdown:
            text += ("" if not text else "\n" if block.is_tight else "\n\n") + block.markdown
    return text


def joined_text(blocks: Sequence[Block]) -> str:
    """The plain text of blocks in order, a paragraph or row a line."""
    return "\n".join(said for block in blocks if (said := block.plain()))
