"""Several sites in one browser: nothing passes between them, and each gives what it gives alone."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sources.browser.browser import Browser
from sources.web.address_policy import AddressPolicy
from sources.web.capture import Capture
from sources.web.captured_items import captured_items
from sources.web.crawl import Crawl, CrawlSettings
from sources.web.crawls import browser_for, run_crawls
from sources.web.plan import Seeds
from sources.web.segments import read_captures
from sources.web.visit_settings import VisitSettings
from tests.sources.web.crawling import settings_for, text_of
from tests.sources.web.hostile_site import Handler, Site, html, serving

pytestmark = pytest.mark.slow
SITES = ("first.test", "second.test", "third.test")
# What a page finds of those before it, also of other sites, and what it leaves for those after it.
LOOKS = html(
    "<p id=out></p><img src='http://shared.test/picture' width=9 height=9><script>"
    "const found = `${document.cookie}|${localStorage.length}|${sessionStorage.length}|${name}|${history.length}`;"
    "indexedDB.databases().then((bases) => {"
    "  out.textContent = `found:${found}|${bases.length}`;"
    "  document.cookie = 'a=1; max-age=1000'; localStorage.a = sessionStorage.a = 1; name = 'left';"
    "  indexedDB.open('a'); });</script>"
)


def crawl_all(
    settings: CrawlSettings, folder: Path, urls: Mapping[str, Sequence[str]], browser: Browser | None = None
) -> dict[str, list[Capture]]:
    seeds = [Seeds(site=site, pages=tuple(of_site), sitemaps=(), budget=99) for site, of_site in urls.items()]
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)

    async def run() -> None:
        async with browser or contextlib.nullcontext(), browser_for(settings, browser) as shared:
            crawls = []
            for each in seeds:
                own = folder / each.site
                own.mkdir()
                crawls.append(Crawl(each, settings, own, scratch, partial(keep, own), lambda _: None, shared))
            await run_crawls(crawls)

    asyncio.run(run())
    return {
        each.site: list(read_captures(captured_items(each, settings.bounds, settings.views, folder / each.site)))
        for each in seeds
    }


def keep(folder: Path, path: Path) -> None:
    shutil.move(path, folder / path.name)


class _Counting(Browser):
    """Counts the contexts that it opens."""

    num_contexts = 0

    def page(self, *args: Any, **named: Any) -> Any:
        self.num_contexts += 1
        return super().page(*args, **named)


def routed(site: Site, **changes: Any) -> CrawlSettings:
    routes = dict.fromkeys((*SITES, "shared.test"), ("127.0.0.1", site.server_port))
    return settings_for(site, policy=AddressPolicy(routes=routes), **changes)


def test_sites_in_one_browser_find_nothing_of_each_other(tmp_path: Path) -> None:
    asked: list[str] = []

    def picture(handler: Handler) -> None:  # which may be kept for a year
        asked.append(handler.path)
        handler.answer(b"GIF89a", kind="image/gif", Cache_Control="public, max-age=31536000, immutable")

    with serving({"/": LOOKS, "/2": LOOKS, "/picture": picture}) as site:
        urls = {name: [f"http://{name}/", f"http://{name}/2"] for name in SITES}
        settings = routed(site, at_once=1)
        browser = _Counting(settings.browser)
        found = crawl_all(settings, tmp_path, urls, browser)
    texts = [text_of(capture).strip() for of_site in found.values() for capture in of_site]
    assert texts == ["found:|0|0||2|0"] * 6
    assert len(asked) == len(SITES)  # a site's second page has it from the cache, another site has not
    assert (browser.num_started, browser.num_contexts) == (1, len(SITES))


def test_a_page_that_hangs_costs_no_other_site(tmp_path: Path) -> None:
    pages = {"/": html("<h1>Good</h1>"), "/bad": html("<script>for (;;);</script>")}
    with serving(pages) as site:
        urls = {"first.test": ["http://first.test/"], "second.test": ["http://second.test/bad", "http://second.test/"]}
        settings = routed(site, visit=VisitSettings(load_s=2, settle_s=0.5, page_s=3))
        found = crawl_all(settings, tmp_path, urls | {"third.test": ["http://third.test/"]})
    assert {name: [c.cause for c in of_site] for name, of_site in found.items()} == {
        "first.test": [""],
        "second.test": ["timeout", ""],
        "third.test": [""],
    }
