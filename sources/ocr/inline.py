"""Paragraphs of spans: text with emphasis, code and pictures in it, as HTML, as text and as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sources.ocr.blocks import INSET, Block, Inset
from sources.ocr.escapes import escape_html, escape_markdown

BREAK = "\n"  # the text of a span that ends a line
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one face.

    Args:
        text: without line breaks; `BREAK` alone ends a line.
    """

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_code: bool = False

    @property
    def html(self) -> str:
        if self.text == BREAK:
            return "<br/>"
        html = escape_html(self.text)
        for tag, is_set in (("i", self.is_italic), ("b", self.is_bold)):
            html = f"<{tag}>{html}</{tag}>" if is_set else html
        return f'<span class="tt">{html}</span>' if self.is_code else html

    @property
    def markdown(self) -> str:
        if self.text == BREAK:
            return "  \n"
        bare = self.text.strip()
        if not bare:
            return self.text
        start = self.text.index(bare)
        sign = "**" * self.is_bold + "*" * self.is_italic
        return f"{self.text[:start]}{sign}{self._marked(bare)}{sign}{self.text[start + len(bare) :]}"

    def _marked(self, text: str) -> str:
        if not self.is_code:
            return escape_markdown(text)
        fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
        gap = " " if text[0] == "`" or text[-1] == "`" else ""
        return f"{fence}{gap}{text}{gap}{fence}"


Piece = Span | Inset


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """A paragraph, an item of a list or a quotation.

    Args:
        mark: what is printed before the text, e.g. `•`.
        prefix: Markdown before the text, e.g. `- `; `indent` stands before its other lines.
    """

    pieces: Sequence[Piece]
    css_class: str = "p"
    css: str = ""
    mark: str = ""
    prefix: str = ""
    indent: str = ""
    is_tight: bool = False

    def block(self) -> Block:
        """Return the block, in which a page may end."""
        style = f' style="{self.css}"' if self.css else ""
        mark = f"{escape_html(self.mark)}&nbsp; " if self.mark else ""
        markdown = "".join(piece.markdown for piece in self.pieces).strip().replace("\n", f"\n{self.indent}")
        return Block(
            html=f'<p class="{self.css_class}"{style}>{mark}{"".join(piece.html for piece in self.pieces)}</p>',
            text=(f"{self.mark} " if self.mark else "") + "".join(map(_text, self.pieces)),
            markdown=self.prefix + markdown,
            insets=tuple(piece for piece in self.pieces if isinstance(piece, Inset)),
            is_tight=self.is_tight,
            content=self,
        )

    def divided(self, num_inked: int) -> tuple[Block, Block] | None:
        left = num_inked - _num_inked(self.mark)
        if left <= 0:
            return None
        first: list[Piece] = []
        for k, piece in enumerate(self.pieces):
            length = _num_inked(_text(piece))
            if length > left and isinstance(piece, Span):
                before, after = _split(piece, left)
                rest = (after, *self.pieces[k + 1 :])
                first += [before] if left else []
            elif left <= 0:
                rest = tuple(self.pieces[k:])
            else:
                first.append(piece)
                left -= length
                continue
            goes_on = replace(self, pieces=rest, css_class="rest", mark="", prefix="", indent="", is_tight=False)
            return replace(self, pieces=first).block(), goes_on.block()
        return None


def _text(piece: Piece) -> str:
    return INSET if isinstance(piece, Inset) else piece.text


def _num_inked(text: str) -> int:
    return len("".join(text.split()))


def _split(span: Span, num_inked: int) -> tuple[Span, Span]:
    """Return the part of a span with its first visible characters, and the rest."""
    inked = [k for k, sign in enumerate(span.text) if not sign.isspace()]
    cut = inked[num_inked - 1] + 1 if num_inked else 0
    return replace(span, text=span.text[:cut]), replace(span, text=span.text[cut:].lstrip())
