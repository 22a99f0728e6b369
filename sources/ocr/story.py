"""Pages laid out by MuPDF's Story: from HTML and CSS to pixels and exact boxes, without a PDF in between."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pymupdf
from pymupdf import mupdf

from sources.base.illegible import Illegible
from sources.ocr.alignment import Alignment, AlignmentError, Characters, CutBlockError, align, count_inked
from sources.ocr.arrays import Bools, Floats, Ints, Pixels
from sources.ocr.blocks import INSET, SOFT_HYPHEN, Block, Inset
from sources.ocr.page import Flow, Page, PageLayout, boxes_to_quads, draw_paper
from sources.ocr.rendered_text import RenderedText
from sources.ocr.shaped import trace_characters
from sources.ocr.typefaces import NO_INK, GlyphBox, Glyphs, check_drawn, load_archive, load_glyphs
from sources.text.thai import mark_breaks

KEEP_IMAGES = mupdf.FZ_STEXT_PRESERVE_IMAGES | mupdf.FZ_STEXT_PRESERVE_WHITESPACE
EDGE_PX = 0.1  # a pixel that a glyph covers by less than this remains white
NEXT_BOX = '<div style="page-break-before:always">'
IMAGE_BLOCK = 1  # block type in PyMuPDF's `rawdict`


def lay_out(page: Page) -> PageLayout:
    """Lay out and render a page.

    Raises:
        Illegible: a flow that must fit does not (`overflow`), a character is drawn in another font (`missing_glyph`) or
            the rendered text differs from the given text (`mismatch`).
    """
    faces = {load_glyphs(font).name: load_glyphs(font) for font in page.fonts}
    archive = load_archive(page.fonts)
    pixmap = mupdf.fz_new_pixmap(
        mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB), page.width, page.height, mupdf.FzSeparations(), 0
    )
    canvas = np.frombuffer(mupdf.fz_pixmap_samples_memoryview(pixmap), np.uint8)
    canvas = canvas.reshape(page.height, page.width, 3)
    canvas[:] = draw_paper(page)
    device = mupdf.fz_new_draw_device(mupdf.FzMatrix(), pixmap)
    alignments: list[Alignment] = []
    for flow in page.flows:
        if flow.gap is not None:
            top = float(alignments[-1].boxes[:, 3].max()) + flow.gap
            flow = replace(flow, boxes=[(x0, top, x1, y1) for x0, _, x1, y1 in flow.boxes])
        alignment, picture = _set_flow(flow, page, archive, faces)
        mupdf.fz_run_display_list(
            picture, device, mupdf.FzMatrix(), mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE), mupdf.FzCookie()
        )
        alignments.append(alignment)
    mupdf.fz_close_device(device)
    return assemble_page(page, canvas.copy(), alignments)


def _set_flow(
    flow: Flow, page: Page, archive: pymupdf.Archive, faces: Mapping[str, Glyphs]
) -> tuple[Alignment, mupdf.FzDisplayList]:
    """Lay out a flow; return its words and the display list that draws it.

    A block that would be cut and is not divisible is left out, and so are headings and captions before it.
    """
    blocks = list(flow.blocks)
    firsts: set[int] = set()  # indices of blocks that must begin a box
    while blocks:
        picture, is_whole = _place_blocks(flow, blocks, firsts, page, archive)
        if flow.must_fit and not is_whole:
            raise Illegible("overflow", f"{len(blocks)} blocks do not fit into {flow.boxes}")
        characters = _read_characters(picture, page, faces)
        first = _find_misplaced_block(characters, blocks, flow)
        if first is not None and first not in firsts:
            firsts.add(first)
            continue
        try:
            is_ordered = not (page.is_shaped or page.is_right_to_left)
            found = align(characters, blocks, is_ordered)
            return replace(found, rest=(*found.rest, *flow.blocks[len(blocks) :])), picture
        except CutBlockError as cut:
            blocks = blocks[: cut.num_blocks]
        except AlignmentError as error:
            raise Illegible("mismatch", str(error)) from error
    raise Illegible("overflow", f"not a block fits into {flow.boxes}")


def _find_misplaced_block(characters: Characters, blocks: Sequence[Block], flow: Flow) -> int | None:
    """Return the index of the first block that Story misplaced; None if there is none.

    If a picture does not fit into the rest of a box, Story shrinks it and sets the following blocks below the box or
    nowhere.
    """
    top, bottom = flow.boxes[0][1], flow.boxes[0][3]
    is_misplaced = (characters.baselines < top) | (characters.baselines > bottom + 1)
    places = [k for k, sign in enumerate(characters.text) if sign == INSET]
    for place, inset in zip(places, _insets(blocks), strict=False):
        is_misplaced[place] |= characters.sizes[place] < len(inset.pixels) - inset.drop - 1
    if not is_misplaced.any():
        return None
    num_before = count_inked(characters.text[: int(is_misplaced.argmax())].replace(SOFT_HYPHEN, ""))
    ends = np.cumsum([count_inked(block.text) for block in blocks])
    return int(np.searchsorted(ends, num_before, side="right"))


def _place_blocks(
    flow: Flow, blocks: Sequence[Block], firsts: Collection[int], page: Page, archive: pymupdf.Archive
) -> tuple[mupdf.FzDisplayList, bool]:
    """Return the display list that draws the blocks into the boxes of the flow, and True if all of them fit."""
    elements = [f"{NEXT_BOX}{block.html}</div>" if k in firsts else block.html for k, block in enumerate(blocks)]
    if page.is_shaped:
        elements = [mark_breaks(element) for element in elements]
    direction = "rtl" if page.is_right_to_left else "ltr"
    html = f'<div class="{flow.css_class}" dir="{direction}">' + "".join(elements) + "</div>"
    story = pymupdf.Story(html, page.css, archive=archive)
    picture = mupdf.FzDisplayList(mupdf.FzRect(0, 0, page.width, page.height))
    device = mupdf.fz_new_list_device(picture)
    more = 1
    for box in flow.boxes:
        more, _ = story.place(pymupdf.Rect(*box))
        mupdf.fz_draw_story(story.this, device, mupdf.FzMatrix())
        if not more:
            break
    mupdf.fz_close_device(device)
    return picture, not more


def _read_characters(picture: mupdf.FzDisplayList, page: Page, faces: Mapping[str, Glyphs]) -> Characters:
    """Return the characters that a display list draws. Raises Illegible for a character in an unknown font."""
    rect = mupdf.FzRect(0, 0, page.width, page.height)
    if page.is_shaped:
        return trace_characters(picture, rect, frozenset(faces))
    text_page = mupdf.FzStextPage(rect)
    device = mupdf.fz_new_stext_device(text_page, mupdf.FzStextOptions(KEEP_IMAGES))
    mupdf.fz_run_display_list(picture, device, mupdf.FzMatrix(), rect, mupdf.FzCookie())
    mupdf.fz_close_device(device)
    text: list[str] = []
    origins: list[tuple[float, float]] = []
    sizes: list[float] = []
    inks: list[GlyphBox] = []
    for block in pymupdf.TextPage(text_page).extractRAWDICT()["blocks"]:
        if block["type"] == IMAGE_BLOCK:
            text.append(INSET)
            x0, y0, x1, y1 = block["bbox"]
            origins.append((x0, y1))
            sizes.append(y1 - y0)
            inks.append((0.0, -1.0, (x1 - x0) / (y1 - y0), 0.0))
            continue
        for span in (span for line in block["lines"] for span in line["spans"]):
            signs = [character["c"] for character in span["chars"]]
            face = faces.get(span["font"])
            boxes = [NO_INK] * len(signs) if face is None else [face[sign] for sign in signs]
            for sign, box in zip(signs, boxes, strict=True):
                if box is NO_INK:
                    check_drawn(sign)
            text += signs
            origins += [character["origin"] for character in span["chars"]]
            sizes += [span["size"]] * len(signs)
            inks += boxes
    return place_characters("".join(text), origins, sizes, inks)


def place_characters(
    text: str, origins: Sequence[tuple[float, float]], sizes: Sequence[float], inks: Sequence[GlyphBox]
) -> Characters:
    """Return characters from their origins on the baseline, their font sizes and their ink at size 1."""
    at, size = np.array(origins, np.float64).reshape(-1, 2), np.array(sizes, np.float64)
    boxes = at[:, [0, 1, 0, 1]] + np.array(inks, np.float64).reshape(-1, 4) * size[:, None]
    return Characters(text=text, boxes=boxes, baselines=at[:, 1], sizes=size)


def assemble_page(page: Page, canvas: Pixels, alignments: Sequence[Alignment]) -> PageLayout:
    """Draw the insets on the canvas and return the page with the words of all flows in order."""
    texts: list[str] = []
    boxes: list[Floats] = [np.zeros((0, 4))]
    lines: list[Ints] = [np.zeros(0, int)]
    glued: list[Bools] = [np.zeros(0, bool)]
    blocks: list[Block] = []
    next_line = 0
    for alignment in alignments:
        line_numbers = alignment.lines + next_line
        flow_texts, flow_boxes = list(alignment.texts), [alignment.boxes]
        next_line = int(line_numbers.max(initial=next_line - 1)) + 1
        for inset, place in zip(_insets(alignment.blocks), alignment.inset_boxes, strict=True):
            x, y = round(float(place[0])), round(float(place[1]))
            draw_inset(canvas, inset, x, y)
            flow_texts += inset.words
            flow_boxes.append(inset.boxes + np.array([x, y, x, y]))
            line_numbers = np.append(line_numbers, np.full(len(inset.words), next_line))
            next_line += 1
        glued.append(np.append(alignment.is_glued, np.zeros(len(flow_texts) - len(alignment.is_glued), bool)))
        texts += flow_texts
        boxes += flow_boxes
        lines.append(line_numbers)
        blocks += alignment.blocks
    # Boxes extend to whole pixels, as the ink of an antialiased glyph does.
    all_boxes = np.concatenate(boxes)
    all_boxes = np.concatenate([np.floor(all_boxes[:, :2] + EDGE_PX), np.ceil(all_boxes[:, 2:] - EDGE_PX)], axis=1)
    if page.bottom is not None:
        canvas = canvas[: min(page.height, round(float(all_boxes[:, 3].max(initial=0)) + page.bottom))]
    return PageLayout(
        rendered=RenderedText(pixels=np.ascontiguousarray(canvas), texts=texts, quads=boxes_to_quads(all_boxes)),
        lines=np.concatenate(lines),
        is_glued=np.concatenate(glued),
        blocks=blocks,
        rest=[block for alignment in alignments for block in alignment.rest],
    )


def _insets(blocks: Sequence[Block]) -> Iterator[Inset]:
    for block in blocks:
        yield from block.insets


def draw_inset(canvas: Pixels, inset: Inset, x: int, y: int) -> None:
    """Blend an inset onto the page with its top left corner at (x, y)."""
    height, width = inset.pixels.shape[:2]
    x, y = max(0, x), max(0, y)
    place = canvas[y : y + height, x : x + width]
    source = inset.pixels[: place.shape[0], : place.shape[1]].astype(np.uint16)
    alpha = source[..., 3:]
    place[:] = (source[..., :3] * alpha + place * (255 - alpha) + 127) // 255
