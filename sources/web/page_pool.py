"""Seats: windows in which the pages of one site are visited one after the other.

A new context costs a renderer's start and an empty cache, more processor time than the visit itself. Within one site a
window is used again after everything that a page can leave there is gone, but for the HTTP cache: files that
pages share are fetched once, which is kinder to the host too. A seat never changes its site, and after a visit that
failed it is closed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

from playwright.async_api import CDPSession, Error, Frame, Page

from sources.browser.browser import Browser, answering
from sources.browser.reading import script
from sources.browser.viewports import View
from sources.web.address_policy import Guard
from sources.web.proxy import ProxySession, TrafficLimits, open_lane

WIPE_TIMEOUT_S = 5
EVERY_ORIGIN = {"origin": "*", "storageTypes": "all"}
HELD = [  # until it is decided about them
    {"resourceType": "Document", "requestStage": "Request"},
    {"resourceType": "Document", "requestStage": "Response"},
    {"resourceType": "Other", "requestStage": "Request"},
]


@dataclass(kw_only=True)
class PooledPage:
    """A window.

    Args:
        session: of the debugging protocol; it holds document requests until they are permitted.
        lane: the window's way to the network.
        closing: ends page and lane.
        origins: that were shown since it was last wiped.
    """

    page: Page
    session: CDPSession
    lane: ProxySession
    view: View
    closing: contextlib.AsyncExitStack
    origins: set[str] = field(default_factory=set)
    num_visits: int = 0

    def note_frame(self, frame: Frame) -> None:
        url = urlsplit(frame.url)
        if url.scheme in ("http", "https"):
            self.origins.add(f"{url.scheme}://{url.netloc}")

    async def wipe(self) -> None:
        """Leave the page, and take away what it stored.

        Raises:
            Error, TimeoutError: that failed, as it does where session storage of another site's frame is out of reach.
        """
        send = self.session.send
        async with asyncio.timeout(WIPE_TIMEOUT_S):
            await send("Emulation.setScriptExecutionDisabled", {"value": True})  # nothing is written any more
            for origin in sorted(self.origins):
                await send("DOMStorage.clear", {"storageId": {"securityOrigin": origin, "isLocalStorage": False}})
            await self.page.goto("about:blank")
            await asyncio.gather(
                send("Emulation.setScriptExecutionDisabled", {"value": False}),
                send("Runtime.evaluate", {"expression": "name = ''"}),
                send("Page.resetNavigationHistory"),
                send("Storage.clearDataForOrigin", EVERY_ORIGIN),
                self.page.context.clear_cookies(),
            )
            if self.page.viewport_size != {"width": self.view.width, "height": self.view.height}:
                await self.page.set_viewport_size({"width": self.view.width, "height": self.view.height})
        self.origins.clear()
        await self.lane.renew()


class PagePool:
    """`async with PagePool(browser, guard, limits) as seats: async with seats.seat(view) as seat: …`, for one site."""

    def __init__(self, browser: Browser, guard: Guard, limits: TrafficLimits):
        self._browser, self._guard, self._limits = browser, guard, limits
        self._free: list[PooledPage] = []

    async def __aenter__(self) -> "PagePool":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for seat in self._free:
            await seat.closing.aclose()

    @contextlib.asynccontextmanager
    async def seat(self, view: View) -> AsyncIterator[PooledPage]:
        """A seat for one visit; it is used again if the block ends well.

        Raises:
            BrowserDied: none can be opened.
        """
        seat = await self._take(view)
        seat.num_visits += 1
        is_good = False
        try:
            yield seat
            is_good = seat.num_visits < self._browser.settings.pages_per_context
            if is_good:
                try:
                    await seat.wipe()
                except (Error, TimeoutError):
                    is_good = False
        finally:
            if is_good:
                self._free.append(seat)
            else:
                await seat.closing.aclose()

    async def _take(self, view: View) -> PooledPage:
        for seat in [each for each in self._free if each.view == view]:
            self._free.remove(seat)
            if self._browser.visits_again(seat.page):
                return seat
            await seat.closing.aclose()
        return await self._open(view)

    async def _open(self, view: View) -> PooledPage:
        async with contextlib.AsyncExitStack() as opened:
            lane = await opened.enter_async_context(open_lane(self._guard, self._limits))
            page = await opened.enter_async_context(self._browser.page(view, proxy=lane.address))
            assert page.context.browser is not None
            async with answering(page.context.browser):
                session = await page.context.new_cdp_session(page)
                await asyncio.gather(
                    session.send("Fetch.enable", {"patterns": HELD}),
                    page.add_init_script(script("prepare")),
                )
            seat = PooledPage(page=page, session=session, lane=lane, view=view, closing=opened.pop_all())
            page.on("framenavigated", seat.note_frame)
            return seat
