"""The second engine: PDFium, for pages that the first one cannot draw, or draws wrong."""

import ctypes
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c

from sources.base.source import ItemError
from sources.pdfs.coverage import is_on_image
from sources.pdfs.page import DrawnPage, Paint, Resolution, inside
from sources.text.words import LayoutWords, choose, compose

MAX_IMAGE_PIXELS = 100_000_000  # PDFium decodes an image whole, and ends the process if there is no memory
SUBPIXELS = 16  # PDFium gives places on the page in whole units: sixteenths of a pixel
NEW_BLOCK = 0.8  # in heights of a line: a wider space above a line begins a paragraph
Box = tuple[float, float, float, float]


def draw(document: pypdfium2.PdfDocument, number: int, resolution: Resolution) -> DrawnPage:
    """Draw a page, annotations and form fields included.

    Args:
        number: the page, counted from 0.
    Raises:
        ItemError: the page shows an image that is too large to decode.
        PdfiumError, ValueError: PDFium cannot draw the page.
    """
    with open_page(document, number) as page:
        zoom = resolution.zoom(*page.get_size())
        images = [_to_pixels(page, zoom, each.get_bounds()) for each in images_of(page)]
        pixels = render(page, zoom)
        words, boxes = inside(_words(page, zoom), zoom, (0, 0), pixels.shape)
    image_boxes = np.array(images, np.float64).reshape(-1, 4)
    paint: Paint = "doubtful" if is_on_image(boxes, image_boxes, pixels.shape).any() else "plain"
    return DrawnPage(
        engine="pdfium",
        pixels=pixels,
        words=words,
        boxes=boxes,
        zoom=zoom,
        origin=(0, 0),
        image_boxes=image_boxes,
        paint=paint,
    )


@contextmanager
def open_page(document: pypdfium2.PdfDocument, number: int) -> Iterator[pypdfium2.PdfPage]:
    """Open a page for as long as it is drawn, with annotations and form fields made part of it.

    Args:
        number: the page, counted from 0.
    """
    page = document[number]
    try:
        if pdfium_c.FPDFPage_GetAnnotCount(page):
            page.flatten()
            page.close()
            page = document[number]
        yield page
    finally:
        page.close()


def render(page: pypdfium2.PdfPage, zoom: float) -> np.ndarray:
    """Return the page as (height, width, 3) uint8 RGB on white.

    Args:
        zoom: pixels per point.
    """
    bitmap = page.render(scale=zoom, rev_byteorder=True, force_bitmap_format=pdfium_c.FPDFBitmap_BGR)
    try:
        return np.ascontiguousarray(bitmap.to_numpy())  # a copy without the padding of rows, which outlives the bitmap
    finally:
        bitmap.close()


def images_of(page: pypdfium2.PdfPage) -> Iterator[pypdfium2.PdfObject]:
    """Yield the images painted by the page itself. Raises ItemError if one is too large to decode."""
    for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=1):
        width, height = image.get_px_size()
        if width * height > MAX_IMAGE_PIXELS:
            raise ItemError("image_too_large", f"the page shows an image of {width} × {height} pixels")
        yield image


def _words(page: pypdfium2.PdfPage, zoom: float) -> LayoutWords:
    """Return the words with boxes in points; PDFium adds spaces between words and ends of lines."""
    textpage = page.get_textpage()
    try:
        found: list[tuple[str, Box, tuple[float, float], int, int]] = []
        block = line = 0
        line_box: Box | None = None
        for text, box, direction in _pieces(page, textpage, zoom):
            if line_box is not None and text == "\n":
                line += 1
            elif text != "\n":
                is_new_line = not found or found[-1][4] != line
                if is_new_line and line_box is not None and _is_apart(line_box, box):
                    block += 1
                line_box = box
                found.append((text, box, direction, block, line))
        if not found:
            return LayoutWords()
        texts, boxes, directions, blocks, lines = zip(*found, strict=True)
        in_points = np.array(boxes) / zoom
        words = LayoutWords(
            compose(texts),
            in_points,
            np.array(blocks),
            np.array(lines),
            directions=np.array(directions),
            frames=_frames(in_points, np.array(directions)),
        )
        return choose(words, np.array([bool(text) for text in words.texts]))
    finally:
        textpage.close()


def _pieces(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, zoom: float
) -> Iterator[tuple[str, Box, tuple[float, float]]]:
    """Yield every word with its box in pixels and its direction, and a newline after every line."""
    word, hull, direction = "", (0.0, 0.0, 0.0, 0.0), (1.0, 0.0)
    for k in range(textpage.count_chars()):
        letter = chr(pdfium_c.FPDFText_GetUnicode(textpage, k))
        if letter.isspace() or letter == "\0":
            if word:
                yield word, hull, direction
                word = ""
            if letter == "\n":
                yield "\n", hull, direction
            continue
        box = _to_pixels(page, zoom, textpage.get_charbox(k, loose=True))
        if not word:
            direction = _direction(page, textpage, k)
        hull = _hull(hull, box) if word else box
        word += letter
    if word:
        yield word, hull, direction


def _direction(page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, character: int) -> tuple[float, float]:
    """Return the unit vector along the baseline in the picture, whose y points down; the page's rotation is applied."""
    angle = max(0.0, pdfium_c.FPDFText_GetCharAngle(textpage, character)) + math.radians(page.get_rotation())
    # Rounded, so that text along an edge of the page is exactly so.
    return (round(math.cos(angle), 4) + 0.0, round(math.sin(angle), 4) + 0.0)


def _frames(boxes: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return (N, 4) least and greatest coordinates of boxes along and across their directions."""
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]]
    along = (corners * directions[:, None]).sum(axis=2)
    across = (corners * np.stack([-directions[:, 1], directions[:, 0]], axis=1)[:, None]).sum(axis=2)
    return np.stack([along.min(axis=1), across.min(axis=1), along.max(axis=1), across.max(axis=1)], axis=1)


def _to_pixels(page: pypdfium2.PdfPage, zoom: float, bounds: Box) -> Box:
    """Return a box on the page (left, bottom, right, top; in points) as x0, y0, x1, y1 in pixels, rotation applied."""
    width, height = (round(side * zoom * SUBPIXELS) for side in page.get_size())
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, up in (bounds[:2], bounds[2:]):
        pdfium_c.FPDF_PageToDevice(page, 0, 0, width, height, 0, across, up, x, y)
        corners.append((x.value / SUBPIXELS, y.value / SUBPIXELS))
    (x0, y0), (x1, y1) = corners
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _hull(a: Box, b: Box) -> Box:
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def _is_apart(before: Box, after: Box) -> bool:
    """Return True if a line begins a new block: there is more space above it than between lines."""
    height = before[3] - before[1]
    return not -height < after[1] - before[3] < NEW_BLOCK * height
