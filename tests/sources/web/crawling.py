"""Crawls of test sites without a pipeline."""

import asyncio
import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sources.web.address_policy import AddressPolicy
from sources.web.capture import Capture
from sources.web.captured_items import captured_items
from sources.web.crawl import CrawlSettings
from sources.web.crawls import crawl_site
from sources.web.plan import Bounds, Seeds
from sources.web.politeness import Patience
from sources.web.proxy import TrafficLimits
from sources.web.segments import read_captures
from sources.web.urls import Scope
from sources.web.visit_settings import VisitSettings
from tests.sources.web.hostile_site import Site

HOST, OTHER_HOST = "site.test", "other.test"
ROOT = f"http://{HOST}"


def settings_for(site: Site, **changes: Any) -> CrawlSettings:
    """Return settings that route a host to a site, without delays and with short timeouts."""
    depth, scope = changes.pop("depth", 0), changes.pop("scope", Scope())
    settings = CrawlSettings(
        views=("square",),
        bounds=Bounds(depth=depth, max_pages_per_host=1000, scope=scope),
        name="vellum",
        agent="Vellum/test (+mailto:tests@vellum.example)",
        policy=AddressPolicy(routes=dict.fromkeys((HOST, OTHER_HOST), ("127.0.0.1", site.server_port))),
        limits=TrafficLimits(response_mb=8, page_mb=10, response_s=10),
        visit=VisitSettings(load_s=4, settle_s=1, page_s=9),
        delay_s=0,
        patience=Patience(waits_s=(0.05, 0.1), most_s=2),
        per_host=4,
        at_once=4,
    )
    return dataclasses.replace(settings, **changes)


def crawl(
    settings: CrawlSettings, folder: Path, paths: Sequence[str], *, sitemaps: Sequence[str] = (), budget: int = 1000
) -> list[Capture]:
    """Crawl from these paths of HOST; return all captures in the order of the plan. `folder` keeps the segments."""
    urls, listed = ([ROOT + path for path in given] for given in (paths, sitemaps))
    return crawl_urls(settings, folder, urls, site=HOST, sitemaps=listed, budget=budget)


def crawl_urls(
    settings: CrawlSettings,
    folder: Path,
    urls: Sequence[str],
    *,
    site: str,
    sitemaps: Sequence[str] = (),
    budget: int = 1000,
) -> list[Capture]:
    """Crawl from these URLs of one site; return all captures in the order of the plan."""
    seeds = Seeds(site=site, pages=tuple(urls), sitemaps=tuple(sitemaps), budget=budget)
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    asyncio.run(crawl_site(seeds, settings, folder, scratch, lambda path: _keep(path, folder)))
    return list(read_captures(captured_items(seeds, settings.bounds, settings.views, folder)))


def _keep(path: Path, folder: Path) -> None:
    shutil.move(path, folder / path.name)


def text_of(capture: Capture) -> str:
    """Return the text of a capture, from its words and separators."""
    assert capture.content is not None, (capture.url, capture.cause, capture.message)
    return "".join(
        separator + text for separator, text in zip(capture.content.separators, capture.content.texts, strict=True)
    )
