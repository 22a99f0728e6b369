"""The captures of one site: what its plan led to, its navigation and its copies, read once while they are in use."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sources.web.navigation import Name
    from sources.web.plan import Bounds
    from sources.web.segments import IndexEntry


def digest_of(items: "Sequence[IndexEntry]") -> str:
    """Return the digest of a site's captures, 64 hex digits."""
    content = json.dumps([[item.url, item.view, item.digest] for item in items])
    return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=4)
def captured_entries(bounds: "Bounds", views: tuple[str, ...], path: Path) -> "list[IndexEntry]":
    """Return the captures of a site in the order of its plan; they do not change while they are read."""
    from sources.web.captured_items import captured_items
    from sources.web.plan import Seeds

    return captured_items(Seeds.from_json(path.read_bytes()), bounds, views, path.parent)


@lru_cache(maxsize=4)
def navigation_of(bounds: "Bounds", views: tuple[str, ...], path: Path) -> "Mapping[str, frozenset[Name]]":
    """Return the elements that are asked about on another page of the site, by URL."""
    from sources.web.navigation import asked_elsewhere
    from sources.web.segments import element_names

    copies = copied_pages(bounds, views, path)
    entries = [entry for entry in captured_entries(bounds, views, path) if (entry.url, entry.view) not in copies]
    return asked_elsewhere(element_names(entries))


@lru_cache(maxsize=4)
def copied_pages(bounds: "Bounds", views: tuple[str, ...], path: Path) -> Mapping[tuple[str, str], str]:
    """Return the captures of a site that are copies of another one's page, as (URL, view)."""
    from sources.web.copies import copies_of
    from sources.web.segments import words_of

    return copies_of(captured_entries(bounds, views, path), words_of)


def forget() -> None:
    """Read the captures again when they are next asked for; more may have been fetched."""
    for read in (captured_entries, navigation_of, copied_pages):
        read.cache_clear()
