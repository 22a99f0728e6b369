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
from sources.text.page_text import in_reading_order
from sources.text.words import LayoutWords


@dataclass(frozen=True, kw_only=True, slots=True)
class PageReader:
    """Reads pages with the settings of `sources/pdfs/source.py`.

    Args:
        source: name of the source in its samples.
        use_case: leaf of the taxonomy of a page of text.
        locator: returns the place of an item in its file.
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
        try:
            page = draw(document, item, self.resolution, only=only)
            return self._sample_of(page, document, digest, item, outline)
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
        return Sample.of_picture(
            grey,
            source=self.source,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[encoded],
            text=with_images(text),
            words=words,
            elements=elements,
            flags=flags,
            measures=_measures(page, seen, scan),
            # A scan may show handwriting, or something else than its text layer.
            use_case=self.use_case if words.texts and "scan" not in flags else None,
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
