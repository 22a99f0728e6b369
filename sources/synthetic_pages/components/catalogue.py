"""All components by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sources.synthetic_pages.components.articles import (
    article,
    contents,
    entries,
    gallery,
    pages,
    path,
    results,
)
from sources.synthetic_pages.components.context import ComponentContext, Content
from sources.synthetic_pages.components.figures import (
    activity,
    bars,
    comparison,
    files,
    month,
    progress,
    table,
    tiles,
    trend,
)
from sources.synthetic_pages.components.frame import checks, filters, footer, header, heading, notice, side, tabs
from sources.synthetic_pages.components.marketing import cards, faq, hero, pricing, product, products, quotes, steps
from sources.synthetic_pages.components.people import chat, form, login, profile, switches


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a page: the name of its template, and the function that makes its content."""

    template: str
    make_content: Callable[[ComponentContext], Content]


COMPONENTS: Mapping[str, Component] = {
    **{
        function.__name__: Component(function.__name__, function)
        for function in (
            header, hero, cards, products, product, pricing, tiles, bars, table, article, entries, pages, chat, form,
            switches, login, faq, profile, gallery, files, steps, quotes, notice, side, heading, footer, trend,
            activity, progress, comparison, tabs, checks, contents, path,
        )
    },
    "results": Component("entries", results),
    "filters": Component("side", filters),
    "month": Component("calendar", month),
}  # fmt: skip
