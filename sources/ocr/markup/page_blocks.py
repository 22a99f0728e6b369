"""The tree of a template or of a Markdown document as the blocks of a page, with its keys and values."""

import random as random_module
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sources.ocr.arrays import Pixels
from sources.ocr.blocks import Block, Inset, code, figure, heading, table, table_block
from sources.ocr.figures import draw_figure
from sources.ocr.inline import BREAK, Paragraph, Piece, Span
from sources.ocr.markup.elements import BLOCKS, CONTAINERS, HEADINGS, IGNORED, Element, Text
from sources.ocr.records import Record, Value
from sources.ocr.spanning_table import Cell, SpanningTable
from sources.ocr.style import Style
from sources.text.languages import UNSPACED

FIGURE = (0.6, 0.35)  # width and height of a picture without a size, in widths of the type area
MAX_FIGURE = 0.6  # height of a picture in widths of the type area
LEAST_PICTURE = 20  # pixels
RULE = (150, 150, 150)
BULLETS = ("•", "–", "▪")
LABELS, ENTRIES = 34, 66  # widths of the columns of keys and values in percent
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class PageBlocks:
    """Builds the blocks of a page.

    Args:
        style: of the page; its body has all characters.
        width: of the type area, in pixels.
    """

    style: Style
    width: float
    random: random_module.Random
    blocks: list[Block] = field(default_factory=list)
    labelled: dict[str, Value] = field(default_factory=dict)
    unlabelled: dict[str, Value] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    are_lines: bool = True  # keys and values as lines, not as a table

    def __post_init__(self) -> None:
        self.are_lines = self.random.random() < 0.5

    def add(self, element: Element) -> None:
        """Append the blocks of an element and of all in it."""
        tag = element.tag
        if tag in IGNORED:
            return
        if tag in HEADINGS:
            self._add_heading(element)
        elif tag in ("ol", "ul"):
            self._add_list(element, 1)
        elif tag == "table":
            self._add_table(element)
        elif tag == "dl":
            self._add_pairs(element)
        elif tag == "pre":
            self._add_code(element)
        elif tag == "hr":
            self._add_picture(_rule(round(self.width)), "---")
        elif tag == "blockquote":
            self._add_mixed(element, Paragraph(pieces=(), css_class="quote", prefix="> ", indent="> "))
        else:
            self._add_mixed(element, Paragraph(pieces=(), css_class="p", css=_aligned(element)))

    def record(self) -> Record | None:
        """Return the keys and values of the page, and its other texts; None if it has no keys."""
        if not self.labelled:
            return None
        texts = [text for text in self.others if text]
        others = {"text": texts} if texts else {}
        return Record(labelled=self.labelled, unlabelled={"title": "", **self.unlabelled, **others})

    def _add_mixed(self, element: Element, form: Paragraph) -> None:
        """Append what is in an element: each run of text and inline elements is a paragraph of a form."""
        run: list[Element | Text] = []
        for child in [*element.children, None]:
            if child is not None and not (isinstance(child, Element) and child.tag in BLOCKS | CONTAINERS | IGNORED):
                run.append(child)
                continue
            self._add_paragraph(run, form)
            run = []
            if child is None:
                continue
            if child.tag == "p" and form.prefix:
                self._add_mixed(child, form)
            else:
                self.add(child)

    def _add_paragraph(self, run: Sequence[Element | Text], form: Paragraph) -> None:
        pieces = self._pieces(run)
        if not pieces:
            return
        if len(pieces) == 1 and isinstance(pieces[0], Inset):
            self.blocks += figure(pieces[0])
        else:
            self._append(replace(form, pieces=pieces))

    def _append(self, paragraph: Paragraph) -> None:
        self.blocks.append(paragraph.block())
        self.others.append(replace(paragraph, mark="").block().plain())

    def _add_heading(self, element: Element) -> None:
        text = _flat(element)
        if not text:
            return
        level = int(element.tag[1])
        block = heading(text, level, f"h{min(level, 3)}")
        if css := _aligned(element):
            block = replace(block, html=block.html.replace("<p ", f'<p style="{css}" ', 1))
        if level == 1 and "title" not in self.unlabelled:
            self.unlabelled["title"] = text
        else:
            self.others.append(text)
        self.blocks.append(block)

    def _add_list(self, element: Element, depth: int, before: str = "") -> None:
        """Append the items of a list; `before` is the space before its marks in Markdown."""
        bullet = BULLETS[min(depth, len(BULLETS)) - 1]
        start = element.attributes.get("start", "1")
        number = int(start) if start.isdecimal() else 1
        for item in (child for child in element.children if isinstance(child, Element)):
            mark = f"{number}." if element.tag == "ol" else bullet
            sign = mark if element.tag == "ol" else "-"
            number += 1
            inner = [child for child in item.children if not (isinstance(child, Element) and child.tag in BLOCKS)]
            nested = [child for child in item.children if isinstance(child, Element) and child.tag in BLOCKS]
            if not self._pieces(inner) and nested and nested[0].tag == "p":
                inner = nested.pop(0).children
            if pieces := self._pieces(inner):
                item_form = Paragraph(
                    pieces=pieces,
                    css_class=f"li{min(depth, 3)}",
                    mark=mark,
                    prefix=f"{before}{sign} ",
                    indent=before + " " * (len(sign) + 1),
                    is_tight=bool(self.blocks) and self.blocks[-1].html.startswith('<p class="li'),
                )
                self._append(item_form)
            for child in nested:
                if child.tag in ("ol", "ul"):
                    self._add_list(child, depth + 1, before + " " * (len(sign) + 1))
                else:
                    self.add(child)

    def _add_table(self, element: Element) -> None:
        rows = list(_rows(element))
        if not rows:
            return
        num_heads = 0
        while num_heads < len(rows) - 1 and all(cell.tag == "th" for cell in rows[num_heads]):
            num_heads += 1
        cells = [[Cell(_flat(cell), *_spans(cell)) for cell in row] for row in rows]
        if any((cell.columns, cell.rows) != (1, 1) for row in cells for cell in row):
            self.blocks.append(table_block(SpanningTable(cells, num_heads=max(1, num_heads))))
            return
        texts = [[cell.text for cell in row] for row in cells]
        right = [k for k, cell in enumerate(rows[-1]) if cell.attributes.get("align") == "right"]
        css_class = "grid" if num_heads else "fields"
        self.blocks.append(table(texts[0], texts[1:], css_class=css_class, right=right, is_divisible=True))
        if num_heads and len(set(texts[0])) == len(texts[0]):
            name = "items" if "items" not in self.unlabelled else f"items_{len(self.unlabelled)}"
            self.unlabelled[name] = [dict(zip(texts[0], row, strict=True)) for row in texts[1:]]

    def _add_pairs(self, element: Element) -> None:
        pairs = [(_flat(key), _flat(value)) for key, value in _pairs(element)]
        for key, value in pairs:
            if key in self.labelled:
                known = self.labelled[key]
                self.labelled[key] = [known, value] if isinstance(known, str) else [*known, value]
            else:
                self.labelled[key] = value
        if not self.are_lines:
            first, *others = [list(pair) for pair in pairs]
            self.blocks.append(table(first, others, css_class="fields", widths=(LABELS, ENTRIES), is_divisible=True))
            return
        colon = "：" if self.style.language in UNSPACED else ":"
        for key, value in pairs:
            end = "" if key[-1:] in "?？:：.。" else colon
            pieces = (Span(f"{key}{end}", is_bold=self._has_bold()), Span(f" {value or '_' * 24}"))
            self.blocks.append(Paragraph(pieces=pieces, css_class="flat").block())

    def _add_code(self, element: Element) -> None:
        inner = next((child for child in element.children if isinstance(child, Element)), element)
        language = inner.attributes.get("class", "").removeprefix("language-").split(" ")[0]
        text = "".join(piece.text for piece in element.texts()).strip("\n").expandtabs(4)
        if text.strip():
            self.blocks.append(code(text.split("\n"), language, is_divisible=True))

    def _add_picture(self, pixels: Pixels, markdown: str) -> None:
        self.blocks += figure(Inset(pixels=pixels, markdown=markdown))

    def _has_bold(self) -> bool:
        return self.style.body.bold != self.style.body.regular

    def _pieces(self, children: Sequence[Element | Text]) -> list[Piece]:
        """Return the inline content of some nodes, with single spaces."""
        found: list[Piece] = []
        for piece in self._raw_pieces(children, Span("")):
            if isinstance(piece, Inset) or piece.text == BREAK:
                found.append(piece)
                continue
            text = _SPACES.sub(" ", piece.text)
            last = found[-1] if found else None
            if last is None or (isinstance(last, Span) and last.text[-1:] in (" ", BREAK)):
                text = text.removeprefix(" ")
            if text:
                found.append(replace(piece, text=text))
        while found and isinstance(found[-1], Span) and not found[-1].text.strip():
            found.pop()
        if found and isinstance(last := found[-1], Span):
            found[-1] = replace(last, text=last.text.rstrip())
        return found

    def _raw_pieces(self, children: Sequence[Element | Text], face: Span) -> Iterator[Piece]:
        for child in children:
            if isinstance(child, Text):
                yield replace(face, text=child.text)
            elif child.tag == "br":
                yield Span(BREAK)
            elif child.tag == "img":
                yield self._picture(child)
            else:
                yield from self._raw_pieces(child.children, self._face(child.tag, face))

    def _face(self, tag: str, face: Span) -> Span:
        """Return how the text of an inline element is set; a family without a face for it leaves it plain."""
        if tag in ("b", "strong"):
            return replace(face, is_bold=self._has_bold())
        if tag in ("em", "i"):
            return replace(face, is_italic=self.style.body.italic is not None and not face.is_code)
        if tag == "code":
            return replace(face, is_code=True, is_italic=False)
        return face

    def _picture(self, element: Element) -> Inset:
        """Return a drawn picture of the size of an image, which is never opened."""
        width, height = (_length(element.attributes.get(name, ""), self.width) for name in ("width", "height"))
        if width is None and height is None:
            width, height = FIGURE[0] * self.width, FIGURE[1] * self.width
        width = width or (height or 0) * FIGURE[0] / FIGURE[1]
        height = height or width * FIGURE[1] / FIGURE[0]
        scale = min(1, self.width / width, MAX_FIGURE * self.width / height)
        size = max(LEAST_PICTURE, round(width * scale)), max(LEAST_PICTURE, round(height * scale))
        return draw_figure(*size, self.style.accent, self.random)


