"""The crawl of one site: visits the planned pages that are not captured yet, and saves them in segments."""

import asyncio
import contextlib
import dataclasses
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sources.base.remote import BudgetUse, Fetched
from sources.browser.browser import BrowserDiedError, BrowserSettings
from sources.browser.reading import well_formed
from sources.browser.viewports import VIEWS
from sources.web.address_policy import AddressPolicy
from sources.web.capture import Capture, PageContent, now
from sources.web.client import Client
from sources.web.page_lists import fetch_list
from sources.web.page_pool import PooledPage
from sources.web.plan import SITEMAP, Bounds, Level, Seeds, levels
from sources.web.politeness import Patience, Politeness
from sources.web.proxy import Responder, TrafficLimits
from sources.web.response_head import HTML_TYPES
from sources.web.segments import NOT_HTML, SegmentWriter, index, is_file
from sources.web.shared_browser import SharedBrowser
from sources.web.urls import canonical, host_of, is_like_file, site_of
from sources.web.visit import Visit
from sources.web.visit_result import VisitError, VisitResult
from sources.web.visit_settings import VisitSettings

if TYPE_CHECKING:
    from sources.web.archive.rules import ArchiveRules

Known = dict[tuple[str, str], Sequence[str] | None]  # links by URL and view; None for a file that is no page
BEAT_S = 2.0
BROWSER_DIED = "browser_died"
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CrawlSettings:
    """Settings of a crawl.

    Args:
        views: names of the views.
        guard, limits: allowed connections, and how much a page may load.
        browser, visit: how pages are loaded and visited.
        bounds: how far the crawl goes.
        name: the crawler's name in robots.txt.
        agent: the whole user agent.
        delay_s, per_host, patience: politeness.
        at_once: number of concurrent visits of one browser.
        code: also reduce pages to HTML that renders back.
        keeps_render: keep the picture that the HTML renders to.
        client: what hosts are sent.
    """

    views: Sequence[str]
    bounds: Bounds
    name: str
    agent: str
    policy: AddressPolicy = field(default_factory=AddressPolicy)
    limits: TrafficLimits = field(default_factory=TrafficLimits)
    browser: BrowserSettings = field(default_factory=BrowserSettings)
    visit: VisitSettings = field(default_factory=VisitSettings)
    delay_s: float = 1.0
    per_host: int = 2
    at_once: int = 4
    patience: Patience = field(default_factory=Patience)
    code: bool = False
    keeps_render: bool = False
    client: Client = field(default_factory=Client)


