"""The text of a PDF's page by our source, by poppler and by pdfium, with the words' boxes in the same coordinates."""

import ctypes
import html
import io
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Sample
from sources.images.encoding import luma

TIMEOUT_S = 20  # for one page
MAX_VOCABULARY_PAGES = 60  # of a document
GRID = 1 << 20  # pdfium converts a point of the page to a whole number of pixels
POPPLER_TAG = re.compile(
    r'<(?:page width="(?P<width>[^"]*)" height="(?P<height>[^"]*)"|(?P<line>line) [^>]*|'
    r'word xMin="([^"]*)" yMin="([^"]*)" xMax="([^"]*)" yMax="([^"]*)"(?=>([^<]*)))>'
)


@dataclass(frozen=True, kw_only=True)
class PageText:
    """What one engine reads on one page.

    Args:
        text: the text as the engine composes it.
        words: N words in the engine's order.
        boxes: (N, 4) x0, y0, x1, y1 in shares of the page's width and height, from the top left.
        lines: (N,) line of each word; zeros from engines that do not say.
    """

    text: str
    words: list[str]
    boxes: np.ndarray
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def our_page(sample: Sample) -> tuple[PageText, np.ndarray]:
    """Return what our source reads, and the (height, width) grey picture of the page."""
    picture = Image.open(io.BytesIO(sample.images[0].data))
    size = [picture.width, picture.height] * 2
    text = (sample.text or "").removeprefix(IMAGE_PLACEHOLDER).strip()
    page = PageText(text=text, words=list(sample.words.texts), boxes=np.asarray(sample.words.boxes, float) / size)
    return page, luma(picture.convert("RGB"))


def poppler_page(path: Path, item: int) -> tuple[PageText, tuple[float, float]]:
    """Return what poppler reads, and the page's size in points. Raises subprocess.SubprocessError."""
    words, boxes, lines, size = poppler_words(path, item + 1, item + 1)
    width, height = size
    text = _poppler(path, item + 1, item + 1)
    boxes = boxes / [width, height, width, height]
    return PageText(text=text, words=words, boxes=boxes, lines=lines), size


def poppler_words(path: Path, first: int, last: int) -> tuple[list[str], np.ndarray, np.ndarray, tuple[float, float]]:
    """Return words, (N, 4) boxes in points, the (N,) line of each word, and the size of the last page."""
    words, boxes, lines, line, size = [], [], [], -1, (1.0, 1.0)
    for tag in POPPLER_TAG.finditer(_poppler(path, first, last, "-bbox-layout")):
        if tag["line"]:
            line += 1
        elif tag["width"]:
            size = (float(tag["width"]), float(tag["height"]))
        else:
            words.append(html.unescape(tag[8]))
            boxes.append([float(tag[k]) for k in (4, 5, 6, 7)])
            lines.append(line)
    return words, np.array(boxes, float).reshape(-1, 4), np.array(lines, np.int64), size


def _poppler(path: Path, first: int, last: int, *options: str) -> str:
    command = ["pdftotext", "-cropbox", "-enc", "UTF-8", *options, "-f", str(first), "-l", str(last), str(path), "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT_S)
    return done.stdout.decode("utf-8", "replace")


def pdfium_page(document: pypdfium2.PdfDocument, item: int) -> PageText:
    """Return what pdfium reads. Raises pypdfium2.PdfiumError."""
    page = document[item]
    textpage = page.get_textpage()
    words: list[str] = []
    boxes: list[Any] = []
    letters: list[str] = []
    inside: list[tuple[float, float, float, float]] = []
    for k in range(textpage.count_chars()):
        letter = chr(pdfium.FPDFText_GetUnicode(textpage, k))
        if not letter.isspace():
            letters.append(letter)
            inside.append(textpage.get_charbox(k))
        if letters and (letter.isspace() or k == textpage.count_chars() - 1):
            words.append("".join(letters))
            left, bottom, right, top = np.array(inside).T
            corners = _on_page(page, left.min(), bottom.min()), _on_page(page, right.max(), top.max())
            boxes.append([*np.min(corners, axis=0), *np.max(corners, axis=0)])
            letters, inside = [], []
    return PageText(text=textpage.get_text_range(), words=words, boxes=np.array(boxes, float).reshape(-1, 4))


def _on_page(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    """Return a point in shares of the page as it is shown; pages may be turned and cropped."""
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, GRID, GRID, 0, x, y, across, down)
    return across.value / GRID, down.value / GRID
