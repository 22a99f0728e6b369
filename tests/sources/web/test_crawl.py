"""Crawls: captures are kept, delays are respected, and text and boxes match the page."""

import asyncio
import dataclasses
import difflib
import io
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sources.browser.browser import Browser, BrowserDiedError, BrowserSettings
from sources.browser.viewports import VIEWS
from sources.images.encoding import luma
from sources.web.address_policy import AddressPolicy
from sources.web.bundled import FOLDER, HOST, serve
from sources.web.capture import Capture, PageContent, from_row, to_rows
from sources.web.crawl import CrawlSettings
from sources.web.page_pool import PagePool
from sources.web.plan import Bounds
from sources.web.proxy import TrafficLimits, open_proxy_session
from sources.web.samples import SampleSettings, samples_of
from sources.web.segments import index
from sources.web.urls import Scope
from sources.web.visit import Visit
from sources.web.visit_settings import VisitSettings
from tests.sources.web import crawling
from tests.sources.web.crawling import ROOT, crawl, settings_for, text_of
from tests.sources.web.hostile_site import Handler, html, serving

pytestmark = pytest.mark.slow

PAGES = [str(path.relative_to(FOLDER)) for path in sorted(FOLDER.rglob("*.html"))]
RULES = ("/robots.txt", "/.well-known/tdmrep.json")
with_each_chromium = pytest.mark.usefixtures("chromium")
ONLY_TEXT = SampleSettings(tasks={"text": 1.0}, num_questions=1, format="png", quality=90, grey="png")


@with_each_chromium
def test_a_second_crawl_fetches_only_what_is_new(tmp_path: Path) -> None:
    pages = {f"/{k}": html(f"<h1>Page {k}</h1><a href='/{k + 1}'>next</a>") for k in range(6)}
    with serving(pages) as site:
        first = crawl(settings_for(site, depth=2), tmp_path, ["/0"])
        assert site.requests == [*RULES, "/0", "/1", "/2"]
        again = crawl(settings_for(site, depth=2), tmp_path, ["/0"])
        assert site.requests == [*RULES, "/0", "/1", "/2"]
        assert [c.url for c in again] == [c.url for c in first]
        deeper = crawl(settings_for(site, depth=4), tmp_path, ["/0"])
        assert site.requests[5:] == [*RULES, "/3", "/4"]
        assert [c.url for c in deeper[:3]] == [c.url for c in first]
        small = crawl(settings_for(site, depth=4), tmp_path, ["/0"], budget=2)
        assert [c.url for c in small] == [f"{ROOT}/0", f"{ROOT}/1"]


def test_sitemaps_seed_pages(tmp_path: Path) -> None:
    listed = f"<urlset><url><loc>{ROOT}/b</loc></url><url><loc>http://other.test/</loc></url></urlset>"
    nested = f"<sitemapindex><sitemap><loc>{ROOT}/inner.xml</loc></sitemap></sitemapindex>"

    def xml(text: str) -> Callable[[Any], None]:
        return lambda handler: handler.answer(text, kind="application/xml")

    pages = {"/map.xml": xml(nested), "/inner.xml": xml(listed), "/b": html("<h1>B</h1>"), "/bad.xml": xml("<urlset>")}
    with serving(pages) as site:
        found = crawl(settings_for(site), tmp_path, [], sitemaps=["/map.xml", "/bad.xml"])
    assert [(c.url.removeprefix(ROOT), c.cause) for c in found] == [("/bad.xml", "bad_sitemap"), ("/b", "")]


def test_pauses_that_a_host_asks_for_are_kept(tmp_path: Path) -> None:
    asked: list[float] = []

    def page(handler: Handler) -> None:
        asked.append(time.monotonic())
        handler.answer(html("<h1>Slowly</h1>"))

    def robots(handler: Handler) -> None:
        handler.answer("User-agent: vellum\nCrawl-delay: 0.7\n", kind="text/plain")

    with serving({"/robots.txt": robots, "/1": page, "/2": page, "/3": page}) as site:
        crawl(settings_for(site), tmp_path, ["/1", "/2", "/3"])
    assert len(asked) == 3
    assert min(b - a for a, b in itertools.pairwise(asked)) > 0.69