def _aligned(element: Element) -> str:
    side = element.attributes.get("align", "")
    return f"text-align:{side};text-indent:0" if side else ""


def _flat(element: Element) -> str:
    """Return the text of an element in one line; a line break is a space."""
    return _SPACES.sub(" ", "".join(_texts(element))).strip()


def _texts(element: Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, Text):
            yield child.text
        elif child.tag == "br":
            yield " "
        else:
            yield from _texts(child)


def _rule(width: int) -> Pixels:
    """Return (3, width, 4) uint8: a line across the page."""
    pixels = np.zeros((3, width, 4), np.uint8)
    pixels[1] = (*RULE, 255)
    return pixels


def cells_of(element: Element) -> list[list[tuple[Element, tuple[int, int]]]]:
    """Return the cells of each row of a table, each with the columns and rows that it takes."""
    return [[(cell, _spans(cell)) for cell in row] for row in _rows(element)]


def _rows(element: Element) -> Iterator[list[Element]]:
    """Yield the cells of each row of a table."""
    for child in element.children:
        if isinstance(child, Element) and child.tag == "tr":
            cells = [cell for cell in child.children if isinstance(cell, Element)]
            if cells:
                yield cells
        elif isinstance(child, Element):
            yield from _rows(child)


def _spans(cell: Element) -> tuple[int, int]:
    """Return the columns and rows that a cell takes."""
    columns, rows = (cell.attributes.get(name, "1") for name in ("colspan", "rowspan"))
    return int(columns), int(rows)


def _pairs(element: Element) -> Iterator[tuple[Element, Element]]:
    children = [child for child in element.children if isinstance(child, Element)]
    yield from zip(children[::2], children[1::2], strict=False)


def _length(text: str, whole: float) -> float | None:
    """Return pixels of a length such as `120` or `40%`; None if there is none."""
    number = text.strip().removesuffix("px")
    if number.endswith("%"):
        number = number[:-1]
        return float(number) / 100 * whole if number.isdecimal() and int(number) else None
    return float(number) if number.isdecimal() and int(number) else None
