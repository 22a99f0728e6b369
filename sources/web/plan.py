"""The plan of a crawl: which pages of a site are visited, and in which order.

The plan proceeds level by level and depends only on the links of the pages, not on which page answers first. So the
same captures always give the same list of pages, and a crawl that is resumed, or has a larger limit, keeps the order of
the pages it already has.
"""

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from sources.web.urls import Scope, host_of, site_of

SITEMAP = "sitemap"  # the name used instead of a view


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeds:
    """The start of a site's crawl.

    Args:
        site: the registrable domain of its pages.
        pages, sitemaps: canonical URLs.
        budget: maximum number of pages to visit.
    """

    site: str
    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]
    budget: int

    def to_json(self) -> bytes:
        content = {"site": self.site, "pages": self.pages, "sitemaps": self.sitemaps, "budget": self.budget}
        return json.dumps(content, ensure_ascii=False).encode()

    @staticmethod
    def from_json(data: bytes) -> "Seeds":
        content = json.loads(data)
        return Seeds(
            site=content["site"],
            pages=tuple(content["pages"]),
            sitemaps=tuple(content["sitemaps"]),
            budget=content["budget"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How far a crawl goes.

    Args:
        depth: maximum number of links from a seed to a page.
        max_pages_per_host: maximum number of pages per host.
        scope: which links are followed.
    """

    depth: int
    max_pages_per_host: int
    scope: Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """URLs to visit before the next level can be planned; `is_sitemaps` for sitemaps, which come before all pages."""

    urls: Sequence[str]
    is_sitemaps: bool = False


def levels(seeds: Seeds, bounds: Bounds) -> Generator[Level, Mapping[str, Sequence[str]], None]:
    """Yield the levels; the caller sends the links of each URL of a level to get the next one."""
    found = list(seeds.pages)
    if seeds.sitemaps:
        listed = yield Level(urls=seeds.sitemaps, is_sitemaps=True)
        # A sitemap may list pages of its site only; include and exclude patterns apply to them.
        hosts = frozenset(map(host_of, (*seeds.pages, *seeds.sitemaps)))
        links = [link for sitemap in seeds.sitemaps for link in listed.get(sitemap, ())]
        found += [link for link in links if bounds.scope.has(link, seeds.site, hosts)]
    hosts = frozenset(map(host_of, found))
    known: set[str] = set()
    per_host: Counter[str] = Counter()
    for _ in range(bounds.depth + 1):
        level = []
        for url in found:
            if url in known or len(known) >= seeds.budget or per_host[host_of(url)] >= bounds.max_pages_per_host:
                continue
            known.add(url)
            per_host[host_of(url)] += 1
            level.append(url)
        if not level:
            return
        linked = yield Level(urls=level)
        links = [link for url in level for link in linked.get(url, ())]
        found = [link for link in links if bounds.scope.has(link, seeds.site, hosts)]


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


def by_site(pages: Sequence[str], sitemaps: Sequence[str]) -> dict[str, tuple[list[str], list[str]]]:
    """Group pages and sitemaps by site, in the given order."""
    sites: dict[str, tuple[list[str], list[str]]] = {}
    for kind, urls in enumerate((pages, sitemaps)):
        for url in dict.fromkeys(urls):
            sites.setdefault(site_of(url), ([], []))[kind].append(url)
    return sites
