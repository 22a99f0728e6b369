"""Lists of pages, as a crawl fetches them: sitemaps, feeds, and the sitemaps that a robots.txt names."""

import asyncio
from typing import TYPE_CHECKING

from sources.web.capture import Capture, now
from sources.web.plan import SITEMAP
from sources.web.politeness import Politeness
from sources.web.sitemap import MAX_BYTES as MAX_SITEMAP_BYTES
from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import canonical, site_of
from sources.web.visit_result import VisitError

if TYPE_CHECKING:
    from sources.web.archive.rules import ArchiveRules

MAX_NESTED = 500  # sitemaps that a sitemap names
MAX_LISTED_PAGES = 50_000


async def fetch_list(polite: "Politeness | ArchiveRules", site: str, url: str) -> Capture:
    """Fetch a list of pages and the lists that it names; those of a robots.txt are the sitemaps that it names.

    A list that cannot be read costs only its own pages, unless there are no others.
    """
    refused, checked = await polite.refusal(url)
    pages: list[str] = []
    failures: list[tuple[int | None, str, str]] = []
    is_robots = url.endswith("/robots.txt")
    waiting = [url] if refused is None else []
    if is_robots and waiting:
        waiting = [found for found in map(canonical, await polite.sitemaps(url)) if found is not None]
    if refused is not None and not is_robots:
        failures.append((None, *refused))
    seen = set(waiting)
    status = None
    while waiting and len(pages) < MAX_LISTED_PAGES:
        current = waiting.pop(0)
        try:
            status, listed, nested = await _pages_in(polite, current)
        except VisitError as failure:
            failures.append((failure.status, failure.cause, failure.message))
            continue
        pages += [found for found in map(canonical, listed) if found is not None]
        for found in map(canonical, nested):
            if found and found not in seen and site_of(found) == site and len(seen) < MAX_NESTED:
                seen.add(found)
                waiting.append(found)
    cause = message = ""
    if failures and not pages:
        status, cause, message = failures[0]
    elif failures:
        message = f"{len(failures)} lists cannot be read, the first: {failures[0][2]}"
    links = list(dict.fromkeys(pages))[:MAX_LISTED_PAGES]
    return Capture(
        url=url, view=SITEMAP, fetched_at=now(), final_url="" if cause else url, status=status,
        permission=checked, links=links, cause=cause, message=message,
    )  # fmt: skip


async def _pages_in(polite: "Politeness | ArchiveRules", url: str) -> tuple[int, list[str], list[str]]:
    """Fetch a sitemap or feed; return the status, and the URLs of pages and of further sitemaps as written."""
    refused, _ = await polite.refusal(url)
    if refused is not None:
        raise VisitError(*refused)
    answer = await polite.get(url, MAX_SITEMAP_BYTES)
    if answer.status is None or not 200 <= answer.status < 300:
        why = answer.why or f"HTTP {answer.status}"
        raise VisitError(answer.cause or "http_error", f"{url}: {why}", answer.status)
    try:
        return answer.status, *await asyncio.to_thread(parse_sitemap, answer.body)
    except SitemapError as error:
        raise VisitError("bad_sitemap", str(error), answer.status) from error
