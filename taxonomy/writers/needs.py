"""The things that a writer can need of a sample, by name: it is asked only about samples that have them."""

from collections.abc import Callable, Mapping, Sequence

from taxonomy.writers.page import Page

MIN_CHARS = 20

_CHECKS: Mapping[str, tuple[str, Callable[[Page], bool]]] = {
    "text": ("a text in reading order, of one picture", lambda page: len(page.text) >= MIN_CHARS and bool(page.words)),
    "words": ("words with their boxes", lambda page: len(page.words) >= 2),
    "lines": ("lines of text that are one row in the picture", lambda page: len(page.clear_lines) >= 2),
    "sentences": ("sentences whose beginning and end are certain", lambda page: bool(page.sentences)),
    "section": ("a heading with its own paragraph below it", lambda page: bool(page.sections)),
    "title": ("a heading in the largest type, at the top", lambda page: page.title is not None),
    "table": ("a table that is printed in the picture", lambda page: bool(page.printed_tables)),
    "chart": ("a chart with its data as a table that is not printed", lambda page: _has_chart(page)),
}
NEIGHBOURS = "pages"  # a page before or after it in the same document
NEEDS: Mapping[str, str] = {name: about for name, (about, _) in _CHECKS.items()} | {
    NEIGHBOURS: "another page of the same document, with text"
}


def has_needs(needs: Sequence[str], pages: Sequence[Page], k: int) -> bool:
    """Return True if page `k` has everything in `needs`."""
    return all(bool(neighbours(pages, k)) if need == NEIGHBOURS else _CHECKS[need][1](pages[k]) for need in needs)


def neighbours(pages: Sequence[Page], k: int, reach: int = 1) -> list[int]:
    """Return the pages of the same document, with text, that are at most `reach` places away; nearest first."""
    found = [j for j in range(max(0, k - reach), min(len(pages), k + reach + 1)) if j != k]
    document = pages[k].sample.provenance.digest
    found = [j for j in found if pages[j].sample.provenance.digest == document and pages[j].text]
    return sorted(found, key=lambda j: (abs(j - k), j))


def _has_chart(page: Page) -> bool:
    return page.sample.source == "charts" and bool(page.tables) and not page.printed_tables
