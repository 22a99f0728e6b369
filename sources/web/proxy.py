"""The forward proxy for everything that the browser loads: it checks addresses and counts bytes.

Each window has a proxy session with a separate port, which is reset for every page, so that limits apply per page and
no connection outlives it. Redirects, frames, `fetch`, WebSockets and names that change their address all arrive as new
connections and are checked in the same way.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from sources.web.address_policy import AddressPolicy, AddressRefusedError
from sources.web.http_head import HOP_BY_HOP, MAX_HEAD_BYTES, RequestError, read_head

CHUNK_BYTES = 65_536


class TooLargeError(Exception):
    """A response or a page is larger than its limit."""


class Responder(Protocol):
    """Answers the browser instead of the hosts.

    Attributes:
        first_script: runs in every document before its own scripts.
    """

    first_script: str

    async def serve(self, session: "ProxySession", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends. Raises TooLargeError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficLimits:
    """Limits for the traffic of one page.

    Args:
        response_mb: maximum megabytes of one connection (without TLS: of one response).
        page_mb: maximum megabytes of all connections of a page.
        connect_s: maximum seconds to connect to a host.
        response_s: maximum seconds that a connection is open.
    """

    response_mb: float = 25
    page_mb: float = 60
    connect_s: float = 10
    response_s: float = 60

    def __post_init__(self) -> None:
        for name in ("response_mb", "page_mb", "connect_s", "response_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


@dataclass
class ProxySession:
    """The traffic of one page at a time.

    Args:
        address: `host:port` of the proxy, for the client.
        refused: reason by `host:port`, for places that the policy does not allow.
        broken: reason by `host:port`, for places that could not be reached or closed the connection.
        archive: answers all requests, and nothing else does; None: the hosts do.
        moment: when a page in the archive was fetched, in seconds since 1970: what was fetched next to it is its.
        num_missing: requests that the archive cannot answer.
    """

    policy: AddressPolicy
    limits: TrafficLimits
    address: str = ""
    num_bytes: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    is_too_large: bool = False
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    archive: "Responder | None" = None
    moment: int = 0
    num_missing: int = 0

    async def break_off(self) -> None:
        """End all connections."""
        for task in tuple(self.connections):
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def renew(self) -> None:
        """End all connections and reset the counters, for the next page."""
        await self.break_off()
        self.num_bytes, self.num_missing, self.is_too_large = 0, 0, False
        self.refused.clear()
        self.broken.clear()

    def count(self, of_response: int, more: int) -> int:
        """Add to the counters and return the response's new size. Raises TooLarge."""
        self.num_bytes += more
        of_response += more
        if of_response > self.limits.response_mb * 1e6 or self.num_bytes > self.limits.page_mb * 1e6:
            self.is_too_large = True
            raise TooLargeError
        return of_response


