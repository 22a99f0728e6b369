"""Politeness: what hosts allow, and how often they are asked."""

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

from sources.web.address_policy import Guard
from sources.web.proxy import TrafficLimits, open_lane
from sources.web.robots import MAX_ROBOTS_BYTES, Robots
from sources.web.urls import host_of

ROBOTS_TIMEOUT_S = 20
UNREACHABLE, BAD_CERTIFICATE = "unreachable", "bad_certificate"
MAX_DELAY_S = 120  # a host that asks for more between two pages does not want to be crawled


@dataclass(frozen=True, slots=True)
class Answer:
    """What a plain request gave.

    Args:
        status: None without an answer; `cause` is then the code for it, `why` the reason.
    """

    status: int | None
    body: bytes = b""
    cause: str = ""
    why: str = ""


async def get(url: str, guard: Guard, agent: str, max_bytes: int) -> Answer:
    """Fetch a small file without a browser, through a lane of the same guard, redirects included."""
    limits = TrafficLimits(
        response_mb=max_bytes / 1e6 + 0.1, page_mb=2 * max_bytes / 1e6 + 1, response_s=ROBOTS_TIMEOUT_S
    )
    async with open_lane(guard, limits) as lane:
        try:
            async with asyncio.timeout(2 * ROBOTS_TIMEOUT_S):
                answer = await asyncio.to_thread(_get, url, lane.address, agent, max_bytes)
        except TimeoutError:
            return Answer(None, cause=UNREACHABLE, why="no answer in time")
        if lane.refused:  # the proxy's own answers are none of the host
            return Answer(None, cause="address_refused", why=next(iter(lane.refused.values())))
        if lane.broken and answer.status in (None, 502) and answer.cause != BAD_CERTIFICATE:
            return Answer(None, cause=UNREACHABLE, why=": ".join(next(iter(lane.broken.items()))))
        return answer


class _Through(urllib.request.BaseHandler):
    """Sends every request, those after redirects too, through a proxy."""

    handler_order = 100  # before those that connect

    def __init__(self, proxy: str):
        self._proxy = proxy

    def http_open(self, request: urllib.request.Request) -> None:
        request.set_proxy(self._proxy, "http")

    https_open = http_open


def _get(url: str, proxy: str, agent: str, max_bytes: int) -> Answer:
    opener = urllib.request.OpenerDirector()  # built by hand: the usual one also knows FTP, files and `no_proxy`
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
    """One host: its rules, why it could not be asked for them (cause and message), and when it may be asked again."""

    robots: Robots
    failure: tuple[str, str] | None
    delay_s: float
    free: asyncio.Semaphore
    next_s: float = 0.0
    waiting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Politeness:
    """The hosts of one share. All of a site's pages are visited by one process, so what it remembers is enough.

    Args:
        name: the crawler's name in robots.txt; `agent`: the whole user agent.
        delay_s: seconds between the beginnings of two visits of one host, or more if its robots.txt asks for it.
        per_host: visits of one host side by side.
    """

    def __init__(self, guard: Guard, name: str, agent: str, delay_s: float, per_host: int):
        self._guard, self._name, self._agent = guard, name, agent
        self._delay_s, self._per_host = delay_s, per_host
        self._hosts: dict[str, asyncio.Task[_Host]] = {}

    async def refusal(self, url: str) -> tuple[tuple[str, str] | None, str]:
        """Cause and message if a URL may not be visited (None if it may), and what was checked."""
        host = await self._host(url)
        if host.failure is not None:
            return host.failure, host.robots.permission()
        why = host.robots.refusal(url, self._name)
        if why is None and host.delay_s > MAX_DELAY_S:
            why = f"robots.txt asks for {host.delay_s:g} s between two requests"
        return None if why is None else ("robots", why), host.robots.permission()

    @contextlib.asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait until the URL's host may be asked again, and count the block as one visit of it."""
        host = await self._host(url)
        async with host.free:
            async with host.waiting:
                loop = asyncio.get_running_loop()
                await asyncio.sleep(max(0.0, host.next_s - loop.time()))
                host.next_s = loop.time() + host.delay_s
            yield
            if host.robots.delay_s(self._name) > 0:  # it asked: then the pause is a whole one, after the visit
                host.next_s = loop.time() + host.delay_s

    async def _host(self, url: str) -> _Host:
        name = f"{urlsplit(url).scheme}://{host_of(url)}"
        if name not in self._hosts:
            self._hosts[name] = asyncio.create_task(self._meet(name))
        return await asyncio.shield(self._hosts[name])

    async def _meet(self, name: str) -> _Host:
        answer = await get(f"{name}/robots.txt", self._guard, self._agent, MAX_ROBOTS_BYTES)
        failure = (answer.cause, f"robots.txt cannot be read: {answer.why}") if answer.status is None else None
        robots = Robots.of_answer(answer.status, answer.body)
        delay_s = max(self._delay_s, robots.delay_s(self._name))
        # Side by side and one after the other with a pause: a host that wants pauses gets one visit at a time.
        at_once = 1 if robots.delay_s(self._name) > 0 else self._per_host
        return _Host(robots, failure, delay_s, asyncio.Semaphore(at_once))
