"""A page before it is laid out, and after."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sources.ocr.blocks import Block, joined_markdown, joined_text
from sources.ocr.rendered_text import RenderedText
from sources.text.fonts import Font

_LATIN = re.compile(r"^[^\u2e80-\u9fff]+$")
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the page


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """Blocks that fill boxes one after the other.

    Args:
        boxes: columns, in order.
        css_class: of the element around the blocks.
        must_fit: nothing may be left over; otherwise the page ends where the last box does.
        gap: if set, the boxes begin so far below the last line of the flow before, in pixels.
    """

    blocks: Sequence[Block]
    boxes: Sequence[Box]
    css_class: str = "body"
    must_fit: bool = False
    gap: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """A filled rectangle under the text: a rule, a band, a panel."""

    box: Box
    colour: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of flows in reading order.

    Args:
        css: looks of the classes that the blocks use.
        fonts: the faces that the style sheet names.
        is_shaped: its letters change with their neighbours (Arabic, Devanagari).
        is_right_to_left: its lines begin on the right.
        bottom: if set, the page is cut this far below its last line (a receipt, whose length is that of its text).
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


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLayout:
    """A page as it was drawn.

    Args:
        drawn: pixels and words in reading order, boxes tight around their ink.
        lines: (N,) int the line that each word stands in, counted through the page; cells are lines of their own.
        blocks: what is on the page, the last one of a flow cut where the page ends.
    """

    drawn: RenderedText
    lines: np.ndarray
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def text(self) -> str:
        """All that is written, a paragraph or row a line."""
        return joined_text(self.blocks)

    @property
    def markdown(self) -> str:
        return joined_markdown(self.blocks)

    def by_language(self) -> dict[str, str]:
        """The Chinese and the English paragraphs of a page in both."""
        parts: dict[str, list[str]] = {"en": [], "zh": []}
        for block in self.blocks:
            parts["en" if _LATIN.search(block.text) else "zh"].append(block.plain())
        return {language: "\n".join(said) for language, said in parts.items()}


def paper_of(page: Page) -> np.ndarray:
    """(height, width, 3) uint8: the page before anything is written on it."""
    row = np.tile(np.array(page.paper, np.uint8), page.width)  # a row at a time: four times as fast as by pixel
    canvas = np.tile(row, (page.height, 1)).reshape(page.height, page.width, 3)
    for area in page.areas:
        x0, y0, x1, y1 = (round(edge) for edge in area.box)
        canvas[max(0, y0) : y1, max(0, x0) : x1] = area.colour
    return canvas


def upright_quads(boxes: np.ndarray) -> np.ndarray:
    """(N, 4, 2) float32 corners of (N, 4) boxes, in the order of `RenderedText.quads`."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).astype(np.float32)
