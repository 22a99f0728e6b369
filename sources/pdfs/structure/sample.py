"""A page's structure in the form of a sample: words and elements in pixels, and Markdown."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymupdf

from sources.base.sample import Element, Words
from sources.pdfs.structure.forms import Field, key_values
from sources.pdfs.structure.headings import Outline, levels_of
from sources.pdfs.structure.page import Part, page_structure, part_of
from sources.text.page_text import in_reading_order
from sources.text.scripts import has_right_to_left
from sources.text.words import LayoutWords, boxes_in_pixels

UPRIGHT = 0.9  # cosine of the angle of a line to the horizontal
MAX_TITLES = 50_000  # of an outline; a broken one may be a loop
STRUCTURE_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_COLLECT_STRUCTURE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is in its image.

    Args:
        zoom: pixels per point.
        origin: top left corner of the image, in pixels of the page.
        size: width and height of the image, in pixels.
    """

    zoom: float
    origin: tuple[int, int]
    size: tuple[int, int]

    def in_pixels(self, boxes: np.ndarray) -> np.ndarray:
        """Return (N, 4) boxes in points as float32 pixels inside the image."""
        pixels = boxes_in_pixels(boxes, self.zoom, self.origin)
        np.clip(pixels, 0, [*self.size, *self.size], out=pixels)
        return pixels


def outline_of(document: pymupdf.Document) -> dict[int, dict[str, int]]:
    """Return the levels of a document's outline by page (from 0) and title; empty if it is missing or broken."""
    try:
        return levels_of(_titles(pymupdf.Document._loadOutline(document)))
    except (RuntimeError, ValueError, TypeError, pymupdf.mupdf.FzErrorBase):
        return {}


def _titles(first: pymupdf.Outline | None) -> Iterator[tuple[int, str, int]]:
    """Yield level (from 1), title and page (from 0) of an outline in order, at most MAX_TITLES."""
    left: list[tuple[int, pymupdf.Outline | None]] = [(1, first)]
    for _ in range(MAX_TITLES):
        if not left:
            return
        level, item = left.pop()
        if item is None or item.this.m_internal is None:
            continue
        yield level, item.title or "", item.page
        left += [(level, item.next), (level + 1, item.down)]


def drawn_structure(page: pymupdf.Page, drawn: pymupdf.DisplayList) -> Mapping[str, Any]:
    """Return PyMuPDF's `dict` of a page with its fonts, vectors and structure tree."""
    textpage = pymupdf.TextPage(drawn.get_textpage(STRUCTURE_FLAGS))
    textpage.parent = page
    found: Mapping[str, Any] = textpage.extractDICT()
    return found


def markdown_of(
    found: LayoutWords,
    page: Mapping[str, Any],
    images: Sequence[Sequence[float]],
    outline: Outline,
    place: Place,
    fields: Sequence[Field] = (),
) -> tuple[Words, str, Sequence[Element]]:
    """Return the words in reading order, the Markdown and the elements of a page.

    Args:
        found: the words that are seen, in points and stream order.
        page: of `drawn_structure`.
        images: boxes of the page's images, in points.
        outline: levels of the page's titles.
        fields: the page's form fields.
    """
    if not is_structured(page, found):
        plain = in_reading_order(found)
        return words_in_order(found, plain.order, place), plain.text, field_elements(found, fields, place)
    structure = page_structure(found, page, images, outline, fields)
    return words_in_order(found, structure.order, place), structure.text, _elements(structure.parts, place)


def is_structured(page: Mapping[str, Any], found: LayoutWords) -> bool:
    """Return True if the parts of a page can be found: its text is upright and runs from left to right."""
    return _is_upright(page) and not _is_right_to_left(found)


def _is_upright(page: Mapping[str, Any]) -> bool:
    """Return True if at least half of the characters of a page are written from left to right."""
    num_upright = num_turned = 0
    stack = list(page["blocks"])
    while stack:
        block = stack.pop()
        stack += block.get("blocks", ())
        for line in block.get("lines", ()):
            num = sum(len(span["text"]) for span in line["spans"])
            if line["dir"][0] > UPRIGHT and line["wmode"] == 0:
                num_upright += num
            else:
                num_turned += num
    return num_upright >= num_turned


def _is_right_to_left(found: LayoutWords) -> bool:
    """Return True if a third of the words have right-to-left letters."""
    if not has_right_to_left("".join(found.texts)):
        return False
    return 3 * sum(unicodedata.bidirectional(max(text)) in ("R", "AL") for text in found.texts) > len(found.texts)


def words_in_order(found: LayoutWords, order: np.ndarray, place: Place) -> Words:
    """Return the words of a page in an order, with boxes in pixels."""
    texts = [found.texts[k] for k in np.asarray(order).tolist()]
    return Words(texts=texts, boxes=place.in_pixels(found.boxes)[order], images=np.zeros(len(texts), np.int32))


def field_elements(found: LayoutWords, fields: Sequence[Field], place: Place) -> list[Element]:
    """Return the form fields of a page as elements with key and value."""
    if not fields:
        return []
    return _elements([part_of(field) for field in key_values(found, fields)[0]], place)


def _elements(parts: Sequence[Part], place: Place) -> list[Element]:
    corners = place.in_pixels(np.array([part.box for part in parts]).reshape(-1, 4)).tolist()
    return [
        Element(part.kind, part.text, (x0, y0, x1, y1)) for part, (x0, y0, x1, y1) in zip(parts, corners, strict=True)
    ]
