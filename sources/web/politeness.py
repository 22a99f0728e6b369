"""Politeness: the rules of hosts (robots.txt), and the time between requests to them."""

import asyncio
import contextlib
import email.utils
import http.client
import itertools
import os
import ssl
import urllib.error
import urllib.request
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from sources.web.address_policy import AddressPolicy
from sources.web.client import ANONYMOUS, Client
from sources.web.proxy import TrafficLimits, open_proxy_session
from sources.web.robots import MAX_ROBOTS_BYTES, Robots
from sources.web.urls import host_of

ROBOTS_TIMEOUT_S = 20
TDMREP = "/.well-known/tdmrep.json"  # W3C TDM Reservation Protocol
UNREACHABLE, BAD_CERTIFICATE = "unreachable", "bad_certificate"
MAX_DELAY_S = 120  # a host that demands longer pauses does not want to be crawled
LATER = (429, 503)  # a host that is busy: it is asked again
# What a client that stops reading leaves in the buffers of a connection, at most: it is no excess of the host.
BUFFERED_MB = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a plain request.

    Args:
        status: HTTP status; None without a response, and then `cause` is its reason code and `why` the explanation.
        retry_after: the header of that name.
        kind: the content type, in lower case and without parameters.
    """

    status: int | None
    body: bytes = b""
    cause: str = ""
    why: str = ""
    retry_after: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a busy host (HTTP 429, 503) is waited for.

    Args:
        waits_s: seconds before each further attempt, where the host names no time.
        most_s: a host that names a longer time (`Retry-After`) is not asked again.
    """

    waits_s: Sequence[float] = (2.0, 8.0)
    most_s: float = 120.0

    def wait_s(self, status: int | None, retry_after: str, attempt: int) -> float | None:
        """Return the seconds to wait after the given attempt (from 0), or None if there is no further one."""
        if status not in LATER or attempt >= len(self.waits_s):
            return None
        named = _seconds(retry_after)
        wait_s = self.waits_s[attempt] if named is None else named
        return wait_s if wait_s <= self.most_s else None


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or a date; None if it is neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
    except (ValueError, TypeError):
        return None
    return max(0.0, (date - datetime.now(date.tzinfo)).total_seconds())


async def get(
    url: str,
    policy: AddressPolicy,
    agent: str,
    max_bytes: int,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
) -> Answer:
    """Fetch the first bytes of a file without a browser, through a proxy with the same address policy, following
    redirects, which are not sent `headers`."""
    limits = TrafficLimits(
        response_mb=max_bytes / 1e6 + BUFFERED_MB,
        page_mb=2 * max_bytes / 1e6 + BUFFERED_MB,
        response_s=ROBOTS_TIMEOUT_S,
    )
    async with open_proxy_session(policy, limits) as session:
        try:
            async with asyncio.timeout(2 * ROBOTS_TIMEOUT_S):
                answer = await asyncio.to_thread(_get, url, session.address, agent, max_bytes, method, headers)
        except TimeoutError:
            return Answer(None, cause=UNREACHABLE, why="no answer in time")
        if session.refused:  # the response is the proxy's, not the host's
            return Answer(None, cause="address_refused", why=next(iter(session.refused.values())))
        if session.broken and answer.status in (None, 502) and answer.cause != BAD_CERTIFICATE:
            return Answer(None, cause=UNREACHABLE, why=": ".join(next(iter(session.broken.items()))))
        return answer


class _Through(urllib.request.BaseHandler):
    """Sends every request, also after redirects, through a proxy."""

    handler_order = 100  # before the handlers that connect

    def __init__(self, proxy: str):
        self._proxy = proxy

    def http_open(self, request: urllib.request.Request) -> None:
        request.set_proxy(self._proxy, "http")

    https_open = http_open