@contextlib.asynccontextmanager
async def open_proxy_session(
    policy: AddressPolicy, limits: TrafficLimits, archive: "Responder | None" = None
) -> AsyncIterator[ProxySession]:
    """Open a proxy on a loopback port; it is closed with all its connections at the end of the block."""
    session = ProxySession(policy, limits, archive=archive)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_serve(session, reader, writer))
        session.connections.add(task)
        task.add_done_callback(session.connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
    session.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield session
    finally:
        server.close()
        await session.break_off()


async def _serve(session: ProxySession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection of the client, then close it."""
    if session.archive is not None:
        await _replay(session, session.archive, reader, writer)
        return
    place = ""
    is_connected = False
    try:
        async with asyncio.timeout(session.limits.response_s):
            request, headers = await read_head(reader)
            method, target, _ = request.split(b" ", 2)
            host, port = _place(method, target)
            place = f"{host}:{port}"
            upstream, upstream_writer = await _connect(session, host, port)
            is_connected = True
            try:
                if method == b"CONNECT":
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    await _tunnel(session, reader, writer, upstream, upstream_writer)
                else:
                    await _forward(session, method, target, headers, reader, upstream_writer)
                    await _respond(session, upstream, writer)
            finally:
                upstream_writer.close()
    except AddressRefusedError as error:
        session.refused[place] = str(error)
        _answer(writer, b"403 Forbidden")
    except TooLargeError:
        _reset(writer)
    except (RequestError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        if is_connected:  # part of a response may have been forwarded
            session.broken[place] = _reason(error)
            _reset(writer)
        elif isinstance(error, OSError):  # TimeoutError is one
            session.broken[place] = _reason(error)
            _answer(writer, b"502 Bad Gateway")
        else:
            _answer(writer, b"400 Bad Request")
    finally:
        with contextlib.suppress(OSError):
            writer.close()


async def _replay(
    session: ProxySession, archive: Responder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(session.limits.response_s):
                await archive.serve(session, reader, writer)
    except TooLargeError:
        _reset(writer)
    finally:
        with contextlib.suppress(OSError):
            writer.close()


def _place(method: bytes, target: bytes) -> tuple[str, int]:
    """Return host and port of a request."""
    if method == b"CONNECT":
        host, _, port = target.decode("ascii").rpartition(":")
        return host.strip("[]").lower(), int(port)
    url = urlsplit(target.decode("ascii"))
    if url.scheme != "http" or not url.hostname:
        raise RequestError
    return url.hostname, url.port or 80


async def _connect(session: ProxySession, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(session.limits.connect_s):
        failure: OSError | None = None
        upstream = session.policy.way_to(host)
        for address, its_port in await session.policy.addresses(host, port):
            try:
                if upstream is not None:
                    return await upstream.connect(address, its_port)
                return await asyncio.open_connection(address, its_port, limit=MAX_HEAD_BYTES)
            except OSError as error:
                failure = error
    raise failure or OSError("no address")


async def _forward(
    session: ProxySession,
    method: bytes,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    reader: asyncio.StreamReader,
    upstream: asyncio.StreamWriter,
) -> None:
    """Forward one request with its body; nothing else from the client reaches the host on this connection."""
    url = urlsplit(target)
    path = (url.path or b"/") + (b"?" + url.query if url.query else b"")
    lines = [b"%s %s HTTP/1.1" % (method, path)]
    lines += [b"%s: %s" % header for header in headers if header[0] not in HOP_BY_HOP]
    upstream.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
    known = dict(headers)
    if b"transfer-encoding" in known:
        raise RequestError
    left = int(known.get(b"content-length", b"0"))
    sent = 0
    while left > 0:
        data = await reader.read(min(left, CHUNK_BYTES))
        if not data:
            raise RequestError
        left -= len(data)
        sent = session.count(sent, len(data))
        upstream.write(data)
        await upstream.drain()


async def _respond(session: ProxySession, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one response, marked as the last on its connection."""
    size = 0
    while True:
        status, headers = await read_head(upstream)
        size = session.count(size, len(status) + sum(len(name) + len(value) for name, value in headers))
        if not status.startswith(b"HTTP/1.1 1"):  # an interim response is followed by another one
            break
    lines = [status, *(b"%s: %s" % header for header in headers if header[0] not in HOP_BY_HOP)]
    writer.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
    await _pump(session, upstream, writer, size)


async def _tunnel(
    session: ProxySession,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream: asyncio.StreamReader,
    upstream_writer: asyncio.StreamWriter,
) -> None:
    """Forward bytes in both directions until one side ends."""
    ways = [
        asyncio.ensure_future(_pump(session, upstream, writer, 0)),
        asyncio.ensure_future(_pump(session, reader, upstream_writer, 0)),
    ]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(session: ProxySession, source: asyncio.StreamReader, target: asyncio.StreamWriter, size: int) -> None:
    while data := await source.read(CHUNK_BYTES):
        size = session.count(size, len(data))
        target.write(data)
        await target.drain()


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror or str(error) if isinstance(error, OSError) else "") or "it does not answer as HTTP does"


def _reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection, because a normal close would look like the end of a complete response."""
    found = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _answer(writer: asyncio.StreamWriter, status: bytes) -> None:
    with contextlib.suppress(OSError):
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
