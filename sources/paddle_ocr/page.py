"""The text of a picture as PaddleOCR reads it: words with boxes in reading order, as of a page with a text layer."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from sources.base.sample import Words
from sources.base.source import ReadingCosts
from sources.images.strokes import unread_share
from sources.images.text_height import text_height

OCR_VERSION = 1  # raise it when this package gives other words for the same picture
OCR_TEXT = "ocr_text"  # flag of samples whose text was read by OCR
TURNED = "turned"  # flag of pages that lie on their side or are upside down
CONFIDENCE = "ocr_confidence"  # their measure: mean confidence of the lines, weighted by characters
# On pages of 2,048 px the reader holds 1.1 GB, a dense one takes 10 s, and PaddleOCR's memory grows over many pages.
OCR_COSTS = ReadingCosts(memory_mb=2000, item_s=90, recycle_mb=2500)
MIN_SIDE_PX = 8  # of a picture; no letter is smaller


@dataclass(frozen=True, kw_only=True, slots=True)
class OcrSettings:
    """How pictures are read.

    Args:
        min_confidence: lines below it are left out, 0 to 1.
        side_px: long side at which a picture is read, in pixels, if it has as many.
        models: folder with `det/` and `rec/` of PaddleOCR's ONNX packages; None: the models in the rapidocr wheel.
    """

    min_confidence: float = 0.6
    side_px: int = 2048
    models: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"ocr_min_confidence must be between 0 and 1, got {self.min_confidence}")
        if not 256 <= self.side_px <= 4096:
            raise ValueError(f"ocr_side_px must be between 256 and 4096 pixels, got {self.side_px}")

    def check(self, needed_by: str, setting: str) -> None:
        """Raise ValueError, saying what to install, unless all that reading needs is there."""
        from sources.paddle_ocr import reader

        reader.check(self.models, needed_by=needed_by, setting=setting)

    def identity(self) -> dict[str, object]:
        """Return everything that decides which text is read."""
        from sources.paddle_ocr import reader

        versions = reader.identity(self.models, None)
        return {
            "version": OCR_VERSION,
            "min_confidence": self.min_confidence,
            "side_px": self.side_px,
            "paddle": versions,
        }

    def load(self) -> None:
        """Load the models."""
        from sources.paddle_ocr import reader

        reader.loaded(self.models)


@dataclass(frozen=True, kw_only=True, slots=True)
class OcrPage:
    """What was read on a picture.

    Args:
        words: in reading order.
        text: lines separated by a newline, paragraphs by an empty line; empty if there is none.
        confidence: mean of the lines' confidence, weighted by characters; 0 without lines.
        flags: `ocr_text` if there is text, and `turned` if it is not the right way up.
    """

    words: Words
    text: str
    confidence: float
    flags: tuple[str, ...] = ()


def read_page(picture: Image.Image, settings: OcrSettings, size: tuple[int, int]) -> OcrPage:
    """Read a picture.

    Args:
        picture: mode L or RGB; made smaller if it is larger than `side_px`.
        size: width and height of the picture that is kept, in whose pixels boxes are given.
    """
    from sources.paddle_ocr import reader
    from sources.paddle_ocr.turns import boxes_before, confidence_of, read_upright
    from sources.paddle_ocr.words import words_of
    from sources.text.page_text import in_reading_order

    if min(picture.size) < MIN_SIDE_PX:
        return OcrPage(words=Words(), text="", confidence=0.0)
    picture = fitted(picture, settings.side_px)
    found, turns = read_upright(np.asarray(picture.convert("RGB")), reader.loaded(settings.models))
    lines = [line for line in found if line.text.strip() and line.confidence >= settings.min_confidence]
    if not lines:
        return OcrPage(words=Words(), text="", confidence=0.0)
    layout, boxes = words_of(lines, np.rot90(np.asarray(picture.convert("L")), turns))
    page = in_reading_order(layout)
    scale = np.array([size[0] / picture.width, size[1] / picture.height] * 2)
    boxes = boxes_before(boxes[page.order], turns, picture.width, picture.height)
    in_pixels = np.round(boxes * scale * 4) / 4  # quarters of a pixel, as of a text layer
    np.clip(in_pixels, 0, [*size, *size], out=in_pixels)
    words = Words(
        texts=[layout.texts[k] for k in page.order.tolist()],
        boxes=in_pixels.astype(np.float32),
        images=np.zeros(len(page.order), np.int32),
    )
    flags = (OCR_TEXT, TURNED) if turns else (OCR_TEXT,)
    return OcrPage(words=words, text=page.text, confidence=round(confidence_of(lines), 4), flags=flags)


def fitted(picture: Image.Image, side_px: int) -> Image.Image:
    """Return a picture made smaller, if its long side is longer than `side_px`."""
    long = max(picture.size)
    if long <= side_px:
        return picture
    size = (max(1, round(picture.width * side_px / long)), max(1, round(picture.height * side_px / long)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def measures_of_ocr(page: OcrPage, grey: np.ndarray) -> dict[str, float]:
    """Return what is measured on a picture that was read.

    Args:
        grey: (height, width) uint8 luma of the picture that is kept.
    """
    measures = {CONFIDENCE: page.confidence, "needs_ocr": unread_share(grey, page.words.boxes)}
    height = text_height(page.words.texts, page.words.boxes)
    return measures if height is None else {**measures, "text_height_px": height}
