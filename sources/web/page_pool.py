"""The page pool: windows in which the pages of sites are visited, those of one site one after the other.

A new context costs a renderer's start and an empty cache, more processor time than the visit itself. Within one site a
window is used again after everything that a page can leave there is removed, except for the HTTP cache: files that
pages have in common are fetched once, which also spares the host. A window never changes its site, and it is closed
after a failed visit.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import CDPSession, Error, Frame, Page

from sources.browser.browser import Browser, answering
from sources.browser.reading import release, script
from sources.browser.viewports import View
from sources.web.address_policy import AddressPolicy
from sources.web.client import ANONYMOUS, Client
from sources.web.proxy import ProxySession, Responder, TrafficLimits, open_proxy_session

WIPE_TIMEOUT_S = 5
MAX_IDLE = 8  # windows that wait for the next page of their site; each takes 50 to 100 MB
EVERY_ORIGIN = {"origin": "*", "storageTypes": "all"}
HELD = [  # requests and responses that wait for a decision
    {"resourceType": "Document", "requestStage": "Request"},
    {"resourceType": "Document", "requestStage": "Response"},
    {"resourceType": "Other", "requestStage": "Request"},
]

ALL = {"urlPattern": "*", "requestStage": "Request"}  # held where headers are added


@dataclass(kw_only=True)
class PooledPage:
    """A window of the pool.

    Args:
        session: session of the debugging protocol; it holds document requests until they are permitted.
        proxy_session: the window's access to the network.
        closing: closes the page and the proxy session.
        client: what hosts are sent.
        origins: origins shown since the window was last wiped.
        is_last: no page of the site follows, so that the window need not be wiped for it.
    """

    page: Page
    session: CDPSession
    proxy_session: ProxySession
    view: View
    closing: contextlib.AsyncExitStack
    client: Client = ANONYMOUS
    origins: set[str] = field(default_factory=set)
    num_visits: int = 0
    is_last: bool = False

    def note_frame(self, frame: Frame) -> None:
        url = urlsplit(frame.url)
        if url.scheme in ("http", "https"):
            self.origins.add(f"{url.scheme}://{url.netloc}")

    async def give_cookies(self) -> None:
        """Set the cookies with which every page is visited."""
        cookies = self.client.site_cookies()
        if cookies:
            await self.page.context.add_cookies(cookies)

    async def wipe(self) -> None:
        """Leave the page, and remove everything that it stored.

        Raises:
            Error, TimeoutError: that failed, as it does where session storage of another site's frame is out of reach.
        """
        send = self.session.send
        async with asyncio.timeout(WIPE_TIMEOUT_S):
            await send("Emulation.setScriptExecutionDisabled", {"value": True})  # no script writes anything after this
            for origin in sorted(self.origins):
                await send("DOMStorage.clear", {"storageId": {"securityOrigin": origin, "isLocalStorage": False}})
            await self.page.goto("about:blank")
            await asyncio.gather(
                release(self.session),
                send("Runtime.evaluate", {"expression": "name = ''"}),
                send("Page.resetNavigationHistory"),
                send("Storage.clearDataForOrigin", EVERY_ORIGIN),
                self.page.context.clear_cookies(),
            )
            await self.give_cookies()
        self.origins.clear()
        await self.proxy_session.renew()


class PagePool:
    """`async with PagePool(browser, policy, limits) as pool: async with pool.page(view, client) as page: …`.

    It serves several sites: a window is lent for the pages of its client's site only.
    """

    def __init__(self, browser: Browser, policy: AddressPolicy, limits: TrafficLimits):
        self._browser, self._policy, self._limits = browser, policy, limits
        self._free: list[PooledPage] = []  # the one that has waited longest is the first

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pooled_page in self._free:
            await pooled_page.closing.aclose()

    @contextlib.asynccontextmanager
    async def page(
        self, view: View, client: Client = ANONYMOUS, archive: Responder | None = None
    ) -> AsyncIterator[PooledPage]:
        """Lend a window for one visit; it is used again for its site if the block ends without an error.

        Args:
            client: what the site is sent, and which site it is.
            archive: answers all requests; None: the hosts do.

        Raises:
            BrowserDied: none can be opened.
        """
        pooled_page = await self._take(view, client, archive)
        pooled_page.num_visits += 1
        is_good = False
        try:
            yield pooled_page
            is_good = not pooled_page.is_last and pooled_page.num_visits < self._browser.settings.pages_per_context
            if is_good:
                try:
                    await pooled_page.wipe()
                except (Error, TimeoutError):
                    is_good = False
        finally:
            if is_good:
                self._free.append(pooled_page)
                await self._close(self._free[:-MAX_IDLE])
            else:
                await pooled_page.closing.aclose()

    async def leave(self, is_left: Callable[[PooledPage], bool]) -> None:
        """Close the windows for which no page is to come."""
        await self._close(list(filter(is_left, self._free)))

    async def _close(self, windows: Sequence[PooledPage]) -> None:
        for pooled_page in windows:
            self._free.remove(pooled_page)
        for pooled_page in windows:
            await pooled_page.closing.aclose()

    async def _take(self, view: View, client: Client, archive: Responder | None) -> PooledPage:
        wanted = (view, client, archive)
        for pooled_page in [e for e in self._free if (e.view, e.client, e.proxy_session.archive) == wanted]:
            self._free.remove(pooled_page)
            if self._browser.visits_again(pooled_page.page):
                return pooled_page
            await pooled_page.closing.aclose()
        return await self._open(view, client, archive)

    async def _open(self, view: View, client: Client, archive: Responder | None) -> PooledPage:
        async with contextlib.AsyncExitStack() as opened:
            proxy_session = await opened.enter_async_context(open_proxy_session(self._policy, self._limits, archive))
            page = await opened.enter_async_context(
                self._browser.page(view, proxy=proxy_session.address, any_certificate=archive is not None)
            )
            assert page.context.browser is not None
            async with answering(page.context.browser):
                session = await page.context.new_cdp_session(page)
                await asyncio.gather(
                    session.send("Fetch.enable", {"patterns": [*HELD, *([ALL] if client.headers else [])]}),
                    page.add_init_script(script("prepare")),
                    *([page.add_init_script(archive.first_script)] if archive is not None else []),
                )
            pooled_page = PooledPage(
                page=page, session=session, proxy_session=proxy_session, view=view, closing=opened.pop_all(),
                client=client,
            )  # fmt: skip
            await pooled_page.give_cookies()
            page.on("framenavigated", pooled_page.note_frame)
            return pooled_page
