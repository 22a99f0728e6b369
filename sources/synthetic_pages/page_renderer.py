"""A browser per process that renders generated pages, checks them and reads their words and elements."""

import asyncio
import base64
import io
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright import async_api
from playwright.async_api import CDPSession

from sources.browser.browser import Browser, BrowserDiedError, BrowserSettings
from sources.browser.reading import MAX_ELEMENTS, MAX_WORDS, script
from sources.browser.viewports import VIEWS
from sources.synthetic_pages.theme import MIN_CONTRAST
from sources.web.capture import PageElement

PAGES_PER_CONTEXT = 200  # generated pages share no state; a new context takes a fifth of the time of a page
TIMEOUT_S = 20


class UnfitPageError(Exception):
    """A page that is not usable; `reason` is a code of `fit.js`."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Screenshot:
    """A rendered page.

    Args:
        pixels: (H, W, 3) uint8.
        texts: N words in reading order.
        boxes: (N, 4) float32 in pixels.
        separators: N texts, the white space before each word.
        elements: elements with a role, in document order.
    """

    pixels: npt.NDArray[np.uint8]
    texts: Sequence[str]
    boxes: npt.NDArray[np.float32]
    separators: Sequence[str]
    elements: Sequence[PageElement]


class PageRenderer:
    """Renders pages in one view. Not thread-safe."""

    def __init__(self, view: str, program: str | None):
        self._view = VIEWS[view]
        self._program = program
        self._loop = asyncio.new_event_loop()
        self._stack: AsyncExitStack | None = None
        self._session: CDPSession | None = None
        self._frame = ""
        self._num_pages = 0

    def capture(self, html: str) -> Screenshot:
        """Render a page. If the browser dies, another one is started once.

        Raises:
            UnfitPageError: the page does not fit into the window or is not legible.
            BrowserDied: the browser died twice.
        """
        try:
            return self._loop.run_until_complete(self._capture(html))
        except BrowserDiedError:
            self.close()
            return self._loop.run_until_complete(self._capture(html))

    def close(self) -> None:
        """Close the browser; the next capture starts another one."""
        stack, self._stack, self._session = self._stack, None, None
        if stack is not None:
            self._loop.run_until_complete(stack.aclose())

    async def _capture(self, html: str) -> Screenshot:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                session = await self._open()
                # Chromium's protocol takes half the time of Playwright's `set_content`, `evaluate` and `screenshot`.
                await session.send("Page.setDocumentContent", {"frameId": self._frame, "html": html})
                answer = await session.send(
                    "Runtime.evaluate", {"expression": _capture_script(), "returnByValue": True}
                )
                problem, found = json.loads(answer["result"]["value"])
                if problem is not None:
                    raise UnfitPageError(problem)
                picture = await session.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        except (async_api.Error, TimeoutError) as error:
            raise BrowserDiedError(str(error).partition("\n")[0] or "the browser does not answer") from error
        scale = self._view.scale
        return Screenshot(
            pixels=np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["data"]))).convert("RGB")),
            texts=[word[0] for word in found["words"]],
            boxes=np.array([word[1:5] for word in found["words"]], np.float32).reshape(-1, 4) * scale,
            separators=[word[5] for word in found["words"]],
            elements=[_element(row, scale) for row in found["elements"]],
        )

    async def _open(self) -> CDPSession:
        if self._session is None or self._num_pages >= PAGES_PER_CONTEXT:
            if self._stack is not None:
                stack, self._stack = self._stack, None
                await stack.aclose()
            self._stack = AsyncExitStack()
            browser = await self._stack.enter_async_context(Browser(BrowserSettings(program=self._program)))
            page = await self._stack.enter_async_context(browser.page(self._view, offline=True))
            self._session = await page.context.new_cdp_session(page)
            self._frame = (await self._session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
            self._num_pages = 0
        self._num_pages += 1
        return self._session


@cache
def get_renderer(view: str, program: str | None) -> PageRenderer:
    """Return the renderer of this process for a view. It lives until the end of the process, as does its browser."""
    return PageRenderer(view, program)


@cache
def _capture_script() -> str:
    """Return an expression for the fault of a page, or its words and elements, as JSON."""
    everything = {"x0": 0, "y0": 0, "x1": 1e6, "y1": 1e6}
    settings = {"clip": everything, "maxWords": MAX_WORDS, "maxElements": MAX_ELEMENTS, "maxLinks": 0, "isMain": False}
    fit = files("sources.synthetic_pages").joinpath("fit.js").read_text(encoding="utf-8")
    problem = f"({fit})({json.dumps({'minContrast': MIN_CONTRAST - 0.05})})"
    reading = f"({script('capture')})({json.dumps(settings)})"
    return f"(() => {{ const problem = {problem}; return JSON.stringify([problem, problem ? null : {reading}]); }})()"


def _element(row: list[Any], scale: float) -> PageElement:
    role, name, x0, y0, x1, y1 = row
    return PageElement(role=role, name=name, box=(x0 * scale, y0 * scale, x1 * scale, y1 * scale))
