"""A book as blocks, and the content of its figures."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sources.base.source import InputError, unreadable_file
from sources.books.blocks import Block, Figure
from sources.books.captions import link_captions
from sources.books.document import DocumentReader
from sources.books.epub import (
    MAX_DOCUMENT_BYTES,
    MAX_FIGURE_BYTES,
    Archive,
    Document,
    MissingMember,
    read_package,
    resolve,
)
from sources.books.markup import MarkupError, parse
from sources.books.notes import take_notes
from sources.books.svg import is_svg, self_contained

MAX_COPIES = 2  # a picture that the book shows more often is a logo, an icon or an ornament


class Files(Protocol):
    """Where the figures of a book are."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file. Raises MissingMember."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """A book that is open.

    Args:
        blocks: running text and figures in reading order.
        notes: texts of footnotes by key.
        files: where its figures are.
        flags: facts about the file, e.g. `mended_markup`, `missing_documents`.
        license: SPDX id or licence tag that the book names.
    """

    blocks: Sequence[Block]
    notes: Mapping[str, str]
    files: Files
    flags: Sequence[str] = ()
    license: str | None = None

    def content(self, figure: Figure) -> bytes:
        """Return the encoded content of a figure; drawings hold what they refer to. Raises MissingMember."""
        data = figure.data or self.files.read(figure.name, MAX_FIGURE_BYTES)
        if not is_svg(data):
            return data
        base = figure.base if figure.data else figure.name

        def linked(link: str) -> bytes | None:
            name = resolve(base, link)[0]
            try:
                return self.files.read(name, MAX_FIGURE_BYTES) if name else None
            except MissingMember:
                return None

        try:
            return self_contained(data, linked)
        except MarkupError as error:
            raise MissingMember(f"the drawing cannot be read: {error}") from error


@contextmanager
def open_book(path: Path, digest: str, side_px: int, *, is_marked: bool = False) -> Iterator[Book]:
    """Open an EPUB, a PDF or an HTML file.

    Args:
        digest: of the file.
        side_px: long side of figures that are drawn, in pixels.
        is_marked: formulas and code inside a text have marks of their own (`sources/books/blocks.py`); not of PDFs.
    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise unreadable_file(error) from error
    if not head:
        raise InputError("empty_file", "the file is empty (0 bytes)")
    if head[:2] == b"PK":
        with _open_epub(path, is_marked) as book:
            yield book
    elif b"%PDF-" in head:
        if is_marked:
            raise InputError("has_pages", "a PDF has pages already; read them with --source pdfs")
        from sources.books.pdf.book import open_pdf_book  # PDF engines take 0.2 s to import

        with open_pdf_book(path, digest, side_px) as (blocks, figures, flags):
            yield Book(blocks, {}, figures, flags)
    else:
        yield _open_html(path, is_marked)


@contextmanager
def _open_epub(path: Path, is_marked: bool) -> Iterator[Book]:
    archive = Archive(path)
    try:
        package = read_package(archive)
        blocks: list[Block] = []
        found: Counter[str] = Counter()
        for document in package.documents:
            if document.name not in package.navigation:
                blocks += _blocks_of(archive, document, found, is_marked)
        found["missing_documents"] += package.num_missing
        running, notes = take_notes(blocks)
        if not running:
            raise InputError("no_text", "no document of the book holds text or figures")
        _drop_repeated(running, archive)
        yield Book(running, notes, archive, sorted(flag for flag, count in found.items() if count), package.license)
    finally:
        archive.close()


def _blocks_of(archive: Archive, document: Document, found: Counter[str], is_marked: bool) -> list[Block]:
    if document.media_type.startswith("image/") and document.media_type != "image/svg+xml":
        return [Block("figure", figure=Figure(name=document.name), opens=True)]
    try:
        if document.media_type == "image/svg+xml":
            return [Block("figure", figure=Figure(name=document.name), opens=True)]
        root, is_mended = parse(archive.read(document.name, MAX_DOCUMENT_BYTES))
    except (MissingMember, MarkupError):
        found["unreadable_documents"] += 1
        return []
    found["mended_markup"] += is_mended
    reader = DocumentReader(document.name, is_marked)
    blocks = reader.read(root)
    link_captions(blocks)
    return blocks


def _drop_repeated(blocks: Sequence[Block], archive: Archive) -> None:
    """Mark the pictures that the book shows again and again."""
    identities: dict[str, tuple[int, int]] = {}
    for block in blocks:
        if block.figure is not None and block.figure.name:
            found = archive.find(block.figure.name)
            if found is not None:
                block.figure.name = found
                identities[found] = archive.identity(found)
    copies = Counter(
        identities[block.figure.name]
        for block in blocks
        if block.figure is not None and block.figure.name in identities
    )
    for block in blocks:
        figure = block.figure
        if figure is not None and figure.name in identities and copies[identities[figure.name]] > MAX_COPIES:
            figure.drop = figure.drop or "repeated"


class Folder:
    """Files next to an HTML book and below its folder."""

    def __init__(self, folder: Path):
        self._folder = folder.resolve()

    def find(self, name: str) -> Path | None:
        """Return a file of the folder; None if there is none, also behind links that lead elsewhere."""
        path = (self._folder / posixpath.normpath(name)).resolve()
        return path if path.is_relative_to(self._folder) and path.is_file() else None

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file. Raises MissingMember."""
        path = self.find(name)
        if path is None:
            raise MissingMember(f"{name} is not next to the book")
        try:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise MissingMember(f"{name} cannot be read: {error.strerror}") from error
        if len(data) > max_bytes:
            raise MissingMember(f"{name} has more than {max_bytes >> 20} MB")
        return data


def _open_html(path: Path, is_marked: bool = False) -> Book:
    try:
        data = path.read_bytes()
        root, is_mended = parse(data)
    except OSError as error:
        raise unreadable_file(error) from error
    except MarkupError as error:
        raise InputError("damaged", f"the book cannot be read: {error}") from error
    reader = DocumentReader(path.name, is_marked)
    blocks = reader.read(root)
    link_captions(blocks)
    running, notes = take_notes(blocks)
    if not running:
        raise InputError("no_text", "the file holds neither text nor figures")
    names = Counter(block.figure.name for block in running if block.figure is not None and block.figure.name)
    for block in running:
        if block.figure is not None and names[block.figure.name] > MAX_COPIES:
            block.figure.drop = block.figure.drop or "repeated"
    flags = ["mended_markup"] if is_mended and b"<?xml" in data[:100] else []
    return Book(running, notes, Folder(path.parent), flags)


def figure_names(path: Path) -> list[Path]:
    """Return the files next to an HTML book that it shows, sorted. Raises InputError."""
    book = _open_html(path)
    assert isinstance(book.files, Folder)
    names = {block.figure.name for block in book.blocks if block.figure is not None and block.figure.name}
    return sorted(filter(None, map(book.files.find, names)))
