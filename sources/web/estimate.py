"""The estimate of a crawl before anything is fetched: pages, hosts, time and bytes, from the seeds and the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from sources.web.plan import Seeds
from sources.web.urls import host_of
from sources.wording import counted

SITES, ARCHIVES = "sites", "archives"
# Seconds for a visit with the default four visits at a time, on two cores: docs/benchmarks.md, "Web pages".
VISIT_S, VISIT_WITH_CODE_S = 1 / 6.55, 1 / 3.59


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a crawl comes to.

    Args:
        num_pages: pages; at most so many where links or sitemaps are followed.
        num_hosts, num_sites: hosts and sites of the seeds.
        is_exact: no links and no sitemaps are followed.
        seconds: time with this many processes, if hosts answer at once; pauses included.
        num_bytes: captures on disk.
    """

    num_pages: int
    num_hosts: int
    num_sites: int
    is_exact: bool
    seconds: float
    num_bytes: float


def estimate(
    sites: Sequence[Seeds],
    *,
    depth: int,
    delay_s: float,
    num_views: int,
    code: bool,
    capture_bytes: float,
    workers: int,
) -> Estimate:
    """Estimate the crawl of some sites.

    Args:
        capture_bytes: bytes of one capture.
        workers: processes, each of which crawls one site at a time.
    """
    visit_s = VISIT_WITH_CODE_S if code else VISIT_S
    pages, seconds, hosts, is_exact = [0], [0.0], set[str](), True
    for seeds in sites:
        follows = depth > 0 or bool(seeds.sitemaps) or seeds.archive is not None
        of_site = {host_of(url) for url in (*seeds.pages, *seeds.sitemaps)}
        pages.append(seeds.budget if follows else min(seeds.budget, len(seeds.pages)))
        seconds.append(num_views * pages[-1] * max(visit_s, delay_s / max(1, len(of_site))))
        hosts |= of_site
        is_exact = is_exact and not follows
    return Estimate(
        num_pages=sum(pages),
        num_hosts=len(hosts),
        num_sites=len(sites),
        is_exact=is_exact,
        seconds=max(max(seconds), sum(seconds) / workers),
        num_bytes=sum(pages) * num_views * capture_bytes,
    )


def spoken(found: Estimate, workers: int, kind: str = SITES) -> str:
    """Return the estimate as a sentence.

    Args:
        kind: SITES or ARCHIVES, of which no host is asked.
    """
    most = "" if found.is_exact else "at most "
    sites = f"{counted(found.num_hosts, 'host')} of {counted(found.num_sites, 'site')}"
    of = sites if kind == SITES else counted(found.num_sites, "archive")
    at_once = " if hosts answer at once" if kind == SITES else ""
    return (
        f"{most}{counted(found.num_pages, 'page')}, from {of}: about {found.seconds / 60:,.1f} minutes with "
        f"{counted(workers, 'worker')}{at_once}, and {found.num_bytes / 1e6:,.0f} MB of captures"
    )
