"""A document before it is divided into pages: its blocks, its type area, and what is printed on every page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sources.base.illegible import Illegible
from sources.ocr.blocks import Block
from sources.ocr.page import Area, Box, Flow, Page, PageLayout
from sources.ocr.records import Record
from sources.ocr.style import Style
from sources.ocr.templates.furniture import Furniture

PASSED = 1.5  # blocks given to the engine for a page, in its capacity of characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Manuscript:
    """A document.

    Args:
        blocks: running text, tables and lists, in order.
        columns: boxes that the blocks fill on each page.
        furniture: running head and page number.
        opening: flows before the blocks on the first page (title, authors, abstract).
        gap: distance of the blocks from the opening in pixels; None if there is none.
        first_columns: boxes on the first page, if they are others.
        closing: flows after the blocks on the first page (a footnote).
        areas: rules and bands of the first page; `later_areas` those of the others.
        css: rules of classes that only it has; `extra_css` is appended.
        record: what it says as keys and values, if it is a form of one page.
        must_fit: all blocks must fit on the page.
    """

    style: Style
    blocks: Sequence[Block]
    columns: Sequence[Box]
    furniture: Furniture
    opening: Sequence[Flow] = ()
    gap: float | None = None
    first_columns: Sequence[Box] | None = None
    closing: Sequence[Flow] = ()
    areas: Sequence[Area] = ()
    later_areas: Sequence[Area] = ()
    css: Mapping[str, str] = field(default_factory=dict)
    extra_css: str = ""
    record: Record | None = None
    must_fit: bool = False

    def page(self, number: int = 0, blocks: Sequence[Block] | None = None) -> Page:
        """Return a page of the document.

        Args:
            number: 0-based.
            blocks: those that are left for it; by default all.
        """
        style, is_first = self.style, number == 0
        columns = self.first_columns if is_first and self.first_columns is not None else self.columns
        main = Flow(
            blocks=self.blocks if blocks is None else blocks,
            boxes=columns,
            gap=self.gap if is_first else None,
            must_fit=self.must_fit,
        )
        flows = [*self.opening, main, *self.closing] if is_first else [main]
        heads, rules = self.furniture.head(number)
        return Page(
            width=style.width,
            height=style.height,
            paper=style.paper,
            fonts=style.fonts,
            areas=[*rules, *(self.areas if is_first else self.later_areas)],
            css=style.css(**self.css) + self.extra_css,
            flows=[*heads, *flows, *self.furniture.foot(number)],
            record=self.record,
        )


def lay_out_pages(manuscript: Manuscript, num_pages: int, engine: Callable[[Page], PageLayout]) -> Sequence[PageLayout]:
    """Lay out the pages of a document, each from where the one before ends.

    Raises:
        Illegible: a page cannot be laid out, or the document has not so many pages (`too_short`).
    """
    layouts: list[PageLayout] = []
    rest = list(manuscript.blocks)
    room = PASSED * manuscript.style.capacity(manuscript.columns)
    for number in range(num_pages):
        if not rest:
            raise Illegible("too_short", f"the document ends after {number} of {num_pages} pages")
        count, length = 0, 0.0
        while count < len(rest) and (length < room or rest[count - 1].leads):
            length += len(rest[count].text) + len(rest[count].insets) * room / 10
            count += 1
        layout = engine(manuscript.page(number, rest[:count]))
        layouts.append(layout)
        rest = [*layout.rest, *rest[count:]]
    return layouts
