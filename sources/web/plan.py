"""The plan of a crawl: which pages of a share are visited, and in which order.

It goes level by level, and depends on what the pages link to alone, not on which of them answers first. So the same
captures always give the same list of pages, and a crawl that goes on where it was stopped, or with a larger limit,
finds the pages it has in their old places.
"""

import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from sources.web.urls import Scope, host_of, site_of

SITEMAP = "sitemap"  # in place of a view


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeds:
    """What a share begins with.

    Args:
        site: the registrable domain that its pages are on.
        pages, sitemaps: canonical URLs.
        budget: pages to visit at most.
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
        depth: links from a seed to a page, at most.
        max_pages_per_host: pages of one host.
        scope: which links are followed.
    """

    depth: int
    max_pages_per_host: int
    scope: Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """URLs to be visited before more is known; `is_sitemaps` for the lists that stand before all pages."""

    urls: Sequence[str]
    is_sitemaps: bool = False


def levels(seeds: Seeds, bounds: Bounds) -> Generator[Level, Mapping[str, Sequence[str]], None]:
    """Yields levels, and wants to be sent the links of each URL of a level before it yields the next."""
    found = list(seeds.pages)
    if seeds.sitemaps:
        listed = yield Level(urls=seeds.sitemaps, is_sitemaps=True)
        # A sitemap speaks for its own site; include and exclude patterns hold for what it lists.
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
    """Pages for each share, so that no clock or counter has to be shared: fair, and no more than a share wants.

    Args:
        wants: pages that a share can have at most; None: nobody knows.
    """
    budgets = [0] * len(wants)
    left = max_pages
    open_shares = list(range(len(wants)))
    while left and open_shares:
        each, rest = divmod(left, len(open_shares))
        for rank, share in enumerate(open_shares):
            offer = each + (rank < rest)
            want = wants[share]
            taken = offer if want is None else min(offer, want - budgets[share])
            budgets[share] += taken
            left -= taken
        open_shares = [share for share in open_shares if wants[share] is None or budgets[share] < (wants[share] or 0)]
    return budgets


def by_site(pages: Sequence[str], sitemaps: Sequence[str]) -> dict[str, tuple[list[str], list[str]]]:
    """Seeds and sitemaps of each site, in the order in which they were named."""
    sites: dict[str, tuple[list[str], list[str]]] = {}
    for kind, urls in enumerate((pages, sitemaps)):
        for url in dict.fromkeys(urls):
            sites.setdefault(site_of(url), ([], []))[kind].append(url)
    return sites