class Crawl:
    """Captures the planned pages of one site that are not captured yet.

    Args:
        folder: folder of the finished segments.
        scratch: folder for segments that are being written.
        save: called with every finished segment.
        beat: called every few seconds with the visits since the last call.
        shared: the browser, which the crawls of other sites may use at the same time.
    """

    def __init__(
        self,
        seeds: Seeds,
        settings: CrawlSettings,
        folder: Path,
        scratch: Path,
        save: Callable[[Path], None],
        beat: Callable[[Fetched], None],
        shared: SharedBrowser,
    ):
        self._seeds, self._settings, self._folder = seeds, settings, folder
        self._client = dataclasses.replace(settings.client, site=seeds.site)
        self._scratch, self._writer = scratch, SegmentWriter(scratch, save)
        self._beat = beat
        self._num_done = self._num_left = 0
        self._hosts: dict[str, bool] = {}  # True for those that were reported
        self._failures: Counter[str] = Counter()
        self._archive: Responder | None = None
        self._moments: dict[str, int] = {}  # when pages in the archive were fetched
        self._polite: Politeness | ArchiveRules = Politeness(
            settings.policy, settings.name, settings.agent, settings.delay_s, settings.per_host, settings.patience,
            self._client,
        )  # fmt: skip
        self._shared = shared

    async def run(self, *, retry_failed: bool = False) -> BudgetUse:
        """Crawl to the end of the plan; return what became of its budget.

        Raises:
            BrowserDied: the browser cannot be started.
        """
        known = {key: found.found for key, found in index(self._folder).items() if not (retry_failed and found.cause)}
        async with self._heartbeat():
            plan = levels(self._seeds, self._settings.bounds)
            try:
                level = next(plan)
                while True:
                    level = plan.send(await self._links_of(level, known))
            except StopIteration as end:
                use: BudgetUse = end.value
            finally:
                self._writer.close()
                await self._shared.leave(self._owns)
        return use

    async def _links_of(self, level: Level, known: Known) -> dict[str, Sequence[str] | None]:
        """Visit the URLs of a level that are not captured in every view; return the links of all its URLs."""
        views = [SITEMAP] if level.is_sitemaps else self._settings.views
        missing = [(url, view) for url in level.urls for view in views if (url, view) not in known]
        self._num_left = len(missing)
        async with asyncio.TaskGroup() as group:
            for key in missing:
                group.create_task(self._capture(*key, known))
        return {url: known[url, views[0]] for url in level.urls}

    async def _capture(self, url: str, view: str, known: Known) -> None:
        try:
            capture = await (self._sitemap(url) if view == SITEMAP else self._page(url, view))
            self._writer.add(capture)
        except (ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
            # What a page says costs this page alone, also where nobody thought of it.
            log.warning("%s: %s", url, error, exc_info=True)
            message = well_formed(f"{type(error).__name__}: {error}"[:300])
            capture = Capture(url=url, view=view, fetched_at=now(), cause="unreadable_page", message=message)
            self._writer.add(capture)
        known[url, view] = None if is_file(url, capture.cause) else capture.links
        self._num_done += 1
        self._num_left -= 1
        self._hosts.setdefault(host_of(url), False)
        if capture.cause and known[url, view] is not None:
            self._failures[capture.cause] += 1

    async def _page(self, url: str, view: str) -> Capture:
        """Visit a page; try again if the browser dies, or if the host is busy."""
        refused, checked = await self._polite.refusal(url)
        if refused is not None:
            cause, message = refused
            return Capture(url=url, view=view, fetched_at=now(), permission=checked, cause=cause, message=message)
        if is_like_file(url):  # its head is enough to see that it is no page
            answer = await self._polite.get(url, 0, "HEAD")
            if answer.status == 200 and answer.kind not in HTML_TYPES:
                return Capture(
                    url=url, view=view, fetched_at=now(), permission=checked, cause=NOT_HTML,
                    message=f"the page is of type {answer.kind[:80]}",
                )  # fmt: skip
        num_deaths = num_waits = 0
        while True:
            done, cause, message = await self._visit(url, view)
            wait_s = self._settings.patience.wait_s(done.status if cause else None, done.retry_after, num_waits)
            if wait_s is not None:
                num_waits += 1
                await self._polite.postpone(url, wait_s)
            elif cause == BROWSER_DIED and num_deaths == 0:
                num_deaths += 1
            else:
                break
        return Capture(
            url=url,
            view=view,
            fetched_at=now(),
            final_url=done.final_url,
            status=done.status,
            permission=checked,
            links=() if cause else done.links,
            canonical="" if cause else done.canonical,
            content=None if cause else done.content,
            cause=cause,
            message=message,
        )

    async def _visit(self, url: str, view: str) -> tuple[VisitResult, str, str]:
        """Visit a page once; return what was found, and cause and message if it failed."""
        settings = self._settings
        async with self._polite.turn(url):
            await self._shared.start()
            done = VisitResult()
            try:
                async with self._shared.page(VIEWS[view], self._client_for(url), self._archive) as (window, coder):
                    window.proxy_session.moment = self._moments.get(url, 0)
                    permit = partial(self._permit, self._site_of(url))
                    visit = Visit(
                        window, settings.visit, permit, settings.name, url, coder, keeps_render=settings.keeps_render
                    )
                    done = visit.result
                    try:
                        await visit.run()
                        done.content = _with_missing(done.content, window.proxy_session.num_missing)
                    finally:
                        window.is_last = self._num_left == 1 and self._settings.bounds.depth == 0
            except VisitError as failure:
                return done, failure.cause, failure.message
            except BrowserDiedError as error:
                return done, BROWSER_DIED, f"twice: {error}"
        return done, "", ""

    def _client_for(self, url: str) -> Client:
        """Return what the site of a page is sent."""
        return self._client

    def _site_of(self, url: str) -> str:
        """Return the site on which a page may redirect."""
        return self._seeds.site

    def _owns(self, window: PooledPage) -> bool:
        return window.client == self._client and window.proxy_session.archive is None

    async def _permit(self, site: str, url: str) -> tuple[str, str] | None:
        """Return None if a redirect to a URL is allowed (same site, allowed by robots.txt), else cause and message."""
        target = canonical(url)
        if target is None or site_of(target) != site:
            return "left_site", f"it redirects to another site: {host_of(url) or url[:80]}"
        refused, _ = await self._polite.refusal(target)
        return None if refused is None else (refused[0], f"it redirects to {target[:200]}: {refused[1]}")

    async def _sitemap(self, url: str) -> Capture:
        """Fetch a list of pages."""
        return await fetch_list(self._polite, self._seeds.site, url)

    @contextlib.asynccontextmanager
    async def _heartbeat(self) -> AsyncIterator[None]:
        """Call `beat` and close old segments every few seconds."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(BEAT_S)
                self._report()
                self._writer.close_if_old()

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            self._report()

    def _report(self) -> None:
        """Tell the caller what was visited since the last time."""
        hosts = tuple(host for host, is_known in self._hosts.items() if not is_known)
        self._beat(Fetched(num_items=self._num_done, hosts=hosts, failures=dict(self._failures)))
        self._hosts.update(dict.fromkeys(hosts, True))
        self._num_done = 0
        self._failures.clear()


def _with_missing(content: PageContent | None, num_missing: int) -> PageContent | None:
    """Return the content of a page in an archive with the number of its requests that the archive does not answer."""
    if content is None or not num_missing:
        return content
    return dataclasses.replace(
        content,
        facts={**content.facts, "num_not_archived": num_missing},
        flags=[*content.flags, "not_archived"],
    )
