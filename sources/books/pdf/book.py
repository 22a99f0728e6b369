"""A PDF as a book: its blocks, and its figures, which are drawn when they are asked for."""

import copy
import io
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymupdf
from PIL import Image

from sources.base.source import InputError
from sources.books.blocks import Block
from sources.books.epub import MissingMember
from sources.books.pdf.pages import blocks_of
from sources.pdfs.document import Document, open_document

MAX_ZOOM = 3.0  # pixels per point: 216 pixels per inch
NUM_KEPT = 2  # books whose blocks are kept: every unit of a book opens it again
_NAME = re.compile(r"page=(\d+)&box=([-\d.]+),([-\d.]+),([-\d.]+),([-\d.]+)")
_kept: OrderedDict[str, tuple[list[Block], Counter[str]]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class PdfFigures:
    """The regions of the figures of a document, as pictures.

    Args:
        side_px: long side at most, in pixels.
    """

    document: Document
    side_px: int

    def read(self, name: str, max_bytes: int) -> bytes:
        """Draw a region as PNG. Raises MissingMember."""
        found = _NAME.fullmatch(name)
        assert found is not None
        assert self.document.mupdf is not None
        clip = pymupdf.Rect(*map(float, found.groups()[1:]))
        zoom = min(MAX_ZOOM, self.side_px / max(clip.width, clip.height, 1))
        try:
            page = self.document.mupdf[int(found[1]) - 1]
            pixmap = page.get_pixmap(
                matrix=pymupdf.Matrix(zoom, zoom), clip=clip, colorspace=pymupdf.csRGB, alpha=False
            )
            picture = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
        except Exception as error:  # MuPDF raises many types, also built-in ones
            raise MissingMember(f"the figure cannot be drawn: {error}") from error
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


@contextmanager
def open_pdf_book(path: Path, digest: str, side_px: int) -> Iterator[tuple[Sequence[Block], PdfFigures, list[str]]]:
    """Open a PDF as blocks, files of figures and flags. Raises InputError."""
    with open_document(path, ()) as document:
        if digest not in _kept:
            _kept[digest] = blocks_of(document)
            while len(_kept) > NUM_KEPT:
                _kept.popitem(last=False)
        blocks, found = copy.deepcopy(_kept[digest])
        if not any(block.text for block in blocks):
            raise InputError("no_text", "no page of the PDF has text: it may be a scan")
        flags = [*document.flags, *sorted(flag for flag, count in found.items() if count)]
        yield blocks, PdfFigures(document, side_px), flags