def test_robots_that_do_not_come_forbid_everything(tmp_path: Path) -> None:
    with serving({"/robots.txt": lambda h: h.answer("", status=503), "/1": html("<h1>1</h1>")}) as site:
        (found,) = crawl(settings_for(site), tmp_path, ["/1"])
        assert (found.cause, found.permission) == ("robots", "robots.txt 503")
        assert "/1" not in site.requests


@pytest.mark.parametrize(
    ("address", "cause", "why"),
    [
        ("10.0.0.7", "address_refused", "private"),
        ("127.0.0.2", "unreachable", "Connect call failed"),
        ("", "unreachable", "no address"),
    ],
)
def test_hosts_that_are_not_reached_say_why(tmp_path: Path, address: str, cause: str, why: str) -> None:
    """Their robots.txt cannot be read either, but that is not the reported cause."""

    async def resolver(host: str, port: int) -> list[str]:
        return [address] if address else []

    with serving({}) as site:
        policy = AddressPolicy(resolver=resolver, allow=("127.0.0.0/8",))
        (found,) = crawl(settings_for(site, policy=policy), tmp_path, ["/"])
    assert (found.cause, found.permission) == (cause, "robots.txt unanswered")
    assert why in found.message


@with_each_chromium
def test_a_killed_browser_is_started_again(tmp_path: Path) -> None:
    killed: list[int] = []

    def page(handler: Handler) -> None:
        if not killed:
            for pid in _browsers():
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)
        handler.answer(html("<h1>Survived</h1>"))

    with serving({"/1": page, "/2": page, "/3": html("<h1>Third</h1>")}) as site:
        found = crawl(settings_for(site), tmp_path, ["/1", "/2", "/3"])
        assert killed
        assert [c.cause for c in found] == ["", "", ""]
        assert max(map(site.requests.count, ("/1", "/2", "/3"))) == 2  # tried once more


def _browsers() -> list[int]:
    """Return the browser processes below this one, without renderers and other helpers."""
    from sources.browser.processes import descendants

    found = []
    for pid in descendants(os.getpid()):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"--remote-debugging-pipe" in line and b"--type=" not in line:
            found.append(pid)
    return found


@with_each_chromium
def test_browsers_are_replaced_and_end_with_their_crawl() -> None:
    async def run() -> tuple[int, list[int]]:
        async with Browser(BrowserSettings(pages_per_browser=2)) as browser:
            for _ in range(5):
                async with browser.page(VIEWS["square"]) as page:
                    await page.set_content("<p>x</p>")
            return browser.num_started, _browsers()

    num_started, running = asyncio.run(run())
    assert num_started == 3
    assert running
    assert not _browsers()


@with_each_chromium
def test_a_browser_that_is_killed_while_a_window_opens_does_not_hold_up() -> None:
    """At several moments: Playwright never answers the call that makes a page when the browser goes during it."""

    async def run() -> None:
        async with Browser(BrowserSettings()) as browser:

            async def opened() -> None:
                async with browser.page(VIEWS["square"]):
                    pass

            outcomes = []
            for num_turns in range(5, 55, 7):
                await opened()
                opening = asyncio.create_task(opened())
                for _ in range(num_turns):
                    await asyncio.sleep(0.001)  # the driver's answers come in between
                browser.kill()
                async with asyncio.timeout(20):
                    outcomes += await asyncio.gather(opening, return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, BrowserDiedError) for outcome in outcomes)
            assert any(outcomes)

    asyncio.run(run())


def test_a_browser_that_cannot_start_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with Browser(BrowserSettings(program="/bin/true")) as browser, browser.page(VIEWS["square"]):
            pass

    with pytest.raises(BrowserDiedError, match="does not start"):
        asyncio.run(run())


@with_each_chromium
def test_pages_reach_nothing_without_a_proxy() -> None:
    with serving({"/": html("here")}) as site:

        async def run() -> str:
            async with Browser(BrowserSettings()) as browser, browser.page(VIEWS["square"]) as page:
                return await page.evaluate(
                    "url => fetch(url, {mode: 'no-cors'}).then(() => 'reached', () => 'refused')",
                    f"http://127.0.0.1:{site.server_port}/",
                )

        assert asyncio.run(run()) == "refused"
        assert site.requests == []


