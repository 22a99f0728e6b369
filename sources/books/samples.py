"""The samples of a book: its sections, its figures with their captions, or pages that it is laid out on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from sources.base.marks import escaped, with_images
from sources.base.sample import Provenance, Sample, Words, sample_id
from sources.base.source import ItemError, Items
from sources.base.use_cases import CAPTION, TRANSCRIPTION
from sources.books import pictures
from sources.books.blocks import Block, Figure
from sources.books.book import Book, open_book
from sources.books.captions import mentions, number_of
from sources.books.compose import compose
from sources.books.epub import Archive, MissingMember
from sources.books.notes import with_numbers
from sources.books.pictures import NoFigure, Picture
from sources.books.sections import divide
from sources.images.encoding import encode

if TYPE_CHECKING:
    from sources.books.sheets import Sheet


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The samples to make; the settings of `Books` have the same names and explain them."""

    source: str
    samples: str
    max_tokens: int
    max_images: int
    mentions: int
    side_px: int
    min_side_px: int
    quality: int
    text: str


@dataclass(frozen=True, slots=True)
class _Open:
    """An open book.

    Args:
        is_whole: it holds all that it needs, and stays open: the units of a large one follow one another in a reader.
    """

    digest: str
    wanted: Wanted
    items: Items
    is_whole: bool
    resources: ExitStack


_latest: _Open | None = None


@contextmanager
def open_samples(path: Path, wanted: Wanted, digest: str, locator: Callable[[int], str]) -> Iterator[Items]:
    """Open a book as samples.

    Args:
        digest: of the book's file.
        locator: returns the place of an item in the book.
    Raises:
        InputError: the book cannot be read.
    """
    global _latest
    opened, _latest = _latest, None
    if opened is None or (opened.digest, opened.wanted) != (digest, wanted):
        if opened is not None:
            opened.resources.close()
        with ExitStack() as resources:
            is_marked = wanted.samples == "pages"
            book = resources.enter_context(open_book(path, digest, wanted.side_px, is_marked=is_marked))
            items = _items_of(_Maker(wanted, book, digest, locator), book, wanted)
            # An HTML file's figures lie beside it, where they may be removed.
            opened = _Open(digest, wanted, items, isinstance(book.files, Archive), resources.pop_all())
    with opened.resources:
        yield opened.items
        if opened.is_whole:
            _latest = replace(opened, resources=opened.resources.pop_all())


def _items_of(maker: "_Maker", book: Book, wanted: Wanted) -> Items:
    if wanted.samples == "captions":
        places = maker.captioned()
        return Items(len(places), lambda item: maker.figure(item, places[item]))
    if wanted.samples == "pages":
        sheets = maker.sheets()
        return Items(len(sheets), lambda item: maker.page(item, sheets[item]))
    parts = divide(book.blocks, wanted.max_tokens, wanted.max_images)
    return Items(len(parts), lambda item: maker.section(item, parts[item]))


