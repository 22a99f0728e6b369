"""Politeness: the rules of hosts (robots.txt), and the time between requests to them."""

import asyncio
import contextlib
import gzip
import http.client
import io
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sources.web.address_policy import AddressPolicy
from sources.web.proxy import TrafficLimits, open_proxy_session
from sources.web.robots import MAX_ROBOTS_BYTES, Robots
from sources.web.urls import host_of

ROBOTS_TIMEOUT_S = 20
UNREACHABLE, BAD_CERTIFICATE = "unreachable", "bad_certificate"
MAX_DELAY_S = 120  # a host that demands longer pauses does not want to be crawled


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a plain request.

    Args:
        status: HTTP status; None without a response, and then `cause` is its reason code and `why` the explanation.
    """

    status: int | None
    body: bytes = b""
    cause: str = ""
    why: str = ""


async def get(url: str, policy: AddressPolicy, agent: str, max_bytes: int) -> Answer:
    """Fetch a small file without a browser, through a proxy with the same address policy, following redirects."""
    limits = TrafficLimits(
        response_mb=max_bytes / 1e6 + 0.1, page_mb=2 * max_bytes / 1e6 + 1, response_s=ROBOTS_TIMEOUT_S
    )
    async with open_proxy_session(policy, limits) as session:
        try:
            async with asyncio.timeout(2 * ROBOTS_TIMEOUT_S):
                answer = await asyncio.to_thread(_get, url, session.address, agent, max_bytes)
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


def _get(url: str, proxy: str, agent: str, max_bytes: int) -> Answer:
    opener = urllib.request.OpenerDirector()  # the default one also supports FTP, files and `no_proxy`
    for handler in (
        _Through(proxy),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": agent, "Accept-Encoding": "gzip"})
    try:
        with opener.open(request, timeout=ROBOTS_TIMEOUT_S) as response:
            body = response.read(max_bytes)
            if response.headers.get("Content-Encoding") == "gzip":
                with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                    body = file.read(max_bytes)
            return Answer(response.status, body)
    except urllib.error.HTTPError as error:
        error.close()
        return Answer(error.code)
    except (OSError, EOFError, http.client.HTTPException, ValueError) as error:
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
    """

    def __init__(self, policy: AddressPolicy, name: str, agent: str, delay_s: float, per_host: int):
        self._policy, self._name, self._agent = policy, name, agent
        self._delay_s, self._per_host = delay_s, per_host
        self._hosts: dict[str, asyncio.Task[_Host]] = {}

    async def refusal(self, url: str) -> tuple[tuple[str, str] | None, str]:
        """Return (cause and message if a URL must not be visited, else None; what was checked)."""
        host = await self._host(url)
        if host.failure is not None:
            return host.failure, host.robots.permission()
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

    async def _host(self, url: str) -> _Host:
        name = f"{urlsplit(url).scheme}://{host_of(url)}"
        if name not in self._hosts:
            self._hosts[name] = asyncio.create_task(self._meet(name))
        return await asyncio.shield(self._hosts[name])

    async def _meet(self, name: str) -> _Host:
        answer = await get(f"{name}/robots.txt", self._policy, self._agent, MAX_ROBOTS_BYTES)
        failure = (answer.cause, f"robots.txt cannot be read: {answer.why}") if answer.status is None else None
        robots = Robots.of_answer(answer.status, answer.body)
        delay_s = max(self._delay_s, robots.delay_s(self._name))
        # A host that demands delays gets one visit at a time.
        at_once = 1 if robots.delay_s(self._name) > 0 else self._per_host
        return _Host(robots, failure, delay_s, asyncio.Semaphore(at_once))
