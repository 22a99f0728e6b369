"""The crawl of one site: visits the planned pages that are not captured yet, and saves them in segments."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sources.browser.browser import Browser, BrowserDied, BrowserSettings
from sources.browser.viewports import VIEWS
from sources.web.address_policy import Guard
from sources.web.capture import Capture
from sources.web.code.page_code import PageCoder
from sources.web.page_pool import PagePool
from sources.web.plan import SITEMAP, Bounds, Level, Seeds, levels
from sources.web.politeness import Politeness, get
from sources.web.proxy import TrafficLimits
from sources.web.segments import IndexEntry, SegmentWriter, index
from sources.web.sitemap import MAX_BYTES as MAX_SITEMAP_BYTES
from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import canonical, host_of, site_of
from sources.web.visit import Timeouts, Visit, VisitFailed, VisitResult

BEAT_S = 2.0
MAX_NESTED_SITEMAPS = 50
MAX_LISTED_PAGES = 50_000


@dataclass(frozen=True, kw_only=True)
class CrawlSettings:
    """Settings of a crawl.

    Args:
        views: names of the views.
        guard, limits: allowed connections, and how much a page may load.
        browser, patience: how pages are loaded, and the timeouts.
        bounds: how far the crawl goes.
        name: the crawler's name in robots.txt.
        agent: the whole user agent.
        delay_s, per_host: politeness.
        at_once: number of concurrent visits.
        code: also reduce pages to HTML that renders back.
    """

    views: Sequence[str]
    bounds: Bounds
    name: str
    agent: str
    guard: Guard = field(default_factory=Guard)
    limits: TrafficLimits = field(default_factory=TrafficLimits)
    browser: BrowserSettings = field(default_factory=BrowserSettings)
    patience: Timeouts = field(default_factory=Timeouts)
    delay_s: float = 1.0
    per_host: int = 2
    at_once: int = 4
    code: bool = False


class Crawl:
    """Captures the planned pages of one site that are not captured yet.

    Args:
        folder: folder of the finished segments.
        scratch: folder for segments that are being written.
        save: called with every finished segment.
        beat: called every few seconds with the number of visits since the last call.
        browser: an open browser; without it the crawl opens one.
    """

    def __init__(
        self,
        seeds: Seeds,
        settings: CrawlSettings,
        folder: Path,
        scratch: Path,
        save: Callable[[Path], None],
        beat: Callable[[int], None],
        browser: Browser | None = None,
    ):
        self._seeds, self._settings, self._folder = seeds, settings, folder
        self._writer = SegmentWriter(scratch, save)
        self._beat = beat
        self._num_done = 0
        self._polite = Politeness(settings.guard, settings.name, settings.agent, settings.delay_s, settings.per_host)
        self._at_once = asyncio.Semaphore(settings.at_once)
        self._browser = browser
        self._pool: PagePool | None = None
        self._coder: PageCoder | None = None
        self._stack = contextlib.AsyncExitStack()
        self._opening = asyncio.Lock()

    async def run(self, *, retry_failed: bool = False) -> None:
        """Crawl to the end of the plan. Raises BrowserDied if the browser cannot be started."""
        known = {key: found.links for key, found in index(self._folder).items() if not (retry_failed and found.cause)}
        async with self._stack, self._heartbeat():
            plan = levels(self._seeds, self._settings.bounds)
            try:
                level = next(plan)
                while True:
                    level = plan.send(await self._links_of(level, known))
            except StopIteration:
                pass
            finally:
                self._writer.close()

    async def _links_of(self, level: Level, known: dict[tuple[str, str], Sequence[str]]) -> dict[str, Sequence[str]]:
        """Visit the URLs of a level that are not captured in every view; return the links of all its URLs."""
        views = [SITEMAP] if level.is_sitemaps else self._settings.views
        missing = [(url, view) for url in level.urls for view in views if (url, view) not in known]
        async with asyncio.TaskGroup() as group:
            for key in missing:
                group.create_task(self._capture(*key, known))
        return {url: known[url, views[0]] for url in level.urls}

    async def _capture(self, url: str, view: str, known: dict[tuple[str, str], Sequence[str]]) -> None:
        capture = await (self._sitemap(url) if view == SITEMAP else self._page(url, view))
        known[url, view] = capture.links
        self._writer.add(capture)
        self._num_done += 1

    async def _page(self, url: str, view: str) -> Capture:
        """Visit a page; try a second time if the browser dies."""
        refused, checked = await self._polite.refusal(url)
        if refused is not None:
            cause, message = refused
            return Capture(url=url, view=view, fetched_at=_now(), permission=checked, cause=cause, message=message)
        for attempt in range(2):
            done = VisitResult()
            cause = message = ""
            async with self._polite.turn(url), self._at_once:
                pool = await self._open_pool()
                try:
                    async with pool.seat(VIEWS[view]) as seat:
                        visit = Visit(
                            seat, self._settings.patience, self._permit, self._settings.name, url, self._coder
                        )
                        done = visit.visited
                        await visit.run()
                except VisitFailed as failure:
                    cause, message = failure.cause, failure.message
                except BrowserDied as error:
                    if attempt == 0:
                        continue
                    cause, message = "browser_died", f"twice: {error}"
                break
        return Capture(
            url=url,
            view=view,
            fetched_at=_now(),
            final_url=done.final_url,
            status=done.status,
            permission=checked,
            links=() if cause else done.links,
            seen=None if cause else done.seen,
            cause=cause,
            message=message,
        )

    async def _permit(self, url: str) -> tuple[str, str] | None:
        """Return None if a redirect to a URL is allowed (same site, allowed by robots.txt), else cause and message."""
        target = canonical(url)
        if target is None or site_of(target) != self._seeds.site:
            return "left_site", f"it redirects to another site: {host_of(url) or url[:80]}"
        refused, _ = await self._polite.refusal(target)
        return None if refused is None else (refused[0], f"it redirects to {target[:200]}: {refused[1]}")

    async def _sitemap(self, url: str) -> Capture:
        """Fetch a sitemap and the sitemaps that it lists."""
        pages: list[str] = []
        waiting, seen = [url], {url}
        status, checked = None, ""
        try:
            while waiting and len(pages) < MAX_LISTED_PAGES:
                current = waiting.pop(0)
                refused, checked = await self._polite.refusal(current)
                if refused is not None:
                    raise VisitFailed(*refused)
                async with self._polite.turn(current):
                    answer = await get(current, self._settings.guard, self._settings.agent, MAX_SITEMAP_BYTES)
                status = answer.status
                if status is None or not 200 <= status < 300:
                    raise VisitFailed(answer.cause or "http_error", f"{current}: {answer.why or f'HTTP {status}'}")
                listed, nested = await asyncio.to_thread(parse_sitemap, answer.body)
                pages += [found for found in map(canonical, listed) if found is not None]
                more = [found for found in map(canonical, nested) if found and site_of(found) == self._seeds.site]
                waiting += [found for found in dict.fromkeys(more) if found not in seen][
                    : MAX_NESTED_SITEMAPS - len(seen)
                ]
                seen.update(waiting)
        except VisitFailed as failure:
            return Capture(
                url=url, view=SITEMAP, fetched_at=_now(), status=status, permission=checked,
                cause=failure.cause, message=failure.message,
            )  # fmt: skip
        except SitemapError as error:
            return Capture(
                url=url, view=SITEMAP, fetched_at=_now(), status=status, permission=checked,
                cause="bad_sitemap", message=str(error),
            )  # fmt: skip
        links = list(dict.fromkeys(pages))[:MAX_LISTED_PAGES]
        return Capture(
            url=url, view=SITEMAP, fetched_at=_now(), final_url=url, status=status, permission=checked, links=links
        )

    async def _open_pool(self) -> PagePool:
        """Return the page pool; the browser is started for the first page."""
        async with self._opening:
            if self._pool is None:
                if self._browser is None:
                    settings = dataclasses.replace(self._settings.browser, user_agent=self._settings.agent)
                    self._browser = await self._stack.enter_async_context(Browser(settings))
                if self._settings.code:
                    self._coder = await self._stack.enter_async_context(PageCoder(self._browser))
                pool = PagePool(self._browser, self._settings.guard, self._settings.limits)
                self._pool = await self._stack.enter_async_context(pool)
            return self._pool

    @contextlib.asynccontextmanager
    async def _heartbeat(self) -> AsyncIterator[None]:
        """Call `beat` and close old segments every few seconds."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(BEAT_S)
                done, self._num_done = self._num_done, 0
                self._beat(done)
                self._writer.close_if_old()

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            self._beat(self._num_done)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def known_items(seeds: Seeds, bounds: Bounds, views: Sequence[str], folder: Path) -> list[IndexEntry]:
    """Return the captures of planned pages in every view, and failed sitemaps, in the order of the plan."""
    known = index(folder)
    items: list[IndexEntry] = []
    plan = levels(seeds, bounds)
    try:
        level = next(plan)
        while True:
            names = [SITEMAP] if level.is_sitemaps else views
            for url in level.urls:
                found = [known[url, name] for name in names if (url, name) in known]
                items += [each for each in found if each.cause or not level.is_sitemaps]
            level = plan.send({url: known[url, names[0]].links for url in level.urls if (url, names[0]) in known})
    except StopIteration:
        return items
