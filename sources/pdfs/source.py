"""PDFs: every page as an image with its text in reading order and its word boxes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import PIL.Image
import pymupdf
import pypdfium2.version
import zlib_ng

from sources.base.card import SourceCard
from sources.base.sample import IMAGE_PLACEHOLDER, Element, Provenance, Sample, Words
from sources.base.source import ItemError, Items, Source
from sources.images.encoding import check_encoding, encode, grey_of, luma
from sources.pdfs.card import CARD
from sources.pdfs.document import Document, is_form_notice, open_document
from sources.pdfs.engines import draw, page_error
from sources.pdfs.legibility import text_height
from sources.pdfs.page import DrawnPage, Engine, Resolution
from sources.pdfs.scans import ScanReport, scan_report
from sources.pdfs.seen import SeenWords, keep_seen
from sources.pdfs.structure.forms import fields_of, with_fields
from sources.pdfs.structure.headings import Outline
from sources.pdfs.structure.sample import (
    Place,
    drawn_structure,
    field_elements,
    markdown_of,
    outline_of,
    words_in_order,
)
from sources.text import word_list
from sources.text.page_text import in_reading_order
from sources.text.words import LayoutWords

CODE_VERSION = 7  # increase it when this package, sources.text or sources.images give other bytes for the same page
TRANSCRIPTION = "recognition/ocr_and_transcription/printed_text"  # use case of a page of text


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
    convertible: ClassVar[tuple[str, ...]] = (".docx", ".doc", ".odt", ".rtf", ".pptx", ".ppt", ".odp")
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
            "pdfium": str(pypdfium2.version.PDFIUM_INFO),
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
        with open_document(path, self.passwords) as document:
            outlines: Mapping[int, Outline] = {}
            if self.text == "markdown" and document.mupdf is not None:
                outlines = outline_of(document.mupdf)

            def sample(page: int, only: Engine | None = None) -> Sample:
                return self._sample(document, known, page, outlines.get(page, {}), only)

            others = (lambda page: sample(page, "pdfium"), lambda page: sample(page, "mupdf"))
            yield Items(document.num_pages, sample, others)

    def _sample(self, document: Document, digest: str, item: int, outline: Outline, only: Engine | None) -> Sample:
        try:
            resolution = Resolution(side_px=self.side_px, max_dpi=self.max_dpi)
            page = draw(document, item, resolution, only=only)
            return self._sample_of(page, document, digest, item, resolution, outline)
        except ItemError:
            raise
        except Exception as error:  # the engines raise many types, also built-in ones
            raise page_error(error) from error

    def _sample_of(
        self,
        page: DrawnPage,
        document: Document,
        digest: str,
        item: int,
        resolution: Resolution,
        outline: Outline,
    ) -> Sample:
        grey = grey_of(page.pixels)
        if grey is not None and self.grey == "png":
            encoded = encode(grey, "png")
        else:
            picture = PIL.Image.fromarray(page.pixels)
            encoded = encode(picture, self.format, self.quality)
            grey = luma(picture) if grey is None else grey
        seen = keep_seen(page, grey, document, item, resolution)
        words, text, elements = self._text_of(page, seen.words, outline)
        if document.form == "dynamic" or (document.form == "maybe" and is_form_notice(text)):
            raise ItemError("dynamic_form", "the page is a notice in place of an XFA form, which few viewers can build")
        scan = scan_report(grey, seen)
        flags = _flags(document, page, seen, scan)
        return Sample.of_picture(
            grey,
            source=self.name,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[encoded],
            text=f"{IMAGE_PLACEHOLDER}\n{text}",
            words=words,
            elements=elements,
            flags=flags,
            measures=_measures(page, seen, scan),
            # A scan may show handwriting, or something else than its text layer.
            use_case=TRANSCRIPTION if words.texts and "scan" not in flags else None,
        )

    def _text_of(self, page: DrawnPage, found: LayoutWords, outline: Outline) -> tuple[Words, str, Sequence[Element]]:
        """Return the words in reading order, the text, and the elements of a page."""
        height, width = page.pixels.shape[:2]
        place = Place(page.zoom, page.origin, (width, height))
        fields = fields_of(page.page) if page.page is not None and page.page.parent.is_form_pdf else []
        found = with_fields(found, fields) if fields else found
        if self.text == "markdown" and page.page is not None and page.display_list is not None:
            images = (page.image_boxes + page.origin * 2) / page.zoom
            structure = drawn_structure(page.page, page.display_list)
            return markdown_of(found, structure, images.tolist(), outline, place, fields)
        plain = in_reading_order(found)
        return words_in_order(found, plain.order, place), plain.text, field_elements(found, fields, place)


def _flags(document: Document, page: DrawnPage, seen: SeenWords, scan: ScanReport) -> list[str]:
    flags = [*scan.flags, *document.flags]
    if seen.hidden_share:
        flags.append("hidden_text")
    if page.damage:
        flags.append("damaged")
    if page.engine == "pdfium":
        flags.append("drawn_by_pdfium")
    return flags


def _measures(page: DrawnPage, seen: SeenWords, scan: ScanReport) -> dict[str, float]:
    measures = {"damage": page.damage, "hidden_words": seen.hidden_share, "needs_ocr": scan.needs_ocr}
    height = text_height(seen.words.texts, seen.boxes)
    return measures if height is None else {**measures, "text_height_px": height}
