"""One visit: load a page, wait for it, read it and take its picture, all within limits."""

import asyncio
import contextlib
import itertools
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from playwright.async_api import CDPSession, Error, Page, Request, Response
from playwright.async_api import TimeoutError as PlaywrightTimeout

from sources.browser.browser import BrowserDiedError
from sources.browser.closed_roots import open_closed_roots
from sources.browser.isolated_world import DocumentGone, ScriptError, World
from sources.browser.reading import Frames, Waiting, freeze, height_of, read_page, settle, well_formed
from sources.browser.screenshot import take_screenshot
from sources.web.capture import Code, PageContent, PageElement, Screenshot
from sources.web.code.page_code import PageCoder
from sources.web.code.snapshot import CodeRefusedError
from sources.web.page_pool import PooledPage
from sources.web.robots import is_reserved, opt_out, refused_use
from sources.web.tiles import SPARE, tile_tops
from sources.web.urls import canonical, place_of

READINGS = 3  # attempts at a page whose words move while its picture is taken
NAVIGATIONS = 3  # documents that a page may load one after the other by script
STILL_S = 0.05  # seconds without pending requests after which the network counts as quiet
HTML_TYPES = ("text/html", "application/xhtml+xml")
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 10  # as many as Googlebot follows; Chromium's own limit is 20
_NET_CAUSES = (  # part of Chromium's message: cause
    ("Download is starting", "not_html"),
    ("ERR_ABORTED", "not_html"),
    ("ERR_CERT", "bad_certificate"),
    ("ERR_SSL", "bad_certificate"),
    ("crash", "page_crashed"),
)
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_IS_CANONICAL = re.compile(r";\s*rel\s*=\s*(\"[^\"]*\bcanonical\b[^\"]*\"|canonical\b)", re.IGNORECASE)
_ADD_STYLE = """(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(%s);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
})()"""
Permit = Callable[[str], Awaitable[tuple[str, str] | None]]


