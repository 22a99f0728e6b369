"""Two engines: MuPDF draws every page, and PDFium those that MuPDF fails on, leaves empty or draws in part."""

import numpy as np

from sources.base.source import ItemError
from sources.images.ink import INK_CONTRAST, ink
from sources.pdfs import mupdf_page, pdfium_page
from sources.pdfs.document import Document
from sources.pdfs.page import DrawnPage, Engine, Resolution
from sources.pdfs.painted import painted_words
from sources.text.words import LayoutWords

BLANK_INK = 0.0005  # the same share from which on the filter `min_ink` keeps a page
FEW_DARK = 0.002  # share of dark values from which on a page is not blank for sure
BLACK_LEVEL, MOSTLY_BLACK = 40, 0.6  # in grey levels; share of the page
MAX_PACKED_BYTES = 200_000  # of content streams, which Flate packs a thousand times at most
MUCH_DAMAGE = 0.1  # share of the page that is lost
ALL_LOST = 1.0
DRAWN_IN_FULL = 0.1  # remains of the damage if PDFium draws clearly more, because it does not say what it leaves out
MORE_INK = 1.5  # PDFium's letters alone are up to a fifth darker
MORE_WORDS = 1.1


def draw(
    document: Document,
    number: int,
    resolution: Resolution,
    *,
    only: Engine | None = None,
    known: LayoutWords | None = None,
) -> DrawnPage:
    """Draw a page with the engine that does it best.

    Args:
        number: the page, counted from 0.
        only: the engine to use, because the other one hangs or crashes on the page.
        known: words of the page as the first engine reads them (`mupdf_page.page_words`); None: they are read.
    Raises:
        ItemError: no engine draws the page, or its content is lost.
    """
    if only == "pdfium" or document.mupdf is None:
        return _second(document, number, resolution)
    try:
        page = mupdf_page.draw(document.mupdf, number, resolution, known)
    except ItemError:
        raise
    except Exception as error:  # the library raises many types, also built-in ones
        if only is None and not is_out_of_memory(error):
            other = _drawn_by_second(document, number, resolution)
            if other is not None:
                return other
        raise page_error(error) from error
    other = None
    if only is None and (page.damage >= MUCH_DAMAGE or _is_black(page) or _is_blank(page)):
        other = _drawn_by_second(document, number, resolution) if _is_small(page) else None
    return _better(page, other)


def painted_by_text(document: Document, number: int, resolution: Resolution, boxes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the boxes that text paints in; all of them if the second engine cannot tell.

    Args:
        boxes: (N, 4) boxes in pixels.
    """
    try:
        return painted_words(document.pdfium(), number, resolution, boxes)
    except Exception:  # the second engine cannot draw every page that the first one draws
        return np.ones(len(boxes), np.bool_)


def _second(document: Document, number: int, resolution: Resolution) -> DrawnPage:
    try:
        return pdfium_page.draw(document.pdfium(), number, resolution)
    except ItemError:
        raise
    except Exception as error:
        raise page_error(error) from error


def _drawn_by_second(document: Document, number: int, resolution: Resolution) -> DrawnPage | None:
    """Return the page as the second engine draws it; None if it cannot, or shows nothing."""
    try:
        page = _second(document, number, resolution)
    except ItemError:
        return None
    return None if _is_blank(page) else page


def _is_small(page: DrawnPage) -> bool:
    """Return True if the page has content, and that is small also when it is unpacked: PDFium ends on a bomb."""
    assert page.page is not None
    document = page.page.parent
    streams = [xref for xref in page.page.get_contents() if 0 < xref < document.xref_length()]
    lengths = [document.xref_get_key(xref, "Length") for xref in streams]
    return 0 < sum(int(value) for kind, value in lengths if kind == "int") < MAX_PACKED_BYTES


def _better(page: DrawnPage, other: DrawnPage | None) -> DrawnPage:
    """Return the page as the second engine draws it if that shows clearly more, else as the first one drew it."""
    is_legible = page.damage < ALL_LOST or _is_blank(page)  # else the content itself is broken, for every engine
    if is_legible and other is not None and _shows_more(other, page):
        other.damage = min(page.damage, DRAWN_IN_FULL)
        return other
    if page.damage >= ALL_LOST:
        raise ItemError("damaged_page", f"the page's content is lost: {page.warning}")
    return page


def _shows_more(other: DrawnPage, page: DrawnPage) -> bool:
    if _is_black(page):
        return not _is_black(other) and not _is_blank(other)
    ink_of_other = ink(other.pixels[..., 1])
    if ink_of_other < BLANK_INK:
        return False
    more_ink = ink_of_other > max(BLANK_INK, MORE_INK * ink(page.pixels[..., 1]))
    return more_ink or len(other.words.texts) > MORE_WORDS * len(page.words.texts)


def _is_blank(page: DrawnPage) -> bool:
    """Return True if the page has next to no ink, or is all of one colour; a few rows tell most other pages."""
    rows = page.pixels[::16]
    num_dark = np.count_nonzero(rows < max(0, int(rows.max()) - INK_CONTRAST))
    return bool(num_dark < FEW_DARK * rows.size) and ink(page.pixels[..., 1]) < BLANK_INK


def _is_black(page: DrawnPage) -> bool:
    """Return True if most of the page is black: a dark page, or an image that was not decoded."""
    rows = page.pixels[::32]
    return bool(np.count_nonzero(rows < BLACK_LEVEL) > MOSTLY_BLACK * rows.size)


def is_out_of_memory(error: Exception) -> bool:
    """Return True if an engine had not enough memory."""
    return isinstance(error, MemoryError) or "malloc" in str(error) or "calloc" in str(error)


def page_error(error: Exception) -> ItemError:
    """Return the error of a page that an engine cannot draw."""
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    cause = "out_of_memory" if is_out_of_memory(error) else "unreadable_page"
    return ItemError(cause, f"the page cannot be drawn: {message}")
