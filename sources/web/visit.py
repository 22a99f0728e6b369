"""One visit: a page is loaded, waited for, read and photographed, all within bounds."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.async_api import CDPSession, Error, Page, Request, Response
from playwright.async_api import TimeoutError as PlaywrightTimeout

from sources.browser.browser import BrowserDied
from sources.browser.isolated_world import DocumentGone, ScriptFailed, World
from sources.browser.reading import height_of, read_page, settle
from sources.browser.screenshot import photograph
from sources.web.capture import Code, PageContent, PageElement, Screenshot
from sources.web.code.page_code import PageCoder
from sources.web.code.snapshot import CodeRefused
from sources.web.page_pool import PooledPage
from sources.web.robots import opt_out
from sources.web.tiles import tile_tops
from sources.web.urls import canonical

READINGS = 2  # a page whose words move while it is photographed is read so often before it is given up
NAVIGATIONS = 3  # a page may send its reader on so often by script before it is given up
STILL_S = 0.05  # without requests on the way, for the network to count as quiet
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
Permit = Callable[[str], Awaitable[tuple[str, str] | None]]


class VisitFailed(Exception):
    """The page gives no capture.

    Args:
        cause: stable snake_case code.
    """

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long a page is waited for, in seconds, and how much of it is photographed.

    Args:
        load_s: for its document.
        settle_s: for what it loads and changes afterwards.
        quiet_ms: without a change, for a page with scripts to have settled.
        page_s: for everything, after which the browser is told to drop it.
        max_tiles: of the window's height; 1 is the window alone.
        lossless: PNG, else JPEG at quality 90.
    """

    load_s: float = 20
    settle_s: float = 6
    quiet_ms: int = 150
    page_s: float = 60
    max_tiles: int = 1
    lossless: bool = True


@dataclass
class VisitResult:
    """What a visit gave. `final_url` and `status` are known as soon as there is an answer."""

    final_url: str = ""
    status: int | None = None
    links: list[str] = field(default_factory=list)
    seen: PageContent | None = None