class VisitError(Exception):
    """The page gives no capture.

    Args:
        cause: stable snake_case code.
        status: HTTP status; None without a response.
    """

    def __init__(self, cause: str, message: str, status: int | None = None):
        super().__init__(message)
        self.cause, self.message, self.status = cause, message, status


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Time limits of a visit, and how much of the page its picture covers.

    Args:
        load_s: seconds until the document must have loaded.
        settle_s: seconds for resources and changes after that.
        quiet_ms: milliseconds without a change after which a page with scripts counts as settled.
        wait_ms: milliseconds after loading before the page is looked at.
        wait_for: CSS selector of an element that must be there before the page is looked at.
        page_s: seconds for the whole visit, after which the browser must close the page.
        max_tiles: maximum number of tiles, each as high as the window; 1 is the window only.
        lossless: PNG, else JPEG at quality 90.
    """

    load_s: float = 20
    settle_s: float = 6
    quiet_ms: int = 150
    wait_ms: int = 0
    wait_for: str = ""
    page_s: float = 60
    max_tiles: int = 1
    lossless: bool = True


@dataclass
class VisitResult:
    """The result of a visit. `final_url`, `status` and `retry_after` are set as soon as there is a response."""

    final_url: str = ""
    status: int | None = None
    retry_after: str = ""
    links: list[str] = field(default_factory=list)
    canonical: str = ""
    content: PageContent | None = None


class Visit:
    """A visit of one URL in one view.

    Args:
        pooled_page: the window that loads the page.
        permit: says if the page may redirect to another URL; gives cause and message if it may not.
        agent: name of the crawler, to which pages may address an opt-out.
        coder: makes the code of the page; None makes none.
    """

    def __init__(
        self,
        pooled_page: PooledPage,
        timeouts: Timeouts,
        permit: Permit,
        agent: str,
        url: str,
        coder: PageCoder | None = None,
    ):
        self._page, self._session, self._proxy_session, self._view = (
            pooled_page.page,
            pooled_page.session,
            pooled_page.proxy_session,
            pooled_page.view,
        )
        self._timeouts, self._permit, self._agent, self._url = timeouts, permit, agent, url
        self._coder, self._client = coder, pooled_page.client
        self.result = VisitResult()
        self._blocked: tuple[str, str] | None = None
        self._main_frame: str | None = None
        self._place = place_of(url)  # of the last request for the page itself
        self._num_redirects = 0
        self._is_answered = False
        self._named_by_head = ""  # canonical URL of a `Link` header
        self._response: Response | None = None
        self._is_cut_off = False
        self._on_the_way: set[Request] = set()
        self._styles: dict[str, bool] = {}  # style sheets by URL, and True for those that came
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> VisitResult:
        """Visit it.

        Raises:
            VisitFailed: the page is no page, forbids it, or does not come.
            BrowserDied: the browser is at fault; the visit may be tried once more.
        """
        page = self._page
        page.on("response", self._note_response)
        page.on("request", self._note_request)
        page.on("requestfinished", self._note_end)
        page.on("requestfailed", self._note_failure)
        self._session.on("Fetch.requestPaused", self._note_document)
        try:
            async with asyncio.timeout(self._timeouts.page_s):
                await self._visit(page)
            if self._coder is not None and self.result.content is not None:
                code = await self._code(self._coder, self.result.content.screenshot)
                self.result.content = replace(self.result.content, code=code)
        except TimeoutError:
            raise VisitError("timeout", f"not done after {self._timeouts.page_s:g} s") from None
        except ScriptError as error:
            raise VisitError("unreadable_page", str(error)[:300]) from error
        except Error as error:
            raise self._failure(error) from error
        finally:
            self._session.remove_listener("Fetch.requestPaused", self._note_document)
            page.remove_listener("response", self._note_response)
            page.remove_listener("request", self._note_request)
            page.remove_listener("requestfinished", self._note_end)
            page.remove_listener("requestfailed", self._note_failure)
            for task in self._tasks:
                task.cancel()
        return self.result

    async def _visit(self, page: Page) -> None:
        try:
            await page.goto(self._url, wait_until="domcontentloaded", timeout=self._timeouts.load_s * 1000)
        except PlaywrightTimeout:
            self._check_answer()
            raise VisitError("timeout", f"the document did not come within {self._timeouts.load_s:g} s") from None
        for attempt in range(NAVIGATIONS):
            self._check_answer()
            flags = [] if await self._has_loaded(page) else ["still_loading"]
            try:
                await self._read(page, self._session, flags)
                break
            except DocumentGone as error:  # a script loads another document
                if attempt == NAVIGATIONS - 1:
                    raise VisitError("unreadable_page", "it goes on to other documents all the time") from error
                await page.wait_for_load_state("domcontentloaded", timeout=self._timeouts.load_s * 1000)
        self._check_answer()

    def _note_document(self, event: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._decide(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        """Continue a held request or response, or end it."""
        is_answer = "responseStatusCode" in event or "responseErrorReason" in event
        if event["resourceType"] != "Document":
            goes_on = event["resourceType"] != "Other" or not _is_icon(event)
        elif is_answer:
            goes_on = self._accepts(event)
        else:
            goes_on = await self._permits(event)
        with contextlib.suppress(Error):  # the page may be gone
            if goes_on:
                method = "Fetch.continueResponse" if is_answer else "Fetch.continueRequest"
                headers = {} if is_answer else self._headers_of(event["request"])
                await self._session.send(method, {"requestId": event["requestId"], **headers})
            else:
                failed = {"requestId": event["requestId"], "errorReason": "Aborted"}
                await self._session.send("Fetch.failRequest", failed)

    def _headers_of(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the headers with which a request goes on, without ours if a redirect leads to another site."""
        if not self._client.headers:
            return {}
        ours = {name.lower() for name, _ in self._client.headers}
        own = [(name, value) for name, value in request["headers"].items() if name.lower() not in ours]
        headers = [*own, *self._client.headers_for(canonical(request["url"]) or "")]
        return {"headers": [{"name": name, "value": value} for name, value in headers]}

    async def _permits(self, event: dict[str, Any]) -> bool:
        """Return True if a document may be requested. Redirects of the page itself need permission."""
        self._main_frame = self._main_frame or event["frameId"]
        if event["frameId"] != self._main_frame:
            return True
        url = event["request"]["url"]
        self._num_redirects = self._num_redirects + 1 if "redirectedRequestId" in event else 0
        if self._num_redirects > MAX_REDIRECTS:
            self._blocked = "redirect_loop", f"more than {MAX_REDIRECTS} redirects"
            return False
        refused = None if canonical(url) == self._url else await self._permit(url)
        if refused is not None:
            self._blocked = refused
            return False
        self._place, self._is_answered = place_of(url), False
        return True

    def _accepts(self, event: dict[str, Any]) -> bool:
        """Judge a document by the head of its response, and return True if the browser may have it.

        The head is judged before the browser acts on it, because the kinds show files and errors in their own ways.
        """
        status, headers = event.get("responseStatusCode"), _headers(event)
        if status is None or (status in REDIRECTS and "location" in headers):  # it failed, or another request follows
            return True
        if event["frameId"] != self._main_frame:
            return _type_of(headers) != "application/pdf"
        try:
            if status in (403, 502):  # our proxy's, where it did not connect to the host
                self._check_lane()
            self._is_answered = True
            self.result.final_url, self.result.status = well_formed(event["request"]["url"]), status
            self.result.retry_after = headers.get("retry-after", "")
            self._check_head(status, headers)
            self._named_by_head = _canonical_of(headers.get("link", ""), self.result.final_url)
        except VisitError as failure:
            self._blocked = failure.cause, failure.message
            return False
        return True

    def _check_head(self, status: int, headers: Mapping[str, str]) -> None:
        """Raise VisitError if a response with this head cannot be used."""
        if not 200 <= status < 300:
            raise VisitError("http_error", f"HTTP {status}")
        kind = _type_of(headers)
        if kind not in HTML_TYPES:
            raise VisitError("not_html", f"the page is of type {kind[:80]}")
        if headers.get("content-disposition", "").strip().lower().startswith("attachment"):
            raise VisitError("not_html", "the page is a file to be saved")
        directive = opt_out(headers.get("x-robots-tag", "").split("\n"), self._agent)
        if directive:
            raise VisitError("opted_out", f"X-Robots-Tag says {directive}")
        if is_reserved(headers.get("tdm-reservation", "")):
            raise VisitError("opted_out", "tdm-reservation is 1")
        for name in ("content-signal", "content-usage"):
            refused = refused_use(name, headers.get(name, ""))
            if refused is not None:
                raise VisitError("opted_out", f"its head says {refused}")

    def _note_response(self, response: Response) -> None:
        if response.request.resource_type == "stylesheet":
            self._styles[response.url] = response.status < 400
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self._response = response

    def _note_request(self, request: Request) -> None:
        self._on_the_way.add(request)

    def _note_end(self, request: Request) -> None:
        self._on_the_way.discard(request)

    def _note_failure(self, request: Request) -> None:
        self._on_the_way.discard(request)
        if request.resource_type == "stylesheet":
            self._styles[request.url] = False
        if self._response is not None and request == self._response.request:
            self._is_cut_off = True

    def _check_answer(self) -> None:
        """Raise VisitError if the document is missing, incomplete or refused."""
        if self._blocked is not None:
            raise VisitError(*self._blocked)
        self._check_lane()
        if self._is_cut_off:  # half a document is not what its author wrote
            raise VisitError("incomplete", "the document broke off")

    def _check_lane(self) -> None:
        """Raise VisitError if the document failed in the proxy, which knows the reason better than the browser."""
        if self._proxy_session.is_too_large and (not self._is_answered or self._is_cut_off):
            raise VisitError("too_large", "the page is larger than the limits allow")
        if self._is_answered:
            return
        if self._place in self._proxy_session.refused:
            raise VisitError("address_refused", self._proxy_session.refused[self._place])
        if self._place in self._proxy_session.broken:
            raise VisitError("unreachable", f"{self._place}: {self._proxy_session.broken[self._place]}")

    def _failure(self, error: Error) -> VisitError:
        """Return the VisitError for an error of the browser."""
        if self._blocked is not None:
            return VisitError(*self._blocked)
        text = error.message.partition("\n")[0].removeprefix("Page.goto: ")
        if "closed" in text and "net::" not in text:  # the browser exited; the host is not to blame
            raise BrowserDiedError(text) from error
        try:
            self._check_lane()
        except VisitError as failure:
            return failure
        if self._proxy_session.is_too_large:
            return VisitError("too_large", "the page is larger than the limits allow")
        cause = next((cause for part, cause in _NET_CAUSES if part.lower() in text.lower()), None)
        if cause is None:
            cause = "unreachable" if "net::" in text else "unreadable_page"
        return VisitError(cause, text.replace(f" at {self._url}", ""))

    async def _has_loaded(self, page: Page) -> bool:
        """Wait for the load event, at most as long as the page may settle."""
        try:
            await page.wait_for_load_state("load", timeout=self._timeouts.settle_s * 1000)
        except PlaywrightTimeout:
            return False
        return True

    async def _settle(self, world: World, flags: list[str]) -> None:
        """Wait until the page has settled, and add to the flags what it was waited for in vain."""
        waiting = Waiting(
            quiet_ms=self._timeouts.quiet_ms,
            limit_ms=self._timeouts.settle_s * 1000,
            wait_ms=self._timeouts.wait_ms,
            wait_for=self._timeouts.wait_for,
            height=self._view.height * (self._timeouts.max_tiles + SPARE * (self._timeouts.max_tiles > 1)),
        )
        at_rest, missed = await settle(world, waiting)
        try:
            async with asyncio.timeout(self._timeouts.settle_s):
                waited = bool(self._on_the_way)
                while self._on_the_way:
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
            return "" if self._response is None else await self._response.text()
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
        await open_closed_roots(world, await self._source())
        view, height = self._view, self._view.height
        limit = height
        if self._timeouts.max_tiles > 1:
            limit = math.ceil(view.height * (self._timeouts.max_tiles + SPARE))
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
            tops = tile_tops(boxes, *sizes, self._timeouts.max_tiles, view.scale)
            screenshot = await self._photograph(session, tops)
            if not await reading.has_moved():
                break
        else:
            raise VisitError("moving_layout", "its words moved or changed while the picture was taken")
        found = reading.found
        found["facts"] |= {
            "num_styles": len(self._styles),
            "num_failed_styles": list(self._styles.values()).count(False),
        }
        self.result.content = _page_content(found, boxes, screenshot, flags, view.scale)
        linked = (canonical(link, page.url) for link in found["links"])
        self.result.links = list(dict.fromkeys(link for link in linked if link is not None))
        self.result.canonical = canonical(found["canonical"]) or self._named_by_head
        self.result.final_url = well_formed(page.url)

    async def _photograph(self, session: CDPSession, tops: list[int]) -> Screenshot:
        """Take the picture in tiles."""
        lossless = self._timeouts.lossless
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
        return Code(html=well_formed(made.html), similarity=made.similarity.score, num_tokens=made.num_tokens)


