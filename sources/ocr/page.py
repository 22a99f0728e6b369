"""A page before and after layout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sources.ocr.arrays import Bools, Floats, Ints, Pixels
from sources.ocr.blocks import Block, join_markdown, join_text
from sources.ocr.records import Record
from sources.ocr.rendered_text import RenderedText
from sources.text.fonts import Font

_LATIN = re.compile(r"^[^\u2e80-\u9fff]+$")
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the page


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """Blocks that fill one or more boxes in order.

    Args:
        boxes: columns, in reading order.
        css_class: CSS class of the element around the blocks.
        must_fit: all blocks must fit; otherwise the text ends with the last box.
        gap: distance in pixels between the last line of the flow before and the top of the boxes; None keeps their top.
    """

    blocks: Sequence[Block]
    boxes: Sequence[Box]
    css_class: str = "body"
    must_fit: bool = False
    gap: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A filled rectangle below the text: a rule, a band, a panel."""

    box: Box
    colour: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of flows in reading order.

    Args:
        css: style sheet with the classes that the blocks use.
        fonts: font faces that the style sheet names.
        is_shaped: letters depend on their neighbours (Arabic, Devanagari).
        is_right_to_left: lines begin on the right.
        bottom: if set, the page is cut this many pixels below its last line (a receipt, whose length varies).
        record: what the page says as keys and values, if it is a form.
        flags: what is special about the page, for the flags of its sample.
    """

    width: int
    height: int
    css: str
    fonts: Sequence[Font]
    flows: Sequence[Flow]
    paper: tuple[int, int, int] = (255, 255, 255)
    areas: Sequence[Area] = ()
    is_shaped: bool = False
    is_right_to_left: bool = False
    bottom: int | None = None
    record: Record | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLayout:
    """A page after layout.

    Args:
        rendered: pixels and words in reading order, with boxes tight around their ink.
        lines: (N,) int, line number of each word; table cells count as lines.
        is_glued: (N,) bool, True if no space stands before the word; None if its script tells.
        blocks: the visible blocks; the last one of a flow is cut where the page ends.
        rest: the blocks for which the page has no room, the first of them the rest of one that is cut.
    """

    rendered: RenderedText
    lines: Ints
    blocks: Sequence[Block] = field(default_factory=tuple)
    is_glued: Bools | None = None
    rest: Sequence[Block] = ()

    @property
    def text(self) -> str:
        """The whole text, one line per paragraph or table row."""
        return join_text(self.blocks)

    @property
    def markdown(self) -> str:
        return join_markdown(self.blocks)

    def by_language(self) -> dict[str, str]:
        """Return the Chinese and the English paragraphs of a bilingual page by language."""
        parts: dict[str, list[str]] = {"en": [], "zh": []}
        for block in self.blocks:
            parts["en" if _LATIN.search(block.text) else "zh"].append(block.plain())
        return {language: "\n".join(texts) for language, texts in parts.items()}


def draw_paper(page: Page) -> Pixels:
    """Return (height, width, 3) uint8: the page without text."""
    row = np.tile(np.array(page.paper, np.uint8), page.width)  # row by row: four times as fast as pixel by pixel
    canvas = np.tile(row, (page.height, 1)).reshape(page.height, page.width, 3)
    for area in page.areas:
        x0, y0, x1, y1 = (round(edge) for edge in area.box)
        canvas[max(0, y0) : y1, max(0, x0) : x1] = area.colour
    return canvas


def boxes_to_quads(boxes: Floats) -> Floats:
    """Return (N, 4, 2) float32 corners of (N, 4) boxes, in the order of `RenderedText.quads`."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).astype(np.float32)
