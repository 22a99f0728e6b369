"""The samples of a paper: its pages with their markup, or its figures with their captions."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pymupdf

from sources.base.marks import with_images
from sources.base.sample import EncodedImage, Provenance, Sample
from sources.base.source import ItemError, Items
from sources.base.use_cases import CAPTION
from sources.images.decoding import read_image
from sources.images.encoding import encode, grey_of
from sources.papers.alignment import Alignment, align
from sources.papers.archive import MAX_FILE_BYTES, MissingFile
from sources.papers.blocks import OBJECT, Content, Picture
from sources.papers.formula_commands import unknown_commands
from sources.papers.markdown import Slice, curly, page_markdown, slices_of
from sources.papers.paper import Paper, open_paper
from sources.papers.printed import Printed, read_printed
from sources.pdfs.document import open_document
from sources.pdfs.mupdf_page import page_words
from sources.pdfs.page import Resolution
from sources.pdfs.source import Pdfs
from sources.text.words import LayoutWords

MAX_PIXELS = 100_000_000  # of a figure
MAX_PAGES = 3000  # whose words are in memory at once
FOLDERS = ("", "figures/", "figs/", "fig/", "images/", "img/")  # usual values of \\graphicspath
TAKES = (".png", ".jpg", ".jpeg", ".pdf")


@dataclass(frozen=True, slots=True)
class Aligned:
    """A paper's markup on its pages."""

    alignment: Alignment
    printed: Printed
    slices: list[list[Slice]]

    def markdown(self, page: int) -> str:
        """Return the markup of a page."""
        texts = self.alignment.words[page].texts
        has_curly = any("”" in text for text in texts) and not any('"' in text for text in texts)
        found = page_markdown(self.slices[page], self.alignment, self.printed)
        return curly(found) if has_curly else found  # what `"` prints depends on the font


def page_markups(paper: Paper) -> list[str]:
    """Return the markup of every page of a paper, also of those that do not fit. Raises InputError and ItemError."""
    found = aligned(paper.pdf, paper.content())
    return [found.markdown(page) for page in range(len(found.slices))]


def aligned(pdf: Path, content: Content) -> Aligned:
    """Put the content of a paper on the pages of its PDF. Raises ItemError."""
    with open_document(pdf, ()) as document:
        if document.num_pages > MAX_PAGES:
            raise ItemError("too_many_pages", f"the paper has {document.num_pages:,} pages, more than {MAX_PAGES:,}")
        if document.mupdf is None:
            raise ItemError("damaged", "the PDF can be read by the second engine only, which gives no order of words")
        words = [_words(document.mupdf, number) for number in range(document.num_pages)]
    alignment = align(content, words)
    printed = read_printed(alignment)
    return Aligned(alignment, printed, slices_of(alignment, printed))


@contextmanager
def open_samples(
    path: Path, pages: Pdfs, *, source: str, digest: str, compile: bool, captions: bool, locator: Callable[[int], str]
) -> Iterator[Items]:
    """Open a paper as samples.

    Args:
        pages: the source of PDFs with the settings of the page's image.
        captions: figures with captions instead of pages.
        locator: returns the place of an item in the paper.
    Raises:
        InputError: the paper cannot be read.
    """
    with open_paper(path, compile=compile) as paper:
        if paper is None:  # a part of another paper
            yield Items(0, lambda item: _nothing())
            return
        made = _Samples(paper, source, digest, locator)
        reader = dataclasses.replace(pages.page_reader(), known=made.words)
        with reader.open(paper.pdf, digest) as read:
            if captions:
                figures = made.figures
                yield Items(len(figures), lambda item: made.figure(item, figures[item], pages.side_px))
            else:
                yield Items(len(read), lambda item: made.page(item, read))


def _nothing() -> Sample:
    raise IndexError("an input without items")


class _Placed:
    """A paper's content, and its place on the pages once that is asked for."""

    def __init__(self, content: Content):
        self.content = content
        self._aligned: Aligned | None = None

    def on(self, pdf: Path) -> Aligned:
        """Return the content on the pages of the paper's PDF, wherever that lies now. Raises ItemError."""
        if self._aligned is None:
            self._aligned = aligned(pdf, self.content)
        return self._aligned


_latest: tuple[str, _Placed] | None = None  # the units of a long paper follow one another in a reader


def _placed(paper: Paper, digest: str) -> _Placed:
    """Return what is known of the paper already, or begin with it. Raises InputError."""
    global _latest
    if _latest is not None and _latest[0] == digest:
        return _latest[1]
    _latest = None  # two papers are never in memory
    placed = _Placed(paper.content())
    if "compiled" not in paper.flags:  # its PDF is another one each time it is opened
        _latest = digest, placed
    return placed


