"""The traffic of a page: the documents that it may load, what came of them, and which requests are still open."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from playwright.async_api import Error, Request, Response

from sources.browser.reading import well_formed
from sources.web.page_pool import PooledPage
from sources.web.response_head import REDIRECTS, canonical_of, check_head, headers_of, type_of
from sources.web.urls import canonical, place_of
from sources.web.visit_result import VisitError, VisitResult

MAX_REDIRECTS = 10  # as many as Googlebot follows; Chromium's own limit is 20
Permit = Callable[[str], Awaitable[tuple[str, str] | None]]


class PageTraffic:
    """The requests and responses of a page while it is visited, as a context in which documents are judged.

    Args:
        pooled_page: the window that loads the page.
        permit: says if the page may redirect to another URL; gives cause and message if it may not.
        agent: name of the crawler, to which pages may address an opt-out.
        result: is given the address, the status and `Retry-After` as soon as there is a response.

    Attributes:
        response: the response with the document, once it came.
        pending: requests that have not ended.
        styles: style sheets by URL, and True for those that came.
        named_by_head: canonical URL of a `Link` header; empty if it names none.
        blocked: cause and message of the reason why the document was refused; None if it was not.
    """

    def __init__(self, pooled_page: PooledPage, permit: Permit, agent: str, url: str, result: VisitResult):
        self._page, self._session, self._proxy_session = (
            pooled_page.page,
            pooled_page.session,
            pooled_page.proxy_session,
        )
        self._client, self._permit, self._agent, self._url = pooled_page.client, permit, agent, url
        self._result = result
        self.response: Response | None = None
        self.pending: set[Request] = set()
        self.styles: dict[str, bool] = {}
        self.named_by_head = ""
        self.blocked: tuple[str, str] | None = None
        self._main_frame: str | None = None
        self._place = place_of(url)  # of the last request for the page itself
        self._num_redirects = 0
        self._is_answered = False
        self._is_cut_off = False
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._page.on("response", self._note_response)
        self._page.on("request", self._note_request)
        self._page.on("requestfinished", self._note_end)
        self._page.on("requestfailed", self._note_failure)
        self._session.on("Fetch.requestPaused", self._note_document)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.remove_listener("Fetch.requestPaused", self._note_document)
        self._page.remove_listener("response", self._note_response)
        self._page.remove_listener("request", self._note_request)
        self._page.remove_listener("requestfinished", self._note_end)
        self._page.remove_listener("requestfailed", self._note_failure)
        for task in self._tasks:
            task.cancel()

    @property
    def is_too_large(self) -> bool:
        """True if the page asked for more bytes than the limits allow."""
        return self._proxy_session.is_too_large

    def check_answer(self) -> None:
        """Raise VisitError if the document is missing, incomplete or refused."""
        if self.blocked is not None:
            raise VisitError(*self.blocked)
        self.check_connection()
        if self._is_cut_off:  # half a document is not what its author wrote
            raise VisitError("incomplete", "the document broke off")

    def check_connection(self) -> None:
        """Raise VisitError if the document failed in the proxy, which knows the reason better than the browser."""
        if self._proxy_session.is_too_large and (not self._is_answered or self._is_cut_off):
            raise VisitError("too_large", "the page is larger than the limits allow")
        if self._is_answered:
            return
        if self._place in self._proxy_session.refused:
            raise VisitError("address_refused", self._proxy_session.refused[self._place])
        if self._place in self._proxy_session.broken:
            raise VisitError("unreachable", f"{self._place}: {self._proxy_session.broken[self._place]}")

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
            self.blocked = "redirect_loop", f"more than {MAX_REDIRECTS} redirects"
            return False
        refused = None if canonical(url) == self._url else await self._permit(url)
        if refused is not None:
            self.blocked = refused
            return False
        self._place, self._is_answered = place_of(url), False
        return True

    def _accepts(self, event: dict[str, Any]) -> bool:
        """Judge a document by the head of its response, and return True if the browser may have it.

        The head is judged before the browser acts on it, because the kinds show files and errors in their own ways.
        """
        status, headers = event.get("responseStatusCode"), headers_of(event)
        if status is None or (status in REDIRECTS and "location" in headers):  # it failed, or another request follows
            return True
        if event["frameId"] != self._main_frame:
            return type_of(headers) != "application/pdf"
        try:
            if status in (403, 502):  # our proxy's, where it did not connect to the host
                self.check_connection()
            self._is_answered = True
            self._result.final_url, self._result.status = well_formed(event["request"]["url"]), status
            self._result.retry_after = headers.get("retry-after", "")
            check_head(status, headers, self._agent)
            self.named_by_head = canonical_of(headers.get("link", ""), self._result.final_url)
        except VisitError as failure:
            self.blocked = failure.cause, failure.message
            return False
        return True

    def _note_response(self, response: Response) -> None:
        if response.request.resource_type == "stylesheet":
            self.styles[response.url] = response.status < 400
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self.response = response

    def _note_request(self, request: Request) -> None:
        self.pending.add(request)

    def _note_end(self, request: Request) -> None:
        self.pending.discard(request)

    def _note_failure(self, request: Request) -> None:
        self.pending.discard(request)
        if request.resource_type == "stylesheet":
            self.styles[request.url] = False
        if self.response is not None and request == self.response.request:
            self._is_cut_off = True


def _is_icon(event: Mapping[str, Any]) -> bool:
    """Return True if a request is for the icon of a page. The whole browser loads them for its tabs."""
    wanted: str = event["request"]["headers"].get("Accept", "")
    return wanted.startswith("image/")
