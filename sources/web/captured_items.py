"""The items of a site: the captures of its planned pages in the order of the plan, and the seeds that gave none."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from sources.web.plan import RECORD, SITEMAP, Bounds, Seeds, levels
from sources.web.segments import IndexEntry, index
from sources.web.urls import comparison_key


def captured_items(seeds: Seeds, bounds: Bounds, views: Sequence[str], folder: Path) -> list[IndexEntry]:
    """Return the captures of planned pages in every view, and what failed, in the order of the plan.

    Seeds that are no URLs, or for which the limit of pages leaves no room, are failures too. Files that pages link
    to are none.
    """
    named = {*seeds.pages, *seeds.sitemaps, seeds.archive_url}
    known = index(folder)
    items = [_never_visited(place, cause, message) for place, cause, message in seeds.refused]
    plan = levels(seeds, bounds)
    planned: set[str] = set()
    try:
        level = next(plan)
        while True:
            names = [SITEMAP] if level.is_sitemaps else views
            planned.update(map(comparison_key, level.urls))
            for url in level.urls:
                for found in (known[url, name] for name in names if (url, name) in known):
                    is_list = level.is_sitemaps and not found.cause
                    if not is_list and (found.found is not None or url in named):
                        items.append(found)
            level = plan.send({url: known[url, names[0]].found for url in level.urls if (url, names[0]) in known})
    except StopIteration:
        pass
    if seeds.archive is not None:
        listed = known.get((seeds.archive_url, SITEMAP))
        num_left = 0 if listed is None else sum(comparison_key(url) not in planned for url in listed.links)
        items += [known[key] for key in sorted(known) if key[1] == RECORD]
        if num_left:
            message = f"max_pages, max_pages_per_host, include or exclude leave out {num_left:,} pages"
            items.append(_never_visited(seeds.archive.name, "over_limit", message))
    items += [
        _never_visited(url, "over_limit", "max_pages or max_pages_per_host is spent on the seeds before it")
        for url in seeds.pages
        if comparison_key(url) not in planned
    ]
    return items


def is_captured(seeds: Seeds, bounds: Bounds, views: Sequence[str], folder: Path, *, retry_failed: bool) -> bool:
    """Return True if a crawl would visit nothing that is not captured yet.

    Args:
        retry_failed: what failed is to be visited again.
    """
    known = {key: found for key, found in index(folder).items() if not (retry_failed and found.cause)}
    plan = levels(seeds, bounds)
    try:
        level = next(plan)
        while True:
            names = [SITEMAP] if level.is_sitemaps else views
            if any((url, name) not in known for url in level.urls for name in names):
                return False
            level = plan.send({url: known[url, names[0]].found for url in level.urls})
    except StopIteration:
        return True


def _never_visited(place: str, cause: str, message: str) -> IndexEntry:
    """Return the entry of a seed that was not visited, without a file."""
    digest = hashlib.sha256(json.dumps([place, cause, message]).encode()).hexdigest()
    return IndexEntry(
        url=place, view="seed", fetched_at="", cause=cause, final_url="", links=(), digest=digest, file=None, row=0,
        message=message,
    )  # fmt: skip
