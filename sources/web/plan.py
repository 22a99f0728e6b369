"""The plan of a crawl: which pages of a site are visited, and in which order.

The plan proceeds level by level and depends only on the links of the pages, not on which page answers first. So the
same captures always give the same list of pages, and a crawl that is resumed, or has a larger limit, keeps the order of
the pages it already has.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.base.remote import BudgetUse
from sources.web.archive.files import Archive
from sources.web.urls import Scope, comparison_key, host_of, site_of

SITEMAP = "sitemap"  # the name used instead of a view, for archives too
RECORD = "record"  # instead of a view, for records of an archive that cannot be read
ARCHIVE = "archive:"  # before the name of an archive, instead of a URL


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeds:
    """The start of a site's crawl.

    Args:
        site: the registrable domain of its pages.
        pages, sitemaps: canonical URLs.
        budget: maximum number of pages to visit.
        refused: seeds that are no URLs, as (place or URL, cause, message); they are failed pages.
        archive: an archive, whose pages are visited in it and nowhere else.
        more: pages on top of `budget`, which other sites left.
    """

    site: str
    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]
    budget: int
    refused: tuple[tuple[str, str, str], ...] = ()
    archive: Archive | None = None
    more: int = 0

    @property
    def most(self) -> int:
        """Maximum number of pages to visit."""
        return self.budget + self.more

    @property
    def archive_url(self) -> str:
        """What stands for the archive where pages and sitemaps have a URL."""
        return f"{ARCHIVE}{self.archive.name}" if self.archive is not None else ""

    def to_json(self, *, with_paths: bool = True) -> bytes:
        """Return it as JSON, for `from_json`; without the places of files it is the same on every machine."""
        content: dict[str, Any] = {
            "site": self.site,
            "pages": self.pages,
            "sitemaps": self.sitemaps,
            "budget": self.budget,
        }
        if self.refused:
            content["refused"] = self.refused
        if self.archive is not None:
            content["archive"] = dataclasses.asdict(self.archive)
            if not with_paths:
                del content["archive"]["paths"]
        if self.more:
            content["more"] = self.more
        return json.dumps(content, ensure_ascii=False).encode()

    @staticmethod
    def from_json(data: bytes) -> "Seeds":
        content = json.loads(data)
        return Seeds(
            site=content["site"],
            pages=tuple(content["pages"]),
            sitemaps=tuple(content["sitemaps"]),
            budget=content["budget"],
            refused=tuple((place, cause, message) for place, cause, message in content.get("refused", ())),
            archive=_archive(content.get("archive")),
            more=content.get("more", 0),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How far a crawl goes.

    Args:
        depth: maximum number of links from a seed to a page.
        max_pages_per_host: maximum number of pages per host.
        scope: which links are followed.
        robots_sitemaps: also follow the sitemaps that a robots.txt names, as if the seeds linked to their pages.
    """

    depth: int
    max_pages_per_host: int
    scope: Scope
    robots_sitemaps: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """URLs to visit before the next level can be planned; `is_sitemaps` for sitemaps, which come before all pages."""

    urls: Sequence[str]
    is_sitemaps: bool = False


