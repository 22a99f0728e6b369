"""The first engine: MuPDF draws a page and reads its words from one display list."""

import numpy as np
import pymupdf

from sources.base.source import ItemError
from sources.pdfs.characters import characters_of
from sources.pdfs.coverage import SCAN_COVERAGE, covered_share, is_on_image
from sources.pdfs.damage import damage_of_warnings, telling_warning
from sources.pdfs.page import MAX_IMAGE_PIXELS, DrawnPage, Paint, Resolution, inside
from sources.pdfs.unknown_letters import is_unknown, with_known_letters
from sources.text.gaps import words_of
from sources.text.words import LayoutWords

# Ligatures are split, white space and text outside the page are left out; images are listed but not decoded.
TEXT_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_IMAGES


def draw(
    document: pymupdf.Document, number: int, resolution: Resolution, known: LayoutWords | None = None
) -> DrawnPage:
    """Draw a page, annotations and form fields included.

    Args:
        number: the page, counted from 0.
        known: the words of `page_words`, if they are there already.
    Raises:
        ItemError: the page shows an image that is too large to decode.
        Exception: MuPDF cannot draw the page; it raises its own and built-in types.
    """
    pymupdf.TOOLS.reset_mupdf_warnings()
    page = document[number]
    if not pymupdf.mupdf.pdf_is_dict(pymupdf.mupdf.pdf_page_from_fz_page(page.this).obj()):
        # MuPDF would render an empty page in its place.
        raise ValueError("the page tree names something that is no page")
    zoom = resolution.zoom(page.rect.width, page.rect.height)
    drawn = page.get_displaylist()
    textpage = pymupdf.TextPage(drawn.get_textpage(TEXT_FLAGS))
    textpage.parent = page
    images = textpage.extractIMGINFO()
    for image in images:
        if image["width"] * image["height"] > MAX_IMAGE_PIXELS:
            size = f"{image['width']} × {image['height']} pixels"
            raise ItemError("image_too_large", f"the page shows an image of {size}")
    pixmap = drawn.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
    pixels = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    origin = (pixmap.x, pixmap.y)
    found = _words(page, drawn, textpage) if known is None else known
    words, boxes = inside(found, zoom, origin, pixels.shape)
    warnings = pymupdf.TOOLS.mupdf_warnings()
    if "malloc" in warnings:  # MuPDF silently leaves out what it has no memory for
        raise MemoryError("some of the page needs more memory than there is")
    image_boxes = np.array([image["bbox"] for image in images], np.float64).reshape(-1, 4) * zoom - (origin * 2)
    damage = damage_of_warnings(warnings, image_boxes, pixels.shape) if warnings else 0.0
    if warnings:  # fonts and images in MuPDF's store warn once: every page is read as if it were the first
        pymupdf.TOOLS.store_shrink(100)
    return DrawnPage(
        engine="mupdf",
        pixels=pixels,
        words=words,
        boxes=boxes,
        zoom=zoom,
        origin=origin,
        image_boxes=image_boxes,
        paint=_paint(page, boxes, image_boxes, pixels.shape),
        damage=damage,
        warning=telling_warning(warnings) if damage else "",
        owner=pixmap,
        page=page,
        display_list=drawn,
    )


def page_words(document: pymupdf.Document, number: int) -> LayoutWords:
    """Return the words of a page in the order in which they are drawn, without drawing it.

    Args:
        number: the page, counted from 0.
    Raises:
        Exception: MuPDF cannot read the page; it raises its own and built-in types.
    """
    page = document[number]
    drawn = page.get_displaylist()
    textpage = pymupdf.TextPage(drawn.get_textpage(TEXT_FLAGS))
    textpage.parent = page
    return _words(page, drawn, textpage)


def _words(page: pymupdf.Page, drawn: pymupdf.DisplayList, textpage: pymupdf.TextPage) -> LayoutWords:
    characters = characters_of(drawn, textpage, TEXT_FLAGS)
    if is_unknown(characters.codes).any():
        characters = with_known_letters(characters, page, drawn, textpage, TEXT_FLAGS)
    return words_of(characters)


def _paint(page: pymupdf.Page, boxes: np.ndarray, image_boxes: np.ndarray, shape: tuple[int, ...]) -> Paint:
    """Find out how words on images are painted; pages without such words cost nothing."""
    if not is_on_image(boxes, image_boxes, shape).any():
        return "plain"
    kinds = [kind for kind, _ in page.get_bboxlog()]
    texts = [k for k, kind in enumerate(kinds) if kind.endswith("text")]
    if texts and all(kinds[k] == "ignore-text" for k in texts):
        return "invisible"
    images = [k for k, kind in enumerate(kinds) if kind in ("fill-image", "fill-imgmask", "fill-shade")]
    is_below = bool(texts and images and max(images) > min(texts))
    covered = covered_share(image_boxes, shape) >= SCAN_COVERAGE
    return "doubtful" if covered or is_below or "ignore-text" in kinds else "plain"