class _Maker:
    def __init__(self, wanted: Wanted, book: Book, digest: str, locator: Callable[[int], str]):
        self._wanted, self._book, self._digest, self._locator = wanted, book, digest, locator
        self._mark_small()

    def section(self, item: int, blocks: Sequence[Block]) -> Sample:
        """Return a section as text with its figures. Raises ItemError."""
        composed = compose(blocks, self._book.notes, self._load)
        if not composed.text.strip():
            raise ItemError("no_content", "the section has only pictures that are no figures")
        dropped = [f"dropped_{reason}" for reason in sorted(composed.dropped)]
        return self._sample(item, composed.text, composed.pictures, [*self._book.flags, *dropped])

    def sheets(self) -> "list[Sheet]":
        """Return the contents of the book's pages; each book has pages of another length."""
        from sources.books.page import LINES, drawable_blocks
        from sources.books.sheets import sheets

        return sheets(drawable_blocks(self._book.blocks), Random(self._digest).randint(*LINES))

    def page(self, item: int, sheet: "Sheet") -> Sample:
        """Return a page, laid out in a style of its own. Raises ItemError."""
        from sources.books.page import draw_page

        if sheet.is_mostly_pictures:
            raise ItemError("mostly_pictures", "figures take more than three quarters of the page, and may show words")
        wanted, locator = self._wanted, self._locator(item)
        key = f"{self._digest}/{item}"
        layout, facts = draw_page(sheet, self._book.notes, item + 1, self._load, wanted.side_px, key)
        rendered = layout.rendered
        return Sample.of_picture(
            rendered.pixels,
            source=wanted.source,
            provenance=Provenance(locator=locator, digest=self._digest, license=self._book.license),
            images=[encode(rendered.pixels, "jpeg", wanted.quality)],
            text=with_images(layout.markdown if wanted.text == "markdown" else layout.text),
            words=Words(
                texts=list(rendered.texts), boxes=rendered.boxes(), images=np.zeros(len(rendered.texts), np.int32)
            ),
            flags=[*self._book.flags, "laid_out", *facts],
            use_case=TRANSCRIPTION,
        )

    def captioned(self) -> list[int]:
        """Return the places of the figures that have a caption."""
        figures = ((place, block.figure) for place, block in enumerate(self._book.blocks))
        return [place for place, figure in figures if figure is not None and figure.caption and not figure.drop]

    def figure(self, item: int, place: int) -> Sample:
        """Return a figure with its caption and the paragraphs that mention it. Raises ItemError."""
        blocks = self._book.blocks
        figure = blocks[place].figure
        assert figure is not None
        try:
            picture = self._load(figure)
        except NoFigure as error:
            raise ItemError(f"{error.reason}_figure", f"the picture is no figure: {error.reason}") from error
        texts = [with_images(figure.caption)]
        number = number_of(figure.caption)
        if self._wanted.mentions and number is not None:
            nearest = sorted(mentions(blocks).get(number, ()), key=lambda other: abs(other - place))
            nearest = sorted(nearest[: self._wanted.mentions])
            texts += [escaped(with_numbers(blocks[other].text, {})) for other in nearest]
        return replace(self._sample(item, "\n\n".join(texts), [picture], self._book.flags), use_case=CAPTION)

    def _mark_small(self) -> None:
        """Mark the pictures whose size says that they are no figures, so that they take no part of a budget."""
        reasons: dict[str, str] = {}
        for block in self._book.blocks:
            figure = block.figure
            if figure is None or figure.drop:
                continue
            if not figure.name:
                figure.drop = self._reason(figure)
                continue
            if figure.name not in reasons:
                reasons[figure.name] = self._reason(figure)
            figure.drop = reasons[figure.name]

    def _reason(self, figure: Figure) -> str:
        try:
            size = figure.size or pictures.size_of(self._book.content(figure))
            pictures.check_size(size, self._wanted.min_side_px)
        except MissingMember:
            return "missing"
        except NoFigure as error:
            return error.reason
        return ""

    def _load(self, figure: Figure) -> Picture:
        try:
            data = self._book.content(figure)
        except MissingMember as error:
            raise NoFigure("missing") from error
        wanted = self._wanted
        return pictures.load(data, side_px=wanted.side_px, min_side_px=wanted.min_side_px, quality=wanted.quality)

    def _sample(self, item: int, text: str, found: Sequence[Picture], flags: Sequence[str]) -> Sample:
        provenance = Provenance(locator=self._locator(item), digest=self._digest, license=self._book.license)
        if not found:
            return Sample(
                id=sample_id(self._digest, provenance.locator),
                source=self._wanted.source,
                provenance=provenance,
                text=text,
                flags=list(flags),
            )
        return Sample.of_picture(
            found[0].pixels,
            source=self._wanted.source,
            provenance=provenance,
            images=[picture.image for picture in found],
            text=text,
            flags=list(flags),
        )
