"""One visit: load a page, wait for it, read it and take its picture, all within limits."""

import asyncio
import itertools
import json
import math
from dataclasses import replace

import numpy as np
from playwright.async_api import CDPSession, Error, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from sources.browser.browser import BrowserDiedError
from sources.browser.closed_roots import open_closed_roots
from sources.browser.isolated_world import DocumentGone, ScriptError, World
from sources.browser.reading import Frames, Waiting, freeze, height_of, read_page, settle, well_formed
from sources.browser.screenshot import take_screenshot
from sources.images.encoding import encode
from sources.web.capture import Code, PageContent, Screenshot
from sources.web.code.page_code import PageCoder
from sources.web.code.snapshot import CodeRefusedError
from sources.web.obstacles import phrases
from sources.web.page_content import page_content
from sources.web.page_pool import PooledPage
from sources.web.page_traffic import PageTraffic, Permit
from sources.web.robots import is_reserved, opt_out
from sources.web.tiles import SPARE, tile_tops
from sources.web.urls import canonical
from sources.web.visit_result import VisitError, VisitResult
from sources.web.visit_settings import VisitSettings

READINGS = 3  # attempts at a page whose words move while its picture is taken
NAVIGATIONS = 3  # documents that a page may load one after the other by script
JPEG_QUALITY = 90  # of a picture of code, as of a screenshot
STILL_S = 0.05  # seconds without pending requests after which the network counts as quiet
_NET_CAUSES = (  # part of Chromium's message: cause
    ("Download is starting", "not_html"),
    ("ERR_ABORTED", "not_html"),
    ("ERR_CERT", "bad_certificate"),
    ("ERR_SSL", "bad_certificate"),
    ("crash", "page_crashed"),
)
_ADD_STYLE = """(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(%s);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
})()"""


