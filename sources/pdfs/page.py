"""A page as an engine draws it: pixels, words and where images are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pymupdf

from sources.text.words import LayoutWords, boxes_in_pixels, choose

POINTS_PER_INCH = 72
MAX_PIXELS = 64_000_000  # of a rendered page
MAX_IMAGE_PIXELS = 1_000_000_000  # of one image on a page; an A0 poster at 600 dpi has 560 million

Engine = Literal["mupdf", "pdfium"]
Paint = Literal["plain", "invisible", "doubtful"]


@dataclass(kw_only=True, slots=True)
class DrawnPage:
    """A page in the picture's coordinates.

    Args:
        pixels: (height, width, 3) uint8 RGB on white.
        words: N words that are inside the picture at least in part, with boxes in points.
        boxes: (N, 4) float32 boxes of the words, in pixels.
        zoom: pixels per point.
        origin: top left corner of the picture, in pixels of the page.
        image_boxes: (M, 4) boxes of images, in pixels.
        paint: how words that are on images are painted: `plain` above them, all `invisible`, or `doubtful`, because
            some are invisible, images come later, or images cover the page.
        damage: estimated share of the page that is lost, 0 to 1 (`sources/pdfs/damage.py`).
        warning: what is lost, in the engine's words.
        owner: the engine's picture, whose memory `pixels` is a view of.
        page, display_list: MuPDF's page and its content, for those who ask for more; None if PDFium drew it.
    """

    engine: Engine
    pixels: np.ndarray
    words: LayoutWords
    boxes: np.ndarray
    zoom: float
    origin: tuple[int, int]
    image_boxes: np.ndarray
    paint: Paint
    damage: float = 0.0
    warning: str = ""
    owner: object = None
    page: pymupdf.Page | None = None
    display_list: pymupdf.DisplayList | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """How large pages are drawn.

    Args:
        side_px: long side of the picture, in pixels.
        max_dpi: maximum resolution, in pixels per inch.
    """

    side_px: int
    max_dpi: int

    def zoom(self, width: float, height: float) -> float:
        """Return pixels per point for a page of this size in points. Raises ValueError."""
        if not (0 < width < np.inf and 0 < height < np.inf):
            raise ValueError(f"the page's size is {width:g} × {height:g} points")
        zoom = min(self.side_px / max(width, height), self.max_dpi / POINTS_PER_INCH)
        if width * height * zoom**2 > MAX_PIXELS:
            raise ValueError(f"the page would be {width * zoom:.0f} × {height * zoom:.0f} pixels")
        return zoom


def inside(
    words: LayoutWords, zoom: float, origin: tuple[int, int], shape: tuple[int, ...]
) -> tuple[LayoutWords, np.ndarray]:
    """Return the words that are inside a picture, and their boxes in its pixels.

    Args:
        words: words with boxes in points.
        zoom: pixels per point.
        origin: top left corner of the picture, in pixels of the page.
        shape: height and width of the picture.
    """
    boxes = boxes_in_pixels(words.boxes, zoom, origin)
    height, width = shape[:2]
    np.clip(boxes, 0, [width, height, width, height], out=boxes)
    is_inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return (words, boxes) if is_inside.all() else (choose(words, is_inside), boxes[is_inside])
