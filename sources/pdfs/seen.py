"""The words of a page that a reader of its picture sees; all others are dropped and counted."""

from dataclasses import dataclass

import numpy as np

from sources.pdfs.coverage import SCAN_COVERAGE, covered_share, is_on_image
from sources.pdfs.document import Document
from sources.pdfs.engines import painted_by_text
from sources.pdfs.overprint import words_below_shapes
from sources.pdfs.page import DrawnPage, Resolution
from sources.pdfs.visibility import has_contrast, seen_words
from sources.text.words import LayoutWords, choose

MIN_OF_LAYER = 0.5  # share of the words of a text layer that have ink under them; with fewer, it is another page's …
MIN_ON_INK = 0.9  # … and between these, it is in the wrong place


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenWords:
    """Words that are seen.

    Args:
        words, boxes: N words and their (N, 4) boxes in pixels.
        painted: (N,) mask of the words that are drawn as text; the others are the text layer of a scan.
        hidden_share: share of the page's words that were dropped, 0 to 1.
        coverage: share of the page that images cover, 0 to 1.
        is_misplaced: many words of the text layer are where the picture is empty.
    """

    words: LayoutWords
    boxes: np.ndarray
    painted: np.ndarray
    hidden_share: float
    coverage: float
    is_misplaced: bool


def keep_seen(page: DrawnPage, grey: np.ndarray, document: Document, number: int, resolution: Resolution) -> SeenWords:
    """Drop the words that the picture does not show.

    A word that no text paints is the text layer of a scan if images cover the page and there is ink under it.

    Args:
        grey: (height, width) uint8 luma of the page's picture.
        number: the page, counted from 0.
    """
    boxes = page.boxes
    coverage = covered_share(page.image_boxes, grey.shape)
    painted = np.ones(len(boxes), np.bool_)
    if page.paint == "invisible":
        painted[:] = False
    elif page.paint == "doubtful":
        painted = painted_by_text(document, number, resolution, boxes)
    is_misplaced = False
    seen = seen_words(page.pixels, grey, page.words.texts, boxes)
    if page.page is not None:
        seen &= ~words_below_shapes(page.page, page.words.texts, page.words.boxes)
    if not painted.all():
        seen &= painted
        if coverage >= SCAN_COVERAGE:
            layer = ~painted & is_on_image(boxes, page.image_boxes, grey.shape)
            on_ink = layer & has_contrast(grey, boxes)
            is_misplaced = bool(MIN_OF_LAYER * layer.sum() <= on_ink.sum() < MIN_ON_INK * layer.sum())
            seen |= layer if is_misplaced else on_ink  # without some of its words, a misplaced layer is worse
    return SeenWords(
        words=page.words if seen.all() else choose(page.words, seen),
        boxes=boxes[seen],
        painted=painted[seen],
        hidden_share=float(1 - seen.mean()) if len(seen) else 0.0,
        coverage=coverage,
        is_misplaced=is_misplaced,
    )