def _bundled(tmp_path: Path, paths: list[str], **changes: Any) -> list[Capture]:
    with serve() as place:
        settings = CrawlSettings(
            views=("square",),
            bounds=Bounds(depth=0, max_pages_per_host=99, scope=Scope()),
            name="vellum",
            agent="Vellum/test",
            policy=AddressPolicy(routes={HOST: place}),
            delay_s=0,
            per_host=4,
        )
        original, crawling.HOST, crawling.ROOT = (crawling.HOST, crawling.ROOT), HOST, f"http://{HOST}"
        try:
            return crawl(dataclasses.replace(settings, **changes), tmp_path, [f"/{path}" for path in paths])
        finally:
            crawling.HOST, crawling.ROOT = original


@pytest.mark.parametrize("view", ["square", "phone"])
def test_text_is_the_pages_own_and_boxes_hold_ink(tmp_path: Path, view: str) -> None:
    """Compare with `innerText` on pages without controls and cut-off text; every box must contain ink."""
    found = _bundled(tmp_path, PAGES, views=(view,), visit=VisitSettings(max_tiles=8))
    assert len(found) == len(PAGES)
    for capture, own in zip(found, asyncio.run(_inner_texts([capture.url for capture in found])), strict=True):
        ours = "".join(text_of(capture).split())  # margins are no spaces to `innerText`
        if view == "square" and "<form" not in (FOLDER / capture.url.partition(HOST)[2].lstrip("/")).read_text():
            assert difflib.SequenceMatcher(None, ours, "".join(own.split()), autojunk=False).ratio() >= 0.98, (
                capture.url
            )
        seen = capture.content
        assert seen is not None
        grey = np.concatenate([luma(Image.open(io.BytesIO(image)).convert("RGB")) for image in seen.screenshot.images])
        for text, (x0, y0, x1, y1) in zip(seen.texts, seen.boxes.round().astype(int), strict=True):
            inside = grey[max(0, y0) : y1, max(0, x0) : x1]
            assert int(inside.max()) - int(inside.min()) >= 24, (capture.url, text)
        (sample,) = samples_of(capture, "0" * 64, f"view={view}", ONLY_TEXT)
        assert len(sample.words.texts) == len(seen.texts)
        assert sample.text.count("<image>") == len(sample.images)


async def _inner_texts(urls: list[str]) -> list[str]:
    """Return the `innerText` of each page."""
    texts = []
    with serve() as place:
        async with (
            Browser(BrowserSettings()) as browser,
            open_proxy_session(AddressPolicy(routes={HOST: place}), TrafficLimits()) as proxy_session,
            browser.page(VIEWS["square"], proxy=proxy_session.address) as page,
        ):
            for url in urls:
                await page.goto(url)
                texts.append(str(await page.evaluate("document.body.innerText")))
    return texts


@with_each_chromium
def test_boxes_are_tight() -> None:
    """The ink of a lone word in a row matches its box, within a few pixels."""
    page = html("<body style='margin:0;font:32px Liberation Sans'><p style='margin:50px 100px'>Hxg</p>")
    with serving({"/": page}) as site:

        async def run() -> PageContent | None:
            settings = settings_for(site)
            async with (
                Browser(settings.browser) as browser,
                PagePool(browser, settings.policy, settings.limits) as pool,
                pool.page(VIEWS["square"]) as pooled_page,
            ):
                return (await Visit(pooled_page, settings.visit, _permit, "vellum", f"{ROOT}/").run()).content

        seen = asyncio.run(run())
    assert seen is not None
    grey = luma(Image.open(io.BytesIO(seen.screenshot.images[0])).convert("RGB"))
    rows, columns = np.nonzero(grey < 128)
    x0, y0, x1, y1 = seen.boxes[0]
    assert abs(columns.min() - x0) <= 4
    assert abs(columns.max() - x1) <= 4
    assert y0 <= rows.min() <= rows.max() <= y1
    assert (y1 - y0) < 1.4 * (rows.max() - rows.min())


async def _permit(url: str) -> None:
    return None


def test_captures_survive_their_segments(tmp_path: Path) -> None:
    (found,) = _bundled(tmp_path, ["docs/index.html"])
    (row,) = to_rows([found]).to_pylist()
    again = from_row(row)
    assert to_rows([again]).to_pylist() == [row]
    (known,) = index(tmp_path).values()
    assert known.digest == row["digest"]