def levels(seeds: Seeds, bounds: Bounds) -> Generator[Level, Mapping[str, Sequence[str] | None], BudgetUse]:
    """Yield the levels; the caller sends the links of each URL of a level to get the next one.

    At the end it returns what became of the budget. None instead of links means that the URL is a file and no page, so
    that another page takes its place.
    """
    listed: Mapping[str, Sequence[str] | None] = {}
    if seeds.archive is not None:
        listed = yield Level(urls=[seeds.archive_url], is_sitemaps=True)
        pages = [url for url in listed.get(seeds.archive_url) or () if bounds.scope.matches(url)]
        return (yield from _of_archive(pages, seeds.most, bounds.max_pages_per_host))
    of_seeds = frozenset(map(host_of, (*seeds.pages, *seeds.sitemaps)))
    if seeds.sitemaps:
        listed = yield Level(urls=seeds.sitemaps, is_sitemaps=True)
    found = [*seeds.pages, *_in_scope(seeds.sitemaps, listed, seeds, bounds, of_seeds)]
    hosts = frozenset(map(host_of, found))
    known: set[str] = set()
    per_host: Counter[str] = Counter()
    num_pages = 0
    left: set[str] = set()  # for which there was no budget
    for depth in range(bounds.depth + 1):
        level = []
        for url in found:
            key = comparison_key(url)
            if key in known or per_host[host_of(url)] >= bounds.max_pages_per_host:
                continue
            if num_pages >= seeds.most:
                left.add(key)
                continue
            known.add(key)
            num_pages += 1
            per_host[host_of(url)] += 1
            level.append(url)
        if not level:
            break
        linked = yield Level(urls=level)
        for url in level:
            if linked.get(url, ()) is None:
                num_pages -= 1
                per_host[host_of(url)] -= 1
        found = _in_scope(level, linked, seeds, bounds, hosts)
        if depth == 0 and bounds.depth and bounds.robots_sitemaps:  # they count as links of the seeds
            rules = list(dict.fromkeys(f"{url.partition('://')[0]}://{host_of(url)}/robots.txt" for url in level))
            listed = yield Level(urls=rules, is_sitemaps=True)
            found += _in_scope(rules, listed, seeds, bounds, hosts)
    wanted = None if left and depth < bounds.depth else len(left - known)  # what these pages link to is not known
    return BudgetUse(unused=max(0, seeds.most - num_pages), wanted=wanted)


def _of_archive(
    pages: Sequence[str], budget: int, most_per_host: int
) -> Generator[Level, Mapping[str, Sequence[str] | None], BudgetUse]:
    """Yield the one level of an archive: links are not followed, as what they lead to is a page of its own there."""
    per_host: Counter[str] = Counter()
    level: list[str] = []
    num_left = 0
    for url in pages:
        if per_host[host_of(url)] >= most_per_host:
            continue
        if len(level) == budget:
            num_left += 1
            continue
        per_host[host_of(url)] += 1
        level.append(url)
    if level:
        yield Level(urls=level)
    return BudgetUse(unused=budget - len(level), wanted=num_left)


def _in_scope(
    urls: Sequence[str],
    linked: Mapping[str, Sequence[str] | None],
    seeds: Seeds,
    bounds: Bounds,
    hosts: frozenset[str],
) -> list[str]:
    """Return the links of URLs that are in the scope of the crawl."""
    links = (link for url in urls for link in linked.get(url) or ())
    return [link for link in links if bounds.scope.has(link, seeds.site, hosts)]


def split_budget(max_pages: int, wants: Sequence[int | None]) -> list[int]:
    """Divide the page limit fairly among sites, so that their crawls need no common counter.

    Args:
        max_pages: the limit for all sites.
        wants: maximum pages of each site; None if unknown.
    Returns:
        Page limit of each site.
    """
    budgets = [0] * len(wants)
    left = max_pages
    open_sites = list(range(len(wants)))
    while left and open_sites:
        each, rest = divmod(left, len(open_sites))
        for rank, site in enumerate(open_sites):
            offer = each + (rank < rest)
            want = wants[site]
            taken = offer if want is None else min(offer, want - budgets[site])
            budgets[site] += taken
            left -= taken
        open_sites = [site for site in open_sites if wants[site] is None or budgets[site] < (wants[site] or 0)]
    return budgets


def _archive(content: dict[str, Any] | None) -> Archive | None:
    return None if content is None else Archive(**{**content, "paths": tuple(content["paths"])})


def moved_budgets(uses: Mapping[str, BudgetUse]) -> dict[str, int]:
    """Return how many pages more the sites may have that others left, by name; the same in whatever order they come."""
    names = sorted(uses)
    unused = sum(uses[name].unused for name in names)
    shares = split_budget(unused, [uses[name].wanted for name in names])
    return {name: share for name, share in zip(names, shares, strict=True) if share}


def by_site(pages: Sequence[str], sitemaps: Sequence[str]) -> dict[str, tuple[list[str], list[str]]]:
    """Group pages and sitemaps by site, in the given order."""
    sites: dict[str, tuple[list[str], list[str]]] = {}
    for kind, urls in enumerate((pages, sitemaps)):
        for url in dict.fromkeys(urls):
            sites.setdefault(site_of(url), ([], []))[kind].append(url)
    return sites
