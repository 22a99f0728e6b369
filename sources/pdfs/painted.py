"""Words that are painted: without them, the page looks different there.

Over a picture, pixels do not tell whether a word is seen, because the picture itself has contrast. PDFium draws such a
page with and without its text. A word whose pixels stay the same is invisible, transparent, or below the picture: the
text layer of a scan, or hidden text.
"""

from collections import deque

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c

from sources.pdfs.page import Resolution
from sources.pdfs.pdfium_page import images_of, open_page, render

MIN_CHANGE = 12  # grey levels; opaque text changes more, and drawing twice changes nothing
MIN_CHANGED_PIXELS = 2  # of a word


def painted_words(
    document: pypdfium2.PdfDocument, number: int, resolution: Resolution, boxes: np.ndarray
) -> np.ndarray:
    """Return an (N,) mask of the words whose pixels the page's text changes.

    Args:
        number: the page, counted from 0.
        boxes: (N, 4) boxes in pixels of a picture with this resolution.
    Raises:
        ItemError: the page shows an image that is too large for PDFium.
        PdfiumError: PDFium cannot draw the page.
    """
    with open_page(document, number) as page:
        zoom = resolution.zoom(*page.get_size())
        deque(images_of(page), maxlen=0)  # raises if one is too large
        with_text = render(page, zoom)
        for text in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT]):
            pdfium_c.FPDFPageObj_SetIsActive(text, False)
        without_text = render(page, zoom)
    changed = (np.maximum(with_text, without_text) - np.minimum(with_text, without_text)).max(axis=2) > MIN_CHANGE
    edges = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1).astype(np.intp)
    counts = [np.count_nonzero(changed[y0:y1, x0:x1]) for x0, y0, x1, y1 in edges]
    painted: np.ndarray = np.array(counts, np.intp) >= MIN_CHANGED_PIXELS
    return painted
