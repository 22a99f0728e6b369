"""Blocks of a book as blocks that the layout engine of the OCR source draws: each knows its exact text."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from sources.base.illegible import Illegible
from sources.books.blocks import CODE_END, CODE_START, FORMULA_END, FORMULA_START, NOTE_END, NOTE_START, Block, Figure
from sources.books.pictures import NoFigure, Picture
from sources.ocr import blocks as drawn
from sources.ocr.arrays import Pixels
from sources.ocr.blocks import INSET, Inset
from sources.ocr.escapes import escape_html, escape_markdown
from sources.ocr.formula import draw_formula
from sources.ocr.style import Style

_MARKED = re.compile(
    f"{FORMULA_START}(?P<formula>[^{FORMULA_END}]*){FORMULA_END}|{CODE_START}(?P<code>[^{CODE_END}]*){CODE_END}"
    f"|{NOTE_START}(?P<note>[^{NOTE_END}]*){NOTE_END}|(?P<break>\n)"
)
_CELL = re.compile(r"(?<!\\)\|")
_FENCE = re.compile(r"```(\w*)\n(.*)\n```", re.DOTALL)
MAX_FIGURE_HEIGHT = 0.4  # of the page
SMALLEST_FORMULA = 0.6  # of the size of the text, for a formula that is wider than its column


@dataclass(frozen=True, slots=True)
class _Rich:
    """Text with formulas and code inside it, in the three forms of `sources.ocr.blocks.Block`."""

    html: str
    text: str
    markdown: str
    insets: tuple[Inset, ...]


@dataclass(slots=True)
class Drawable:
    """Converts the blocks of one page.

    Args:
        style: of the page.
        width: of a column, in pixels.
        load: returns a figure's pixels or raises NoFigure.
        notes: texts of footnotes by key.
        used: the notes that the page refers to, in order; they are numbered from 1.
    """

    style: Style
    width: float
    load: Callable[[Figure], Picture]
    notes: Mapping[str, str]
    used: list[str] = field(default_factory=list)

    def convert(self, blocks: Sequence[Block]) -> list[drawn.Block]:
        """Return the blocks of a page, with its footnotes below.

        Raises:
            Illegible: a formula cannot be drawn.
        """
        found = [part for block in blocks for part in self._block(block)]
        for number, key in enumerate(self.used, start=1):  # notes may have marks of further notes
            text = _MARKED.sub(lambda match: match["formula"] or match["code"] or " ", self.notes[key])
            found.append(drawn.paragraph(f"[{number}] {' '.join(text.split())}", "small", is_divisible=False))
        return found

    def _block(self, block: Block) -> Iterator[drawn.Block]:
        if block.figure is not None:
            yield from self._figure(block.figure)
        elif block.kind == "table":
            yield self._table(block.text)
        elif block.kind == "code":
            yield self._code(block.text)
        elif block.kind == "formula":
            yield self._formula(block.text.strip("$\n"))
        elif block.kind == "heading":
            level = max(1, min(block.level, 3))
            yield _element(self._rich(block.text), f"h{level}", "#" * max(1, block.level) + " ")
        elif block.first.strip():
            yield self._item(block)
        else:
            css_class = {"caption": "caption", "term": "tight"}.get(block.kind, "flat" if block.goes_on else "p")
            yield _element(self._rich(block.text), css_class)

    def _item(self, block: Block) -> drawn.Block:
        rich = self._rich(block.text)
        mark = block.first.strip()
        if mark.endswith(">"):
            return _element(rich, "quote", "> ")
        if mark == ":":
            return _element(rich, "li")
        sign = mark if mark[:1].isdigit() else "•"
        item = _Rich(f"{sign}&nbsp; {rich.html}", f"{sign} {rich.text}", rich.markdown, rich.insets)
        return replace(_element(item, "li", f"{sign if sign != '•' else '-'} "), is_tight=block.kind == "item")

    def _code(self, text: str) -> drawn.Block:
        found = _FENCE.fullmatch(text)
        language, content = (found[1], found[2]) if found else ("", text)
        return drawn.code(content.split("\n"), language)

    def _formula(self, tex: str) -> drawn.Block:
        inset = self._drawn(tex, self.style.size * 1.1, display=True)
        return drawn.Block(
            html=f'<p class="figure">{inset.html}</p>', text=INSET, markdown=inset.markdown, insets=(inset,)
        )

    def _drawn(self, tex: str, size: float, *, display: bool) -> Inset:
        tex = " ".join(tex.split())

        def draw(size: float) -> Inset:
            try:
                return draw_formula(tex, size, self.style.ink, self.style.math, display=display)
            except (ValueError, IndexError, RuntimeError) as error:  # mathtext knows a part of TeX
                raise Illegible("formula", f"a formula cannot be drawn: {tex[:60]}") from error

        inset = draw(size)
        room = (self.width - 2) / inset.pixels.shape[1]
        if room >= 1:
            return inset
        if room < SMALLEST_FORMULA:
            raise Illegible("formula", f"a formula is wider than its column: {tex[:60]}")
        return draw(size * room * 0.98)

    def _figure(self, figure: Figure) -> Iterator[drawn.Block]:
        if figure.drop:
            return
        try:
            pixels = self.load(figure).pixels
        except NoFigure:
            return
        yield from drawn.figure(Inset(pixels=_fitted(pixels, self.width * 0.9, self.style.height * MAX_FIGURE_HEIGHT)))

    def _table(self, markdown: str) -> drawn.Block:
        lines = markdown.split("\n")
        rows = [[self._rich(_cell(cell)) for cell in _CELL.split(line)[1:-1]] for line in (lines[0], *lines[2:])]
        body = "".join(
            f"<tr>{''.join(f'<{tag}>{cell.html}</{tag}>' for cell in row)}</tr>"
            for tag, row in zip(("th", *("td",) * len(rows)), rows, strict=False)
        )
        shown = [f"| {' | '.join(cell.markdown for cell in row)} |" for row in rows]
        return drawn.Block(
            html=f'<table class="grid">{body}</table>',
            text="\n".join("\t".join(cell.text for cell in row) for row in rows),
            markdown="\n".join([shown[0], f"|{' --- |' * len(rows[0])}", *shown[1:]]),
            insets=tuple(inset for row in rows for cell in row for inset in cell.insets),
        )

    def _rich(self, text: str) -> _Rich:
        html = plain = markdown = ""
        insets: list[Inset] = []
        end = 0

        def add(piece: str) -> None:
            nonlocal html, plain, markdown
            html, plain, markdown = html + escape_html(piece), plain + piece, markdown + escape_markdown(piece)

        for match in _MARKED.finditer(text):
            add(text[end : match.start()])
            end = match.end()
            if match["formula"]:
                inset = self._drawn(match["formula"], self.style.size, display=False)
                insets.append(inset)
                html, plain, markdown = html + inset.html, plain + INSET, markdown + inset.markdown
            elif match["code"]:
                code = match["code"]
                html += f'<span style="font-family:mono">{escape_html(code)}</span>'
                plain, markdown = plain + code, markdown + f"`{code}`"
            elif match["note"] in self.notes:
                if match["note"] not in self.used:
                    self.used.append(match["note"])
                add(f"[{self.used.index(match['note']) + 1}]")
            elif match["break"]:
                html, plain, markdown = html + "<br/>", plain + "\n", markdown + "\n"
        add(text[end:])
        return _Rich(html, plain, markdown, tuple(insets))


def _element(rich: _Rich, css_class: str, prefix: str = "") -> drawn.Block:
    return drawn.Block(
        html=f'<p class="{css_class}">{rich.html}</p>',
        text=rich.text,
        markdown=prefix + rich.markdown,
        insets=rich.insets,
    )


def _cell(cell: str) -> str:
    return cell.strip().replace("<br>", " ").replace("\\|", "|")


def _fitted(pixels: np.ndarray, width: float, height: float) -> Pixels:
    """Return a picture as (H, W, 4) RGBA, made smaller to fit."""
    scale = min(1.0, width / pixels.shape[1], height / pixels.shape[0])
    size = max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale))
    image = Image.fromarray(pixels).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return np.dstack([np.asarray(image), np.full((size[1], size[0]), 255, np.uint8)])
