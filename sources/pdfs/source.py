"""PDFs: every page as an image with its text in reading order and its word boxes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import pymupdf
import zlib_ng

from sources.base.card import SourceCard
from sources.base.sample import IMAGE_PLACEHOLDER, Provenance, Sample, Words
from sources.base.source import InputError, ItemError, Items, Source, unreadable_file
from sources.images.encoding import check_encoding, encode, grey_of, luma
from sources.pdfs.card import CARD
from sources.pdfs.characters import characters_of
from sources.pdfs.structure.forms import fields_of, with_fields
from sources.pdfs.structure.headings import Outline
from sources.pdfs.structure.sample import Place, drawn_structure, field_elements, markdown_of, outline_of
from sources.text import word_list
from sources.text.gaps import words_of
from sources.text.page_text import in_reading_order
from sources.text.words import LayoutWords, choose

CODE_VERSION = 5  # increase it when this package, sources.text or sources.images give other bytes for the same page
POINTS_PER_INCH = 72
# Ligatures are split, white space and text outside the page are left out; images are listed but not decoded.
TEXT_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_IMAGES
TRANSCRIPTION = "recognition/ocr_and_transcription/printed_text"  # use case of a page of text
SCAN_COVERAGE = 0.5  # share of the page covered by one image, from which on the page counts as scanned
MAX_IMAGE_PIXELS = 1_000_000_000  # of one image on a page; an A0 poster at 600 dpi has 560 million
MAX_PIXELS = 64_000_000  # of a rendered page


class _Document(pymupdf.Document):
    """A document without its outline: reading a table of contents takes up to 30 ms, and no page needs it."""

    def __init__(self, path: Path) -> None:
        pymupdf.Document.__init__(self, path, filetype="pdf")

    def _loadOutline(self) -> None:
        return None


@dataclass(frozen=True, kw_only=True)
class Pdfs(Source):
    """Pages of PDF files.

    Args:
        side_px: long side of a page's image, in pixels.
        max_dpi: maximum resolution of small pages, in pixels per inch.
        grey: `png` encodes pages without colour as lossless grey PNG; `none` treats them like other pages.
        format: `jpeg`, `png` or `webp`, for all other pages.
        quality: 1 to 100, for jpeg and webp.
        text: `plain` gives the lines as they are printed; `markdown` gives paragraphs with headings, lists, code and
            tables marked, and the parts of the page as elements.
        passwords: tried in order on encrypted files, after the empty one; never written to any output.
    """

    name: ClassVar[str] = "pdfs"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)
    item_noun: ClassVar[str] = "page"
    use_cases: ClassVar[tuple[str, ...]] = (TRANSCRIPTION,)

    side_px: int = 1024
    max_dpi: int = 300
    grey: str = "png"
    format: str = "jpeg"
    quality: int = 90
    text: str = "plain"
    passwords: tuple[str, ...] = field(default=(), metadata={"secret": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 16 <= self.side_px <= 8192:
            raise ValueError(f"side_px must be between 16 and 8192 pixels, got {self.side_px}")
        if not 18 <= self.max_dpi <= 1200:
            raise ValueError(f"max_dpi must be between 18 and 1200, got {self.max_dpi}")
        if self.grey not in ("png", "none"):
            raise ValueError(f"grey must be png or none, got {self.grey!r}")
        if self.text not in ("plain", "markdown"):
            raise ValueError(f"text must be plain or markdown, got {self.text!r}")
        check_encoding(self.format, self.quality)

    def max_side_px(self) -> int:
        return self.side_px

    def fingerprint(self) -> Mapping[str, Any]:
        settings = {name: getattr(self, name) for name in ("side_px", "max_dpi", "grey", "format", "quality", "text")}
        return {
            "source": self.name,
            "code": CODE_VERSION,
            "pymupdf": pymupdf.__version__,
            "pillow": PIL.__version__,
            "wordfreq": word_list.version(),
            "zlib-ng": zlib_ng.__version__,
            **settings,
        }

    def locator(self, item: int) -> str:
        return f"page={item + 1}"

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        known = digest or self.digest_of(path)
        with self._document(path) as document:
            num_pages, size = len(document), path.stat().st_size
            if num_pages > size:  # a page takes more than a byte: the count is forged
                raise InputError("damaged", f"the file says it has {num_pages} pages but is only {size} bytes long")
            outline = outline_of(document) if self.text == "markdown" else {}
            try:
                yield Items(num_pages, lambda page: self._sample_of(document, known, page, outline.get(page, {})))
            finally:
                pymupdf.TOOLS.store_shrink(100)

    def _document(self, path: Path) -> pymupdf.Document:
        pymupdf.TOOLS.mupdf_display_errors(False)
        pymupdf.TOOLS.mupdf_display_warnings(False)
        try:
            with path.open("rb") as file:
                head = file.read(1024)
        except OSError as error:
            raise unreadable_file(error) from error
        if not head:
            raise InputError("empty_file", "the file is empty (0 bytes)")
        if b"%PDF-" not in head:
            raise InputError("not_a_pdf", f"no PDF header in the first 1,024 bytes; the file begins with {head[:8]!r}")
        try:
            document: pymupdf.Document = _Document(path)
        except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
            # MuPDF's message has the file's name, which for remote inputs is temporary and differs between runs.
            reason = str(error).replace(f"file '{path}'", "the file")
            raise InputError("damaged", f"the PDF cannot be opened: {reason}") from error
        if document.needs_pass and not any(document.authenticate(word) for word in ("", *self.passwords)):
            document.close()
            raise InputError("encrypted", "the PDF asks for a password; give it with --set passwords=[…]")
        try:
            num_pages = len(document)
        except RuntimeError as error:  # a forged number of pages
            document.close()
            raise InputError("damaged", f"the PDF's pages cannot be counted: {error}") from error
        if num_pages == 0:
            document.close()
            raise InputError("no_pages", "the PDF has no page that can be found")
        return document

    def _sample_of(self, document: pymupdf.Document, digest: str, item: int, outline: Outline) -> Sample:
        try:
            return self._sample(document, digest, item, outline)
        except (RuntimeError, ValueError, MemoryError, pymupdf.mupdf.FzErrorBase) as error:
            raise _page_error(error) from error

    def _sample(self, document: pymupdf.Document, digest: str, item: int, outline: Outline) -> Sample:
        pymupdf.TOOLS.reset_mupdf_warnings()
        page = document[item]
        if not pymupdf.mupdf.pdf_is_dict(pymupdf.mupdf.pdf_page_from_fz_page(page.this).obj()):
            # MuPDF would render an empty page in its place.
            raise ValueError("the page tree names something that is no page")
        if page.rect.is_empty or page.rect.is_infinite:
            raise ValueError(f"the page's size is {page.rect.width:g} × {page.rect.height:g} points")
        drawn = page.get_displaylist()  # annotations and form fields included
        zoom = min(self.side_px / max(page.rect.width, page.rect.height), self.max_dpi / POINTS_PER_INCH)
        textpage = pymupdf.TextPage(drawn.get_textpage(TEXT_FLAGS))
        textpage.parent = page
        images = textpage.extractIMGINFO()
        for image in images:
            if image["width"] * image["height"] > MAX_IMAGE_PIXELS:
                size = f"{image['width']} × {image['height']} pixels"
                raise ItemError("image_too_large", f"the page shows an image of {size}")
        pixmap = _render(drawn, zoom)  # must outlive `pixels`, which are a view of it
        pixels = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.width, 3)
        grey = grey_of(pixels)
        if grey is not None and self.grey == "png":
            encoded = encode(grey, "png")
        else:
            picture = PIL.Image.fromarray(pixels)
            encoded = encode(picture, self.format, self.quality)
            grey = luma(picture) if grey is None else grey
        place = Place(zoom, (pixmap.x, pixmap.y), (grey.shape[1], grey.shape[0]))
        found = _words_in_image(drawn, textpage, place)
        fields = fields_of(page) if document.is_form_pdf else []
        found = with_fields(found, fields) if fields else found
        if self.text == "markdown":
            boxes = [image["bbox"] for image in images]
            words, text, elements = markdown_of(found, drawn_structure(page, drawn), boxes, outline, place, fields)
        else:
            (words, text), elements = _plain(found, place), field_elements(found, fields, place)
        if "malloc" in pymupdf.TOOLS.mupdf_warnings():  # MuPDF silently leaves out what it has no memory for
            raise MemoryError("some of the page needs more memory than there is")
        flags = _flags(document, page, images, bool(words.texts))
        return Sample.of_picture(
            grey,
            source=self.name,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[encoded],
            text=f"{IMAGE_PLACEHOLDER}\n{text}",
            words=words,
            elements=elements,
            flags=flags,
            # A scan may show handwriting, or something else than its text layer.
            use_case=TRANSCRIPTION if words.texts and "scan" not in flags else None,
        )


def _words_in_image(drawn: pymupdf.DisplayList, textpage: pymupdf.TextPage, place: Place) -> LayoutWords:
    """Return the words of a page, in points, that are at least partly in the image."""
    found = words_of(characters_of(drawn, textpage, TEXT_FLAGS))
    boxes = place.in_pixels(found.boxes)
    is_visible = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return found if is_visible.all() else choose(found, is_visible)


def _plain(found: LayoutWords, place: Place) -> tuple[Words, str]:
    page = in_reading_order(found)
    texts = [found.texts[k] for k in page.order]
    boxes = place.in_pixels(found.boxes)[page.order]
    return Words(texts=texts, boxes=boxes, images=np.zeros(len(texts), np.int32)), page.text


def _render(drawn: pymupdf.DisplayList, zoom: float) -> pymupdf.Pixmap:
    """Render the page as 8-bit RGB on white."""
    rect = drawn.rect * zoom
    if rect.width * rect.height > MAX_PIXELS:
        raise ValueError(f"the page would be {rect.width:.0f} × {rect.height:.0f} pixels")
    pixmap: pymupdf.Pixmap = drawn.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
    return pixmap


def _flags(
    document: pymupdf.Document, page: pymupdf.Page, images: Sequence[Mapping[str, Any]], has_words: bool
) -> list[str]:
    flags = []
    area = page.rect.width * page.rect.height
    covered = max((abs(pymupdf.Rect(image["bbox"]) & page.rect) for image in images), default=0)
    if covered >= SCAN_COVERAGE * area:
        if not has_words:
            flags.append("scan")
        else:
            kinds = [kind for kind, _ in page.get_bboxlog()]
            if kinds.count("ignore-text") > kinds.count("fill-text"):
                flags += ["scan", "ocr_layer"]
    if document.is_repaired:
        flags.append("repaired")
    return flags


def _page_error(error: Exception) -> ItemError:
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    starved = isinstance(error, MemoryError) or "malloc" in message or "calloc" in message
    cause = "out_of_memory" if starved else "unreadable_page"
    return ItemError(cause, f"the page cannot be drawn: {message}")
