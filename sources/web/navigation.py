"""Navigation: elements that many pages of a site have in common, which are asked about on one page only."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping

MIN_PAGES = 3  # with the same element, from which on it is part of the site and not of the page
Name = tuple[str, str]  # role and accessible name


def asked_elsewhere(elements: Mapping[str, Collection[Name]]) -> dict[str, frozenset[Name]]:
    """Return for every page the elements that are asked about on another page of the site.

    Args:
        elements: elements by URL of the page.
    """
    pages: dict[Name, list[str]] = defaultdict(list)
    for url, names in elements.items():
        for name in set(names):
            pages[name].append(url)
    chosen = {
        name: min(urls, key=lambda url: _rank(url, name)) for name, urls in pages.items() if len(urls) >= MIN_PAGES
    }
    return {url: frozenset(n for n in names if chosen.get(n, url) != url) for url, names in elements.items()}


def _rank(url: str, name: Name) -> bytes:
    """Return a number by which the pages of an element are in random order, the same in every run."""
    return hashlib.sha256("\n".join((url, *name)).encode()).digest()