class _Samples:
    def __init__(self, paper: Paper, source: str, digest: str, locator: Callable[[int], str]):
        self._paper, self._source, self._digest, self._locator = paper, source, digest, locator
        self._placed = _placed(paper, digest)  # before any page is read: a paper without LaTeX is no input
        self._content = self._placed.content

    @property
    def _aligned(self) -> Aligned:
        return self._placed.on(self._paper.pdf)

    def words(self, item: int) -> LayoutWords | None:
        """Return the words of a page; None if it has none, or cannot be read. Raises ItemError."""
        words = self._aligned.alignment.words[item]
        return words if words.texts else None

    def page(self, item: int, pages: Items) -> Sample:
        """Return a page with its markup.

        Args:
            pages: the pages of the PDF.
        Raises:
            ItemError: the page cannot be drawn, or has no markup.
        """
        sample = pages[item]
        text = self._aligned.markdown(item)
        if not text.strip():
            raise ItemError("no_markup", "no text of the LaTeX source is on the page")
        missing = ["missing_files"] if self._content.missing else []
        return dataclasses.replace(
            sample,
            source=self._source,
            text=with_images(text),
            flags=[*sample.flags, *self._paper.flags, *missing],
            measures={**sample.measures, **self._measures(item, text)},
        )

    def _measures(self, item: int, text: str) -> Mapping[str, float]:
        return {
            "markup_fit": self._aligned.printed.fit(item, self._aligned.alignment),
            "open_references": float(self._aligned.printed.open.get(item, 0)),
            "unknown_commands": float(unknown_commands(text)),
        }

    @cached_property
    def figures(self) -> list[tuple[list[str], list[int]]]:
        """Names of pictures, and blocks of captions, of each float that has both."""
        floats: dict[int, tuple[list[str], list[int]]] = {}
        for number, block in enumerate(self._content.blocks):
            if not block.group or block.stream != "figures":
                continue
            names, captions = floats.setdefault(block.group, ([], []))
            if block.kind == "caption":
                captions.append(number)
            names += [item.name for item in self._objects_of(block.text) if isinstance(item, Picture)]
        return [(names, captions) for names, captions in floats.values() if names and captions]

    def _objects_of(self, text: str) -> list[object]:
        numbers = (part.partition("\ue011")[0] for part in text.split(OBJECT)[1:])
        return [self._content.objects[int(number)] for number in numbers]

    def figure(self, item: int, figure: tuple[list[str], list[int]], side_px: int) -> Sample:
        """Return the pictures of a float with their caption. Raises ItemError."""
        names, captions = figure
        pictures = [self._picture(name, side_px) for name in names]
        placed = self._aligned
        blocks = [self._content.blocks[k] for k in captions]
        slices = (part for of_page in placed.slices for part in of_page)
        parts = [part for part in slices if any(part.block is block for block in blocks)]
        text = page_markdown(parts, placed.alignment, placed.printed)
        if not text:
            raise ItemError("no_caption", "the figure's caption is on no page")
        return Sample.of_picture(
            pictures[0][0],
            source=self._source,
            provenance=Provenance(locator=self._locator(item), digest=self._digest),
            images=[image for _, image in pictures],
            text=with_images(text, len(pictures)),
            flags=self._paper.flags,
            use_case=CAPTION,
        )

    def _picture(self, name: str, side_px: int) -> tuple[np.ndarray, EncodedImage]:
        if not name:
            raise ItemError("drawn_by_tex", "the figure is drawn by TeX, and is in no file")
        files = self._paper.files
        base = self._paper.main.rpartition("/")[0]
        folders = dict.fromkeys((f"{base}/" if base else "", *FOLDERS))
        places = (f"{folder}{name}{suffix}" for folder in folders for suffix in ("", *TAKES))
        found = next((place for place in places if files.has(place)), None)
        if found is None:
            raise ItemError("missing_figure", f"the paper has no file {name[:200]}")
        if not found.lower().endswith(TAKES):
            raise ItemError("vector_image", f"figures of the kind {found.rpartition('.')[2][:20]} are not drawn")
        try:
            data = files.read(found, MAX_FILE_BYTES)
        except MissingFile as error:
            raise ItemError("missing_figure", str(error)) from error
        if data.startswith(b"%PDF"):
            return _drawn(data, side_px)
        image = read_image(data, max_pixels=MAX_PIXELS, max_side_px=side_px)
        return image.grey, image.encoded


def _words(document: pymupdf.Document, number: int) -> LayoutWords:
    """The words of a page; none of one that cannot be read, which costs the others nothing."""
    try:
        return page_words(document, number)
    except Exception:  # the library raises many types; the page's own sample says what is wrong with it
        return LayoutWords()


def _drawn(data: bytes, side_px: int) -> tuple[np.ndarray, EncodedImage]:
    try:
        with pymupdf.open(stream=data, filetype="pdf") as document:
            page = document[0]
            zoom = Resolution(side_px=side_px, max_dpi=300).zoom(page.rect.width, page.rect.height)
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
            pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
    except Exception as error:  # the library raises many types, also built-in ones
        raise ItemError("unreadable_figure", f"the figure cannot be drawn: {error}") from error
    grey = grey_of(pixels)
    shown = pixels if grey is None else grey
    return shown, encode(shown, "png")
