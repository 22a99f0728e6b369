"""Renders code to a picture, in reusable windows without network and scripts."""

import asyncio
import contextlib
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image
from playwright import async_api
from playwright.async_api import CDPSession, Page

from sources.browser.browser import Browser, answering
from sources.browser.isolated_world import World
from sources.browser.screenshot import take_screenshot
from sources.browser.viewports import View
from sources.web.code.similarity import Look
from sources.web.code.snapshot import (
    CodeRefusedError,
    Snapshot,
    SnapshotLimits,
    absent_fonts,
    read_defaults,
    read_words,
)

TIMEOUT_S = 20
_TAG = re.compile(r"\(\w+|\)")
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
        self._is_absent: dict[str, bool] = {}  # font families

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for window in self._free:
            await window.closing.aclose()
        self._free.clear()

    async def render(self, html: str, view: View, height: int | None = None, shape: str = "") -> Look:
        """Render `html` in a window with the view's size, down to `height` CSS pixels.

        Args:
            shape: tags that the parsed code must have (`Node.shape`); empty allows all.

        Raises:
            CodeRefused: it is too large or slow, or parsed into another tree.
            BrowserDied: the browser is at fault.
        """
        height = height or view.height
        view = replace(view, is_dark=False)  # the code says itself what is dark
        rows = None if height == view.height else (0, height * view.scale)
        async with self._window(view) as window:
            world = await window.show(html, view)
            words, boxes, parsed = await read_words(world, self._limits, height)
            if shape and without_bodies(parsed) != without_bodies(shape):
                raise CodeRefusedError("reparsed", "a parser makes another tree of the code")
            data = await take_screenshot(window.session, view, rows)
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        return Look(pixels, words, scaled(boxes, view.scale), scaled([], view.scale))

    async def absent_fonts(self, names: Sequence[str], view: View) -> frozenset[str]:
        """Return those of some font families that are not installed. Raises CodeRefused, BrowserDied."""
        new = [name for name in names if name not in self._is_absent]
        if new:
            async with self._window(replace(view, is_dark=False)) as window:
                absent = set(await absent_fonts(await window.show(BLANK, window.view), new))
            self._is_absent |= {name: name in absent for name in new}
        return frozenset(name for name in names if self._is_absent[name])

    async def bare_styles(self, view: View) -> Mapping[str, Any]:
        """Return this browser's styles of unstyled elements. Raises CodeRefused, BrowserDied."""
        async with self._window(replace(view, is_dark=False)) as window:
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
            raise CodeRefusedError("timeout", "the code does not render in time") from error
        except async_api.Error as error:
            raise CodeRefusedError("page_lost", str(error).partition("\n")[0]) from error
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


def without_bodies(shape: str) -> str:
    """Return tags without `tbody`, which a parser adds to tables."""
    kept: list[bool] = []
    parts = []
    for part in _TAG.findall(shape):
        if part != ")":
            kept.append(part != "(tbody")
        if kept[-1] if part != ")" else kept.pop():
            parts.append(part)
    return "".join(parts)


def look_of(pixels: np.ndarray, snapshot: Snapshot, scale: float) -> Look:
    """Return a picture with its words and the boxes of its pictures, in image pixels."""
    return Look(pixels, tuple(snapshot.words), scaled(snapshot.boxes, scale), scaled(snapshot.pictures, scale))


def scaled(boxes: Any, scale: float) -> np.ndarray:
    """Convert boxes in CSS pixels to (N, 4) float32 in image pixels."""
    return np.array(list(boxes), np.float32).reshape(-1, 4) * scale
