"""One browser for the crawls of several sites, which share nothing in it but its process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import View
from sources.web.address_policy import AddressPolicy
from sources.web.client import Client
from sources.web.code.page_code import PageCoder
from sources.web.page_pool import PagePool, PooledPage
from sources.web.proxy import Responder, TrafficLimits


class SharedBrowser:
    """`async with SharedBrowser(…) as shared: async with shared.page(view, client) as (window, coder): …`.

    The browser is started for the first page.

    Args:
        browser: its settings, or a browser that is open and stays open.
        code: also open what makes code of pages.
        at_once: maximum number of visits at the same time.
    """

    def __init__(
        self,
        browser: BrowserSettings | Browser,
        policy: AddressPolicy,
        limits: TrafficLimits,
        *,
        code: bool,
        at_once: int,
    ):
        self._browser, self._policy, self._limits, self._has_code = browser, policy, limits, code
        self._at_once = asyncio.Semaphore(at_once)
        self._opening = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()
        self._pool: PagePool | None = None
        self._coder: PageCoder | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @contextlib.asynccontextmanager
    async def page(
        self, view: View, client: Client, archive: Responder | None = None
    ) -> AsyncIterator[tuple[PooledPage, PageCoder | None]]:
        """Lend a window of the client's site for one visit. Raises BrowserDied if it cannot be opened."""
        async with self._at_once:
            pool = await self.start()
            async with pool.page(view, client, archive) as window:
                yield window, self._coder

    async def leave(self, is_left: Callable[[PooledPage], bool]) -> None:
        """Close the windows of a crawl that has ended."""
        if self._pool is not None:
            await self._pool.leave(is_left)

    async def start(self) -> PagePool:
        """Start the browser if it is not started. Raises BrowserDied if that cannot be done."""
        async with self._opening:
            if self._pool is None:
                browser = self._browser
                if not isinstance(browser, Browser):
                    browser = await self._stack.enter_async_context(Browser(browser))
                if self._has_code:
                    self._coder = await self._stack.enter_async_context(PageCoder(browser))
                pool = PagePool(browser, self._policy, self._limits)
                self._pool = await self._stack.enter_async_context(pool)
            return self._pool
