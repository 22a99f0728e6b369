"""Connections with limits, for clients that send slowly, do not read, or open thousands of them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from deepseek_vl.serve.errors import ApiError

RESERVED_FILES = 96  # for libraries, the model's files, fetched images, and connections that are about to be closed
WANTED_FILES = 65_536
REPEAT_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """Limits of connections.

    Args:
        max_connections: maximum open connections. For a new one beyond it, one without a whole request is closed.
        head_s: time within which the head of a request must arrive, from the opening of the connection or the end of
            the last answer.
        write_s: time within which a client must read what it was sent, if no more fits into the buffers.
    """

    max_connections: int = 512
    head_s: float = 10.0
    write_s: float = 30.0


class Config(uvicorn.Config):
    """The configuration of uvicorn, with limits of connections."""

    def __init__(self, app: Any, limits: ConnectionLimits, **options: Any):
        self.limits = limits
        super().__init__(
            app, http=Connection, ws="none", backlog=max(16, min(limits.max_connections // 4, 128)), **options
        )


class Connection(H11Protocol):
    """An HTTP connection with deadlines, which makes room for a new one if there are too many."""

    config: Config
    client: tuple[str, int] | None
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None
    _since = 0.0

    @property
    def is_answering(self) -> bool:
        """True from the head of a request to the end of its answer."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def has_request(self) -> bool:
        """True from the end of a request to the end of its answer."""
        return self.is_answering and not self.cycle.more_body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection; close another one, or this, if there are too many."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._since = time.monotonic()
        if len(self.connections) > self.config.limits.max_connections:
            _most_dispensable(self.connections, self).transport.abort()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._cancel_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what arrived; the deadline of a head does not move."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one."""
        self._since = time.monotonic()
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Start the time in which the client must read."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.config.limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """End the time in which the client must read."""
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Close the connection, after its answer if it has a whole request."""
        if self.is_answering and not self.has_request:
            self.transport.abort()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, in the form of all errors."""
        self._refuse(ApiError(400, "this is no valid HTTP request", code="invalid_http"))

    def _watch(self) -> None:
        """Start the deadline for the next head, unless it runs already or a request is being answered."""
        if self.is_answering:
            self._cancel_deadline()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.config.limits.head_s, self._expire)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        head_s = self.config.limits.head_s
        self._refuse(ApiError(408, f"the head of the request did not arrive within {head_s:g} seconds"))

    def _refuse(self, error: ApiError) -> None:
        """Send an error if nothing was sent of another answer, and close the connection, whether it is read or not."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not self.transport.is_closing():
            body = bytes(error.response().body)
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for part in (
                h11.Response(status_code=error.status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(part) or b"")
        self.transport.close()
        self.loop.call_later(self.config.limits.head_s, self.transport.abort)


def _most_dispensable(connections: set[Any], newest: Connection) -> Connection:
    """Return the connection to close: without a whole request, of the client with most connections, the oldest.

    A client that opens many loses its own. If all connections wait for an answer, it is the newest.
    """
    open_ones = [connection for connection in connections if not connection.transport.is_closing()]
    of_client = Counter(_address(connection) for connection in open_ones)
    return min(
        (connection for connection in open_ones if not connection.has_request and connection is not newest),
        key=lambda connection: (-of_client[_address(connection)], connection._since),
        default=newest,
    )


def _address(connection: Connection) -> str:
    return connection.client[0] if connection.client else ""


def affordable_connections(wanted: int) -> int:
    """Return how many connections fit the process's limit of open files, after raising it as far as allowed.

    With no file left, no connection could be accepted, no image fetched, and every attempt would be logged.
    """
    try:
        import resource
    except ImportError:  # not a Unix
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < highest:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
            soft = highest
        except (ValueError, OSError):
            pass
    return wanted if soft == resource.RLIM_INFINITY else max(8, min(wanted, (soft - RESERVED_FILES) * 3 // 4))


class _OncePerMinute(logging.Filter):
    """Passes a message once per minute, so that clients cannot fill the disk with log lines."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage().partition("\n")[0]
        now = time.monotonic()
        if now - self._last.get(line, -REPEAT_S) < REPEAT_S:
            return False
        if len(self._last) > 1000:
            self._last.clear()
        self._last[line] = now
        return True


@contextmanager
def quiet_logs(*names: str) -> Iterator[None]:
    """Log equal messages of loggers at most once per minute."""
    once = _OncePerMinute()
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(once)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(once)
