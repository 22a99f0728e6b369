"""Reading the pages of a PDF: pixels, the words that are seen, their order, and what is measured on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from sources.base.marks import with_images
from sources.base.sample import Element, Provenance, Sample, Words
from sources.base.source import ItemError, Items
from sources.images.encoding import encode, grey_of, luma
from sources.images.text_height import text_height
from sources.paddle_ocr.page import OCR_TEXT, OcrPage, OcrSettings, measures_of_ocr, read_page
from sources.pdfs.document import Document, is_form_notice, open_document
from sources.pdfs.engines import draw, page_error
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
from sources.text.garbled import garbled_share
from sources.text.page_text import in_reading_order
from sources.text.words import LayoutWords

NEEDS_OCR = "needs_ocr_"  # first part of the flags of pages whose text layer is missing or unusable
REPLACED = ("ocr_layer", "hidden_text")  # flags about a text layer that is not used
MAX_GARBLED = 0.01  # of the characters of a text layer that is used; the filter `max_garbled_share` has the same bound


def _unknown(item: int) -> None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class PageReader:
    """Reads pages with the settings of `sources/pdfs/source.py`.

    Args:
        source: name of the source in its samples.
        use_case: leaf of the taxonomy of a page of text.
        locator: returns the place of an item in its file.
        ocr: how pages whose text layer is missing or unusable are read; None: they stay without text.
        known: returns the words of a page that were read before; None: the page is read.
    """

    source: str
    use_case: str
    locator: Callable[[int], str]
    resolution: Resolution
    grey: str
    format: str
    quality: int
    text: str
    passwords: tuple[str, ...]
    ocr: OcrSettings | None = None
    known: Callable[[int], LayoutWords | None] = _unknown

    @contextmanager
    def open(self, path: Path, digest: str) -> Iterator[Items]:
        """Open a file for as long as its pages are read. Raises InputError."""
        with open_document(path, self.passwords) as document:
            outlines: Mapping[int, Outline] = {}
            if self.text == "markdown" and document.mupdf is not None:
                outlines = outline_of(document.mupdf)

            def sample(page: int, only: Engine | None = None) -> Sample:
                return self._sample(document, digest, page, outlines.get(page, {}), only)

            others = (lambda page: sample(page, "pdfium"), lambda page: sample(page, "mupdf"))
            yield Items(document.num_pages, sample, others)

    def _sample(self, document: Document, digest: str, item: int, outline: Outline, only: Engine | None) -> Sample:
        known = self.known(item)
        try:
            page = draw(document, item, self.resolution, only=only, known=known)
            return self._sample_of(page, document, digest, item, outline, only)
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
        outline: Outline,
        only: Engine | None,
    ) -> Sample:
        grey = grey_of(page.pixels)
        if grey is not None and self.grey == "png":
            encoded = encode(grey, "png")
        else:
            picture = PIL.Image.fromarray(page.pixels)
            encoded = encode(picture, self.format, self.quality)
            grey = luma(picture) if grey is None else grey
        seen = keep_seen(page, grey, document, item, self.resolution)
        words, text, elements = self._text_of(page, seen.words, outline)
        if document.form == "dynamic" or (document.form == "maybe" and is_form_notice(text)):
            raise ItemError("dynamic_form", "the page is a notice in place of an XFA form, which few viewers can build")
        scan = scan_report(grey, seen)
        flags = _flags(document, page, seen, scan)
        measures = _measures(page, seen, scan)
        size = (encoded.width, encoded.height)
        read = self._read(document, item, size, only) if self._is_unread(scan, text) else None
        if read is not None and read.text:
            words, text, elements = read.words, read.text, ()
            flags = [*read.flags, *(flag for flag in flags if flag not in REPLACED and not flag.startswith(NEEDS_OCR))]
            measures = measures_of_ocr(read, grey) | {"damage": page.damage, "hidden_words": 0.0}
        return Sample.of_picture(
            grey,
            source=self.source,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[encoded],
            text=with_images(text),
            words=words,
            elements=elements,
            flags=flags,
            measures=measures,
            # A scan may show handwriting, or something else than its text layer.
            use_case=self.use_case if words.texts and not {"scan", OCR_TEXT} & set(flags) else None,
        )

    def _is_unread(self, scan: ScanReport, text: str) -> bool:
        """Return True if the page is to be read by OCR: its text layer is missing or unusable."""
        if self.ocr is None:
            return False
        return any(flag.startswith(NEEDS_OCR) for flag in scan.flags) or (garbled_share(text) or 0) > MAX_GARBLED

    def _read(self, document: Document, item: int, size: tuple[int, int], only: Engine | None) -> OcrPage:
        assert self.ocr is not None
        resolution = Resolution(side_px=self.ocr.side_px, max_dpi=self.resolution.max_dpi)
        drawn = draw(document, item, resolution, only=only)
        return read_page(PIL.Image.fromarray(drawn.pixels), self.ocr, size)

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
