"""The pages of a PDF as the blocks of a book: text without running heads, tables, and figures with their captions."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import PIL.Image

from sources.base.source import InputError
from sources.books.blocks import Block, Figure, Kind
from sources.books.captions import is_printed_caption
from sources.books.pdf.regions import Box, Region, figure_regions
from sources.images.encoding import luma
from sources.pdfs.document import Document
from sources.pdfs.engines import draw
from sources.pdfs.page import DrawnPage, Resolution
from sources.pdfs.seen import keep_seen
from sources.pdfs.structure import block as names
from sources.pdfs.structure.content import page_content
from sources.pdfs.structure.headings import Outline
from sources.pdfs.structure.page import Part, page_structure
from sources.pdfs.structure.sample import drawn_structure, is_structured, outline_of
from sources.text.lines import lines_of
from sources.text.page_text import in_reading_order
from sources.text.scripts import EAST_ASIAN
from sources.text.words import LayoutWords, choose

RESOLUTION = Resolution(side_px=768, max_dpi=150)  # for finding the words that are seen
MAX_PAGES = 4000
FIGURE_NAME = "page={}&box={:.1f},{:.1f},{:.1f},{:.1f}"  # a region by its page, from 1, and its box in points
_DROPPED = (names.HEADER, names.FOOTER, names.CONTENTS, names.FIELD)
_KINDS: dict[str, Kind] = {
    names.HEADING: "heading", names.LIST_ITEM: "item", names.TABLE: "table", names.CODE: "code",
    names.FORMULA: "formula",
}  # fmt: skip
_HASHES = re.compile(r"^(#{1,6}) ")
_SENTENCE_END = (".", "!", "?", ":", "。", "！", "？", "：", "”", '"', ")")
MAX_COPIES = 2  # a picture at the same place of more pages is a logo


def blocks_of(document: Document) -> tuple[list[Block], Counter[str]]:
    """Return the blocks of all pages, and how many pages gave none, by flag.

    Raises:
        InputError: the document has too many pages, or cannot be read as a book.
    """
    if document.num_pages > MAX_PAGES:
        raise InputError("too_large", f"the PDF has {document.num_pages:,} pages, more than {MAX_PAGES:,}")
    if document.mupdf is None:
        raise InputError("damaged", "the PDF can be drawn, but its parts cannot be found")
    outlines = outline_of(document.mupdf)
    blocks: list[Block] = []
    notes: list[Block] = []
    found: Counter[str] = Counter()
    for number in range(document.num_pages):
        try:
            page = _page_blocks(document, number, outlines.get(number, {}))
        except MemoryError:
            raise
        except Exception:  # the engines raise many types, also built-in ones
            found["unreadable_pages"] += 1
            continue
        found["pages_without_text"] += not page
        _append(blocks, notes, page)
    blocks += notes
    _drop_repeated(blocks)
    return blocks, found


def _page_blocks(document: Document, number: int, outline: Outline) -> list[Block]:
    page = draw(document, number, RESOLUTION)
    grey = luma(PIL.Image.fromarray(page.pixels))
    words = keep_seen(page, grey, document, number, RESOLUTION).words
    if page.page is None or page.display_list is None:
        return _paragraphs(words)
    structure = drawn_structure(page.page, page.display_list)
    images = ((page.image_boxes + page.origin * 2) / page.zoom).tolist()
    if not is_structured(structure, words):
        return _paragraphs(words)
    regions, captions = _regions(words, structure, images, page)
    outside = choose(words, ~_inside(words.boxes, regions)) if regions else words
    parts = page_structure(outside, structure, images, outline).parts if len(outside.texts) else []
    return list(_with_figures(parts, regions, captions, number))


def _regions(
    words: LayoutWords, structure: Mapping[str, Any], images: Sequence[Sequence[float]], page: DrawnPage
) -> tuple[list[Region], dict[int, Box]]:
    """Return the figures of a page, and the boxes of the first lines of their captions."""
    lines = lines_of(words)
    texts = [" ".join(words.texts[k] for k in line.tolist()) for line in lines.words]
    boxes: list[Box] = [tuple(box) for box in lines.boxes.tolist()]
    starts = [k for k, text in enumerate(texts) if is_printed_caption(text)]
    content = page_content(words, structure, images)
    regions = figure_regions(content, list(zip(texts, boxes, strict=True)), starts)
    return regions, {k: boxes[k] for k in starts}


def _inside(boxes: np.ndarray, regions: Sequence[Region]) -> np.ndarray:
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.zeros(len(boxes), np.bool_)
    for region in regions:
        inside |= (middle >= region.box[:2]).all(axis=1) & (middle <= region.box[2:]).all(axis=1)
    return inside


def _with_figures(
    parts: Sequence[Part], regions: Sequence[Region], captions: dict[int, Box], number: int
) -> Iterator[Block]:
    """Yield the blocks of a page, each figure before its caption, or where the text goes on below it."""
    by_part: dict[int, list[Region]] = {}
    bare: dict[int, list[Region]] = {}
    for region in regions:
        place = None if region.caption is None else _part_at(parts, captions[region.caption])
        if place is not None:
            by_part.setdefault(place, []).append(region)
        else:
            bare.setdefault(_place_of(parts, region.box), []).append(region)
    for place, part in enumerate(parts):
        for region in bare.get(place, ()):
            yield _figure(region.box, number, "")
        for region in by_part.get(place, ()):
            yield _figure(region.box, number, part.text)
        if place in by_part:
            yield Block("caption", part.text, joined=True)
        elif part.kind not in _DROPPED:
            yield _block(part)
    for region in bare.get(len(parts), ()):
        yield _figure(region.box, number, "")


def _part_at(parts: Sequence[Part], box: Box) -> int | None:
    """Return the part whose text begins with a line."""
    for place, part in enumerate(parts):
        is_at = abs(part.box[1] - box[1]) < 4 and part.box[0] - 4 <= box[0] <= part.box[2]
        if is_at and is_printed_caption(part.text.lstrip("*_# ")):
            return place
    return None


def _place_of(parts: Sequence[Part], box: Box) -> int:
    """Return the part before which a figure without a caption is read: the first one below it in its column."""
    for place, part in enumerate(parts):
        shares_column = min(part.box[2], box[2]) - max(part.box[0], box[0]) > 0
        if shares_column and part.box[1] >= (box[1] + box[3]) / 2 and part.kind != names.HEADER:
            return place
    return len(parts)


def _figure(box: Box, number: int, caption: str) -> Block:
    size = (round(3 * (box[2] - box[0])), round(3 * (box[3] - box[1])))  # 216 pixels per inch
    return Block("figure", figure=Figure(name=FIGURE_NAME.format(number + 1, *box), caption=caption, size=size))


def _block(part: Part) -> Block:
    if part.kind == names.HEADING:
        hashes = _HASHES.match(part.text)
        level = len(hashes[1]) if hashes else 3
        return Block("heading", part.text[level + 1 :] if hashes else part.text, level=level)
    if part.kind == names.FOOTNOTE:
        return Block("text", part.text, note="footnote")
    return Block(_KINDS.get(part.kind, "text"), part.text)


def _paragraphs(words: LayoutWords) -> list[Block]:
    """Return the blocks of a page whose parts cannot be found, such as vertical text."""
    return [Block("text", text) for text in in_reading_order(words).text.split("\n\n") if text.strip()]


def _append(blocks: list[Block], notes: list[Block], page: Sequence[Block]) -> None:
    """Add a page to a book. A paragraph that goes on in another column or on another page is joined, and footnotes wait
    for the end of their section.
    """
    for block in page:
        if block.note:
            block.note = ""
            notes.append(block)
            continue
        if block.kind == "heading":
            blocks += notes
            notes.clear()
        if block.kind == "text":
            before = next((each for each in reversed(blocks) if each.figure is None and each.kind != "caption"), None)
            if before is not None and before.kind in ("text", "item") and _goes_on(before.text, block.text):
                before.text = _joined(before.text, block.text)
                continue
        blocks.append(block)


def _goes_on(before: str, after: str) -> bool:
    """Return True if a paragraph is of the one before it."""
    if not before or not after or before.endswith(_SENTENCE_END):
        return False
    return after[0].islower() or bool(EAST_ASIAN.match(before[-1]) and EAST_ASIAN.match(after[0]))


def _joined(before: str, after: str) -> str:
    if EAST_ASIAN.match(before[-1]):
        return before + after
    return before[:-1] + after if before.endswith(("-", "‐")) and after[0].islower() else f"{before} {after}"


def _drop_repeated(blocks: Sequence[Block]) -> None:
    """Mark the pictures at the same place of several pages."""
    places = Counter(block.figure.name.partition("&")[2] for block in blocks if block.figure is not None)
    for block in blocks:
        figure = block.figure
        if figure is not None and not figure.caption and places[figure.name.partition("&")[2]] > MAX_COPIES:
            figure.drop = figure.drop or "repeated"