def _is_icon(event: Mapping[str, Any]) -> bool:
    """Return True if a request is for the icon of a page. The whole browser loads them for its tabs."""
    wanted: str = event["request"]["headers"].get("Accept", "")
    return wanted.startswith("image/")


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a response by their lower-case names; headers of one name are joined by newlines."""
    found: dict[str, str] = {}
    for header in event.get("responseHeaders", ()):
        name = header["name"].lower()
        found[name] = f"{found[name]}\n{header['value']}" if name in found else header["value"]
    return found


def _canonical_of(link: str, base: str) -> str:
    """Return the canonical URL that a `Link` header names (RFC 8288); empty if it names none."""
    named = (found[1] for found in _LINK.finditer(link) if _IS_CANONICAL.search(found[2]))
    return next(filter(None, (canonical(url.strip(), base) for url in named)), "")


def _type_of(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "text/html").partition(";")[0].strip().lower()


def _page_content(
    found: dict[str, Any], boxes: np.ndarray, screenshot: Screenshot, flags: Sequence[str], scale: int
) -> PageContent:
    """Join a reading and its picture. `boxes` are the boxes of the words, in pixels."""
    facts = found["facts"]
    has = {
        "frames": any(frame["clip"] for frame in found["frames"]),
        "canvas": facts["num_canvases"],
        "styles_failed": facts["num_failed_styles"],
        "pictures_failed": facts["num_broken_pictures"],
    }
    if has["frames"]:  # an overlay may hold its text in a frame
        facts["overlay_text"] = (facts["overlay_text"] + _text_in(facts["overlay_boxes"], found["words"]))[:4000]
    return PageContent(
        screenshot=screenshot,
        texts=[word[0] for word in found["words"]],
        boxes=boxes,
        separators=[word[5] for word in found["words"]],
        elements=[_element(element, scale) for element in found["elements"]],
        title=found["title"][:500],
        description=found["description"][:1000],
        language=found["language"][:20],
        licences=[url[:300] for url in found["licences"]],
        facts=found["facts"],
        flags=[*flags, *(name for name, is_there in has.items() if is_there)],
    )


def _text_in(boxes: Sequence[Sequence[float]], words: Sequence[Sequence[Any]]) -> str:
    """Return the words whose centres are in one of the boxes, each after a space."""
    return "".join(
        f" {text}"
        for text, x0, y0, x1, y1, _ in words
        if any(a <= (x0 + x1) / 2 <= c and b <= (y0 + y1) / 2 <= d for a, b, c, d in boxes)
    )


def _element(row: list[Any], scale: float) -> PageElement:
    role, name, *box = row
    x0, y0, x1, y1 = (float(edge * scale) for edge in box)  # JSON gives whole numbers as int, read back they are not
    return PageElement(role=role[:40], name=name, box=(x0, y0, x1, y1))