class Visit:
    """A visit of one URL in one view.

    Args:
        pooled_page: the window that loads the page.
        permit: says if the page may redirect to another URL; gives cause and message if it may not.
        agent: name of the crawler, to which pages may address an opt-out.
        coder: makes the code of the page; None makes none.
        keeps_render: keep the picture that the code renders to.
    """

    def __init__(
        self,
        pooled_page: PooledPage,
        settings: VisitSettings,
        permit: Permit,
        agent: str,
        url: str,
        coder: PageCoder | None = None,
        *,
        keeps_render: bool = False,
    ):
        self._page, self._session, self._view = pooled_page.page, pooled_page.session, pooled_page.view
        self._settings, self._agent, self._url = settings, agent, url
        self._coder, self._client, self._keeps_render = coder, pooled_page.client, keeps_render
        self.result = VisitResult()
        self._traffic = PageTraffic(pooled_page, permit, agent, url, self.result)

    async def run(self) -> VisitResult:
        """Visit it.

        Raises:
            VisitError: the page is no page, forbids it, or does not come.
            BrowserDiedError: the browser is at fault; the visit may be tried once more.
        """
        with self._traffic:
            try:
                async with asyncio.timeout(self._settings.page_s):
                    await self._visit(self._page)
                if self._coder is not None and self.result.content is not None:
                    code = await self._code(self._coder, self.result.content.screenshot)
                    self.result.content = replace(self.result.content, code=code)
            except TimeoutError:
                raise VisitError("timeout", f"not done after {self._settings.page_s:g} s") from None
            except ScriptError as error:
                raise VisitError("unreadable_page", str(error)[:300]) from error
            except Error as error:
                raise self._failure(error) from error
        return self.result

    async def _visit(self, page: Page) -> None:
        try:
            await page.goto(self._url, wait_until="domcontentloaded", timeout=self._settings.load_s * 1000)
        except PlaywrightTimeout:
            self._traffic.check_answer()
            raise VisitError("timeout", f"the document did not come within {self._settings.load_s:g} s") from None
        for attempt in range(NAVIGATIONS):
            self._traffic.check_answer()
            flags = [] if await self._has_loaded(page) else ["still_loading"]
            try:
                await self._read(page, self._session, flags)
                break
            except DocumentGone as error:  # a script loads another document
                if attempt == NAVIGATIONS - 1:
                    raise VisitError("unreadable_page", "it goes on to other documents all the time") from error
                await page.wait_for_load_state("domcontentloaded", timeout=self._settings.load_s * 1000)
        self._traffic.check_answer()

    def _failure(self, error: Error) -> VisitError:
        """Return the VisitError for an error of the browser."""
        if self._traffic.blocked is not None:
            return VisitError(*self._traffic.blocked)
        text = error.message.partition("\n")[0].removeprefix("Page.goto: ")
        if "closed" in text and "net::" not in text:  # the browser exited; the host is not to blame
            raise BrowserDiedError(text) from error
        try:
            self._traffic.check_connection()
        except VisitError as failure:
            return failure
        if self._traffic.is_too_large:
            return VisitError("too_large", "the page is larger than the limits allow")
        cause = next((cause for part, cause in _NET_CAUSES if part.lower() in text.lower()), None)
        if cause is None:
            cause = "unreachable" if "net::" in text else "unreadable_page"
        return VisitError(cause, text.replace(f" at {self._url}", ""))

    async def _has_loaded(self, page: Page) -> bool:
        """Wait for the load event, at most as long as the page may settle."""
        try:
            await page.wait_for_load_state("load", timeout=self._settings.settle_s * 1000)
        except PlaywrightTimeout:
            return False
        return True

    async def _settle(self, world: World, flags: list[str]) -> None:
        """Wait until the page has settled, and add to the flags what it was waited for in vain."""
        waiting = Waiting(
            quiet_ms=self._settings.quiet_ms,
            limit_ms=self._settings.settle_s * 1000,
            wait_ms=self._settings.wait_ms,
            wait_for=self._settings.wait_for,
            loading_text=phrases("loading").pattern,
            height=self._view.height * (self._settings.max_tiles + SPARE * (self._settings.max_tiles > 1)),
        )
        at_rest, missed = await settle(world, waiting)
        try:
            async with asyncio.timeout(self._settings.settle_s):
                waited = bool(self._traffic.pending)
                while self._traffic.pending:
                    await asyncio.sleep(STILL_S)
        except TimeoutError:
            at_rest = waited = False
        if waited:  # the last responses may have changed the page
            at_rest, missed = await settle(world, replace(waiting, wait_ms=0))
        flags += [*([] if at_rest else ["unsettled"]), *missed]

    async def _source(self) -> str:
        """Return the HTML of the document as it came; empty if the browser does not have it any more."""
        # Not by the protocol's `Page.getResourceContent`: with its domain `Page` the browser asks for the manifest.
        try:
            return "" if self._traffic.response is None else await self._traffic.response.text()
        except Error:
            return ""

    async def _read(self, page: Page, session: CDPSession, flags: list[str]) -> None:
        """Wait until the page has settled, then read it and take its picture."""
        world = await World.of(session)
        if self._client.style:
            await world.run(_ADD_STYLE % json.dumps(self._client.style))
        await self._settle(world, flags)
        frames = Frames(page)
        await freeze(world, frames)
        source = await self._source()
        await open_closed_roots(world, source)
        view, height = self._view, self._view.height
        limit = height
        if self._settings.max_tiles > 1:
            limit = math.ceil(view.height * (self._settings.max_tiles + SPARE))
            height = max(view.height, await height_of(world))
        for _ in range(READINGS):
            reading = await read_page(world, frames, min(height, limit))
            directive = opt_out(reading.found["robots"], self._agent)
            if directive:
                raise VisitError("opted_out", f"its robots meta tag says {directive}")
            if any(map(is_reserved, reading.found["reservations"])):
                raise VisitError("opted_out", "its meta tag tdm-reservation is 1")
            boxes = np.array([word[1:5] for word in reading.found["words"]], np.float32).reshape(-1, 4) * view.scale
            sizes = (height * view.scale, view.height * view.scale)
            tops = tile_tops(boxes, *sizes, self._settings.max_tiles, view.scale)
            screenshot = await self._photograph(session, tops)
            if not await reading.has_moved():
                break
        else:
            raise VisitError("moving_layout", "its words moved or changed while the picture was taken")
        found = reading.found
        found["facts"] |= {
            "num_styles": len(self._traffic.styles),
            "num_failed_styles": list(self._traffic.styles.values()).count(False),
        }
        self.result.content = self._with_html(page_content(found, boxes, screenshot, flags, view.scale), source)
        linked = (canonical(link, page.url) for link in found["links"])
        self.result.links = list(dict.fromkeys(link for link in linked if link is not None))
        self.result.canonical = canonical(found["canonical"]) or self._traffic.named_by_head
        self.result.final_url = well_formed(page.url)

    def _with_html(self, content: PageContent, source: str) -> PageContent:
        """Add the document as it came, if it is to be kept; half of one would be another document."""
        most = self._settings.max_html_bytes
        if most is None:
            return content
        html = well_formed(source)
        if len(html.encode()) > most:
            return replace(content, flags=[*content.flags, "long_html"])
        return replace(content, html=html)

    async def _photograph(self, session: CDPSession, tops: list[int]) -> Screenshot:
        """Take the picture in tiles."""
        lossless = self._settings.lossless_captures
        is_window = tops == [0, self._view.height * self._view.scale]
        parts = [None] if is_window else list(itertools.pairwise(tops))
        images = [await take_screenshot(session, self._view, rows, lossless=lossless) for rows in parts]
        width = self._view.width * self._view.scale
        return Screenshot(images=images, extension="png" if lossless else "jpg", tops=tops, width=width)

    async def _code(self, coder: PageCoder, screenshot: Screenshot) -> Code:
        """Make the code of the page in the picture. The content of the page is kept even if this fails."""
        height = screenshot.tops[-1] // self._view.scale
        try:
            made = await coder.code(self._session, screenshot.images, self._view, height)
        except CodeRefusedError as refused:
            return Code(refusal=refused.cause)
        except BrowserDiedError:
            return Code(refusal="browser_died")
        code = Code(html=well_formed(made.html), similarity=made.similarity.score, num_tokens=made.num_tokens)
        if not self._keeps_render:
            return code
        kind = "png" if self._settings.lossless_captures else "jpeg"
        tiles = [made.render.pixels[top:bottom] for top, bottom in itertools.pairwise(screenshot.tops)]
        return replace(
            code,
            images=[encode(tile, kind, JPEG_QUALITY).data for tile in tiles],
            texts=list(map(well_formed, made.render.words)),
            boxes=made.render.boxes,
        )
