"""Renders code to a picture, in reusable windows without network and scripts."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image
from playwright import async_api
from playwright.async_api import CDPSession, Page

from sources.browser.browser import Browser, answering
from sources.browser.isolated_world import World
from sources.browser.screenshot import photograph
from sources.browser.viewports import View
from sources.web.code.similarity import Look
from sources.web.code.snapshot import CodeRefused, Snapshot, SnapshotLimits, read_defaults, read_words

TIMEOUT_S = 20
BLANK = "<!DOCTYPE html><html><head></head><body></body></html>"


@dataclass(kw_only=True)
class _Window:
    """A window that shows only code; the next code replaces the whole document."""

    page: Page
    session: CDPSession
    frame: str
    view: View
    closing: contextlib.AsyncExitStack

    async def show(self, html: str, view: View) -> World:
        """Show code in a window with the view's size; return the isolated world for reading it."""
        if view != self.view:
            await self.page.set_viewport_size({"width": view.width, "height": view.height})
            self.view = view
        await self.session.send("Page.setDocumentContent", {"frameId": self.frame, "html": html})
        return await World.of(self.session, self.frame)


class CodeRenderer:
    """Renders code; use it as `async with CodeRenderer(browser) as renderer: await renderer.render(html, view)`.

    It reuses windows, because a new context takes more processor time than a page.
    """

    def __init__(self, browser: Browser, limits: SnapshotLimits | None = None):
        self._browser = browser
        self._limits = limits or SnapshotLimits()
        self._free: list[_Window] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for window in self._free:
            await window.closing.aclose()
        self._free.clear()

    async def render(self, html: str, view: View) -> Look:
        """Render `html` in a window with the view's size. Raises CodeRefused, BrowserDied."""
        async with self._window(view) as window:
            world = await window.show(html, view)
            words, boxes = await read_words(world, self._limits)
            data = await photograph(window.session, view)
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        return Look(pixels, words, scaled(boxes, view.scale), scaled([], view.scale))

    async def bare_styles(self, view: View) -> Mapping[str, Any]:
        """Return this browser's styles of unstyled elements. Raises CodeRefused, BrowserDied."""
        async with self._window(view) as window:
            return await read_defaults(await window.show(BLANK, view))

    @contextlib.asynccontextmanager
    async def _window(self, view: View) -> AsyncIterator[_Window]:
        """Yield a window, which is reused if the block succeeds."""
        window = await self._take(view)
        is_good = False
        try:
            async with asyncio.timeout(TIMEOUT_S):
                yield window
            is_good = True
        except TimeoutError as error:
            raise CodeRefused("timeout", "the code does not render in time") from error
        except async_api.Error as error:
            raise CodeRefused("page_lost", str(error).partition("\n")[0]) from error
        finally:
            if is_good:
                self._free.append(window)
            else:
                await window.closing.aclose()

    async def _take(self, view: View) -> _Window:
        for window in [each for each in self._free if replace(each.view, height=view.height) == view]:
            self._free.remove(window)
            if self._browser.visits_again(window.page):
                return window
            await window.closing.aclose()
        async with contextlib.AsyncExitStack() as opened:
            page = await opened.enter_async_context(self._browser.page(view, offline=True, javascript=False))
            assert page.context.browser is not None
            async with answering(page.context.browser):
                session = await page.context.new_cdp_session(page)
                frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
            return _Window(page=page, session=session, frame=frame, view=view, closing=opened.pop_all())


def look_of(pixels: np.ndarray, snapshot: Snapshot, scale: float) -> Look:
    """Return a picture with its words and the boxes of its pictures, in image pixels."""
    return Look(pixels, tuple(snapshot.words), scaled(snapshot.boxes, scale), scaled(snapshot.pictures, scale))


def scaled(boxes: Any, scale: float) -> np.ndarray:
    """Convert boxes in CSS pixels to (N, 4) float32 in image pixels."""
    return np.array(list(boxes), np.float32).reshape(-1, 4) * scale