@lru_cache(maxsize=4)
def _trust(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return a client's context with the authorities that OpenSSL finds there; reading them takes 25 ms.

    Args:
        file, folder: what the environment names, which is what the context depends on.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _get(url: str, proxy: str, agent: str, max_bytes: int, method: str, headers: Sequence[tuple[str, str]]) -> Answer:
    opener = urllib.request.OpenerDirector()  # the default one also supports FTP, files and `no_proxy`
    for handler in (
        _Through(proxy),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": agent, "Accept-Encoding": "gzip"}, method=method)
    for header in headers:
        request.add_unredirected_header(*header)
    try:
        with opener.open(request, timeout=ROBOTS_TIMEOUT_S) as response:
            body = response.read(max_bytes)
            if response.headers.get("Content-Encoding") == "gzip":  # of a longer file only the beginning was read
                body = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, max_bytes)
            return Answer(response.status, body, kind=response.headers.get_content_type())
    except urllib.error.HTTPError as error:
        error.close()
        return Answer(error.code, retry_after=error.headers.get("Retry-After", ""))
    except (OSError, zlib.error, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = str(getattr(reason, "verify_message", "") or reason) or type(error).__name__
        return Answer(None, cause=BAD_CERTIFICATE if isinstance(reason, ssl.SSLError) else UNREACHABLE, why=why)


@dataclass
class _Host:
    """The state of a host: its rules, why they could not be fetched (cause, message), and when to ask next."""

    robots: Robots
    failure: tuple[str, str] | None
    delay_s: float
    free: asyncio.Semaphore
    next_s: float = 0.0
    waiting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Politeness:
    """The rules and delays of a site's hosts. One process visits all pages of a site, so its memory is sufficient.

    Args:
        name: the crawler's name in robots.txt.
        agent: the whole user agent.
        delay_s: seconds between the starts of two visits to a host; its robots.txt may demand more.
        per_host: maximum concurrent visits to a host.
        patience: how long a busy host is waited for.
        client: what hosts are sent.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        name: str,
        agent: str,
        delay_s: float,
        per_host: int,
        patience: Patience = Patience(),
        client: Client = ANONYMOUS,
    ):
        self._client = client
        self._policy, self._name, self._agent, self._patience = policy, name, agent, patience
        self._delay_s, self._per_host = delay_s, per_host
        self._hosts: dict[str, asyncio.Task[_Host]] = {}

    async def refusal(self, url: str) -> tuple[tuple[str, str] | None, str]:
        """Return (cause and message if a URL must not be visited, else None; what was checked)."""
        host = await self._host(url)
        if host.failure is not None:
            return host.failure, host.robots.permission()
        reserved = host.robots.opt_out(url, self._name)
        if reserved is not None:
            return ("opted_out", reserved), host.robots.permission()
        why = host.robots.refusal(url, self._name)
        if why is None and host.delay_s > MAX_DELAY_S:
            why = f"robots.txt asks for {host.delay_s:g} s between two requests"
        return None if why is None else ("robots", why), host.robots.permission()

    @contextlib.asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait until the next visit to the URL's host is allowed; the block counts as the visit."""
        host = await self._host(url)
        async with host.free:
            async with host.waiting:
                loop = asyncio.get_running_loop()
                await asyncio.sleep(max(0.0, host.next_s - loop.time()))
                host.next_s = loop.time() + host.delay_s
            yield
            if host.robots.delay_s(self._name) > 0:  # a delay that the host demands starts after the visit
                host.next_s = loop.time() + host.delay_s

    async def sitemaps(self, url: str) -> list[str]:
        """Return the URLs of sitemaps that the robots.txt of a URL's host names."""
        return (await self._host(url)).robots.sitemaps

    async def postpone(self, url: str, seconds: float) -> None:
        """Visit nothing of the URL's host for some time."""
        host = await self._host(url)
        host.next_s = max(host.next_s, asyncio.get_running_loop().time() + seconds)

    async def get(self, url: str, max_bytes: int, method: str = "GET") -> Answer:
        """Fetch a file in a turn of its host; a host that is busy is asked again."""
        for attempt in itertools.count():
            async with self.turn(url):
                answer = await self._get(url, max_bytes, method)
            wait_s = self._patience.wait_s(answer.status, answer.retry_after, attempt)
            if wait_s is None:
                break
            await self.postpone(url, wait_s)
        return answer

    async def _get(self, url: str, max_bytes: int, method: str = "GET") -> Answer:
        headers = self._client.headers_for(url)
        return await get(url, self._policy, self._agent, max_bytes, method, headers)

    async def _host(self, url: str) -> _Host:
        name = f"{urlsplit(url).scheme}://{host_of(url)}"
        if name not in self._hosts:
            self._hosts[name] = asyncio.create_task(self._meet(name))
        return await asyncio.shield(self._hosts[name])

    async def _meet(self, name: str) -> _Host:
        for attempt in itertools.count():
            answer = await self._get(f"{name}/robots.txt", MAX_ROBOTS_BYTES)
            wait_s = self._patience.wait_s(answer.status, answer.retry_after, attempt)
            if wait_s is None:
                break
            await asyncio.sleep(wait_s)
        failure = (answer.cause, f"robots.txt cannot be read: {answer.why}") if answer.status is None else None
        robots = Robots.of_answer(answer.status, answer.body)
        if failure is None and robots.refusal(f"{name}{TDMREP}", self._name) is None:
            reservations = await self._get(f"{name}{TDMREP}", MAX_ROBOTS_BYTES)
            robots = Robots.of_answer(answer.status, answer.body, reservations.body)
        delay_s = max(self._delay_s, robots.delay_s(self._name))
        # A host that demands delays gets one visit at a time.
        at_once = 1 if robots.delay_s(self._name) > 0 else self._per_host
        return _Host(robots, failure, delay_s, asyncio.Semaphore(at_once))