class Visit:
    """One URL through one view.

    Args:
        seat: the window it happens in.
        permit: whether the page itself may move on to another URL; gives cause and message if it may not.
        agent: the crawler's name, to which pages may address an opt-out.
        coder: makes the page's code; None: none is wanted.
    """

    def __init__(
        self, seat: PooledPage, patience: Timeouts, permit: Permit, agent: str, url: str, coder: PageCoder | None = None
    ):
        self._page, self._session, self._lane, self._view = seat.page, seat.session, seat.lane, seat.view
        self._patience, self._permit, self._agent, self._url = patience, permit, agent, url
        self._coder = coder
        self.visited = VisitResult()
        self._blocked: tuple[str, str] | None = None
        self._main_frame: str | None = None
        self._host = urlsplit(url).hostname or ""  # the host that was last asked for the page itself
        self._num_redirects = 0
        self._is_answered = False
        self._response: Response | None = None
        self._is_cut_off = False
        self._on_the_way: set[Request] = set()
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
            async with asyncio.timeout(self._patience.page_s):
                await self._visit(page)
            if self._coder is not None and self.visited.seen is not None:
                code = await self._code(self._coder, self.visited.seen.screenshot)
                self.visited.seen = replace(self.visited.seen, code=code)
        except TimeoutError:
            raise VisitFailed("timeout", f"not done after {self._patience.page_s:g} s") from None
        except ScriptFailed as error:
            raise VisitFailed("unreadable_page", str(error)[:300]) from error
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
        return self.visited

    async def _visit(self, page: Page) -> None:
        try:
            await page.goto(self._url, wait_until="domcontentloaded", timeout=self._patience.load_s * 1000)
        except PlaywrightTimeout:
            self._check_answer()
            raise VisitFailed("timeout", f"the document did not come within {self._patience.load_s:g} s") from None
        for attempt in range(NAVIGATIONS):
            self._check_answer()
            flags = [] if await self._has_loaded(page) else ["still_loading"]
            try:
                await self._read(page, self._session, flags)
                break
            except DocumentGone as error:  # a script sent the page on, and the next document comes
                if attempt == NAVIGATIONS - 1:
                    raise VisitFailed("unreadable_page", "it goes on to other documents all the time") from error
                await page.wait_for_load_state("domcontentloaded", timeout=self._patience.load_s * 1000)
        self._check_answer()

    def _note_document(self, event: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._decide(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _decide(self, event: dict[str, Any]) -> None:
        """Continue a request or an answer that is held, or end it."""
        is_answer = "responseStatusCode" in event or "responseErrorReason" in event
        if event["resourceType"] != "Document":
            goes_on = not _is_icon(event)
        elif is_answer:
            goes_on = self._accepts(event)
        else:
            goes_on = await self._permits(event)
        with contextlib.suppress(Error):  # the page may be gone
            if goes_on:
                method = "Fetch.continueResponse" if is_answer else "Fetch.continueRequest"
                await self._session.send(method, {"requestId": event["requestId"]})
            else:
                failed = {"requestId": event["requestId"], "errorReason": "Aborted"}
                await self._session.send("Fetch.failRequest", failed)

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
        self._host, self._is_answered = urlsplit(url).hostname or "", False
        return True

    def _accepts(self, event: dict[str, Any]) -> bool:
        """Judge a document by the head of its answer, and return True if the browser may have it.

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
            self.visited.final_url, self.visited.status = event["request"]["url"], status
            self._check_head(status, headers)
        except VisitFailed as failure:
            self._blocked = failure.cause, failure.message
            return False
        return True

    def _check_head(self, status: int, headers: Mapping[str, str]) -> None:
        """Raises VisitFailed if an answer with this head cannot be used."""
        if not 200 <= status < 300:
            raise VisitFailed("http_error", f"HTTP {status}")
        kind = _type_of(headers)
        if kind not in HTML_TYPES:
            raise VisitFailed("not_html", f"the page is of type {kind[:80]}")
        if headers.get("content-disposition", "").strip().lower().startswith("attachment"):
            raise VisitFailed("not_html", "the page is a file to be saved")
        directive = opt_out(headers.get("x-robots-tag", "").split("\n"), self._agent)
        if directive:
            raise VisitFailed("opted_out", f"X-Robots-Tag says {directive}")

    def _note_response(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self._response = response

    def _note_request(self, request: Request) -> None:
        self._on_the_way.add(request)

    def _note_end(self, request: Request) -> None:
        self._on_the_way.discard(request)

    def _note_failure(self, request: Request) -> None:
        self._on_the_way.discard(request)
        if self._response is not None and request == self._response.request:
            self._is_cut_off = True

    def _check_answer(self) -> None:
        """Raises VisitFailed if the document is missing, incomplete or refused."""
        if self._blocked is not None:
            raise VisitFailed(*self._blocked)
        self._check_lane()
        if self._is_cut_off:  # half a document is not what its author wrote
            raise VisitFailed("incomplete", "the document broke off")

    def _check_lane(self) -> None:
        """Raises VisitFailed if the document failed in the proxy, which knows the reason better than the browser."""
        if self._lane.is_too_large and (not self._is_answered or self._is_cut_off):
            raise VisitFailed("too_large", "the page is larger than the limits allow")
        if self._is_answered:
            return
        if self._host in self._lane.refused:
            raise VisitFailed("address_refused", self._lane.refused[self._host])
        if self._host in self._lane.broken:
            raise VisitFailed("unreachable", f"{self._host}: {self._lane.broken[self._host]}")

    def _failure(self, error: Error) -> VisitFailed:
        """What an error of the browser means."""
        if self._blocked is not None:
            return VisitFailed(*self._blocked)
        text = error.message.partition("\n")[0].removeprefix("Page.goto: ")
        if "closed" in text and "net::" not in text:  # then connections broke because the browser went, not the host
            raise BrowserDied(text) from error
        try:
            self._check_lane()
        except VisitFailed as failure:
            return failure
        if self._lane.is_too_large:
            return VisitFailed("too_large", "the page is larger than the limits allow")
        cause = next((cause for part, cause in _NET_CAUSES if part.lower() in text.lower()), None)
        if cause is None:
            cause = "unreachable" if "net::" in text else "unreadable_page"
        return VisitFailed(cause, text.replace(f" at {self._url}", ""))

    async def _has_loaded(self, page: Page) -> bool:
        """Wait for the load event, as long as the page may settle."""
        try:
            await page.wait_for_load_state("load", timeout=self._patience.settle_s * 1000)
        except PlaywrightTimeout:
            return False
        return True

    async def _settle(self, world: World) -> bool:
        quiet_ms, limit_ms = self._patience.quiet_ms, self._patience.settle_s * 1000
        at_rest = await settle(world, quiet_ms, limit_ms)
        try:
            async with asyncio.timeout(self._patience.settle_s):
                waited = bool(self._on_the_way)
                while self._on_the_way:
                    await asyncio.sleep(STILL_S)
        except TimeoutError:
            return False
        if waited:  # what came last may have changed the page
            at_rest = await settle(world, quiet_ms, limit_ms)
        return at_rest

    async def _read(self, page: Page, session: CDPSession, flags: list[str]) -> None:
        """Wait until the page has settled, then read and photograph it."""
        world = await World.of(session)
        if not await self._settle(world):
            flags.append("unsettled")
        view = self._view
        if self._patience.max_tiles > 1:
            wanted = await height_of(world)
            height = max(view.height, min(wanted, view.height * self._patience.max_tiles))
            await page.set_viewport_size({"width": view.width, "height": height})
            await self._settle(world)
        for _ in range(READINGS):
            reading = await read_page(world, page)
            directive = opt_out(reading.found["robots"], self._agent)
            if directive:
                raise VisitFailed("opted_out", f"its robots meta tag says {directive}")
            boxes = np.array([word[1:5] for word in reading.found["words"]], np.float32).reshape(-1, 4) * view.scale
            height_px = (page.viewport_size or {"height": view.height})["height"] * view.scale
            screenshot = await self._photograph(session, tile_tops(boxes, height_px, view.height * view.scale))
            if not await reading.has_moved():
                break
        else:
            raise VisitFailed("moving_layout", "its words moved or changed while the picture was taken")
        found = reading.found
        self.visited.seen = _seen(found, boxes, screenshot, flags, view.scale)
        linked = (canonical(link, page.url) for link in found["links"])
        self.visited.links = list(dict.fromkeys(link for link in linked if link is not None))
        self.visited.final_url = page.url

    async def _photograph(self, session: CDPSession, tops: list[int]) -> Screenshot:
        """The picture in tiles."""
        lossless = self._patience.lossless
        parts = list(itertools.pairwise(tops)) if len(tops) > 2 else [None]
        images = [await photograph(session, self._view, rows, lossless=lossless) for rows in parts]
        width = self._view.width * self._view.scale
        return Screenshot(images=images, extension="png" if lossless else "jpg", tops=tops, width=width)

    async def _code(self, coder: PageCoder, screenshot: Screenshot) -> Code:
        """The code of what was photographed. What was seen is kept, whatever becomes of it."""
        view = replace(self._view, height=screenshot.tops[-1] // self._view.scale)
        try:
            made = await coder.code(self._session, screenshot.images, view)
        except CodeRefused as refused:
            return Code(refusal=refused.cause)
        except BrowserDied:
            return Code(refusal="browser_died")
        return Code(html=made.html, similarity=made.similarity.score, num_tokens=made.num_tokens)


def _is_icon(event: Mapping[str, Any]) -> bool:
    """Return True if a request is for the icon of a page. The whole browser loads them for its tabs."""
    wanted: str = event["request"]["headers"].get("Accept", "")
    return wanted.startswith("image/")


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an answer by their names in lower case; of several of one name, a line each."""
    found: dict[str, str] = {}
    for header in event.get("responseHeaders", ()):
        name = header["name"].lower()
        found[name] = f"{found[name]}\n{header['value']}" if name in found else header["value"]
    return found


def _type_of(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "text/html").partition(";")[0].strip().lower()


def _seen(
    found: dict[str, Any], boxes: np.ndarray, screenshot: Screenshot, flags: Sequence[str], scale: int
) -> PageContent:
    """What a reading and its picture say together; `boxes` are those of the words, in pixels."""
    has = {"frames": any(frame["clip"] for frame in found["frames"]), "canvas": found["facts"]["num_canvases"]}
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


def _element(row: list[Any], scale: float) -> PageElement:
    role, name, *box = row
    x0, y0, x1, y1 = (float(edge * scale) for edge in box)  # JSON gives whole numbers as int, read back they are not
    return PageElement(role=role[:40], name=name, box=(x0, y0, x1, y1))
