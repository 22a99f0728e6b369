"""A thumbnail for each source, for the table in README."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

from examples.pictures.charts import chart
from examples.pictures.diagrams import diagram
from examples.pictures.ocr import BOX, page
from examples.pictures.sheet import Sheet
from examples.pictures.web_code import crawled, synthesized
from sources.books import source as books
from sources.papers import Papers
from sources.papers import source as papers
from sources.pdfs import source as pdfs
from sources.pictures import source as pictures

SIZE = (240, 180)
BOOK = Path(books.__file__).parent / "examples/measuring.epub"
PAPER = Path(papers.__file__).parent / "examples/matching.tex"
SCAN = Path(pictures.__file__).parent / "examples/slides.tif"
DOCUMENT = Path(pdfs.__file__).parent / "examples/judging-pages.pdf"


def document() -> tuple[Image.Image, str]:
    """A page of a bundled PDF with the boxes of its words."""
    with pdfs.Pdfs().open(DOCUMENT) as pages:
        sample = pages[0]
    picture = Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for box in sample.words.boxes:
        draw.rectangle([float(edge) for edge in box], outline=BOX)
    return picture, ""


def paper() -> tuple[Image.Image, str]:
    """A page of the bundled paper, as its sample has it."""
    with Papers().open(PAPER) as pages:
        return Image.open(io.BytesIO(pages[0].images[0].data)).convert("RGB"), ""


def scan() -> tuple[Image.Image, str]:
    """The first page of a bundled scan."""
    return Image.open(SCAN).convert("RGB"), ""


def figure() -> tuple[Image.Image, str]:
    """A figure of a bundled book."""
    with books.Books(samples="captions").open(BOOK) as figures:
        return Image.open(io.BytesIO(figures[0].images[0].data)).convert("RGB"), ""


def _top(draw: Callable[[], tuple[Image.Image, str]], width: float) -> tuple[Image.Image, str]:
    """The upper left part of a drawing with the proportions of a thumbnail.

    Args:
        width: share of the drawing's width.
    """
    picture, caption = draw()
    width_px = picture.width * width
    left = (picture.width - width_px) / 2
    return picture.crop((left, 0, left + width_px, width_px * SIZE[1] / SIZE[0])), caption


def _thumbnail(source: str, draw: Callable[[], tuple[Image.Image, str]], width: float) -> Sheet:
    return Sheet(
        file=f"thumbnails/{source}.webp", drawings=[partial(_top, draw, width)], columns=1, cell_px=SIZE, quality=75
    )


SHEETS = [
    _thumbnail("pdfs", document, 1.0),
    _thumbnail("papers", paper, 1.0),
    _thumbnail("images", scan, 1.0),
    _thumbnail("books", figure, 0.46),
    _thumbnail("web", partial(crawled, "index.html", 0), 1.0),
    _thumbnail("ocr", partial(page, "receipt", "en", 9), 1.0),
    _thumbnail("charts", partial(chart, "stacked_area", "en"), 1.0),
    _thumbnail("diagrams", partial(diagram, "floor_plan", "en", "light"), 1.0),
    _thumbnail("synthetic_pages", partial(synthesized, 2), 1.0),
]
