"""Reads the bodies of requests, with limits on size, time and the memory of all of them together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.types import Receive

from deepseek_vl.serve.errors import ApiError


def check_headers(headers: Headers, max_bytes: int) -> None:
    """Reject a body that is not JSON, or too large by its Content-Length. Raises ApiError.

    Demanding JSON also stops other web sites: a browser sends them a preflight request first, which fails here.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "send JSON, with the header Content-Type: application/json")
    if headers.get("content-encoding", "identity") != "identity":
        raise ApiError(415, "send the body as it is, without Content-Encoding")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise _too_large(max_bytes)


class Bodies:
    """The bodies in memory, those that are still arriving and those in use.

    Args:
        max_bytes: maximum size of a body.
        timeout_s: time within which a body must arrive.
        total_bytes: maximum size of all together. Beyond it, the body that has been arriving for longest is given up,
            so that slow clients make room for fast ones.
    """

    def __init__(self, max_bytes: int, timeout_s: float, total_bytes: int):
        self.max_bytes, self.timeout_s, self.total_bytes = max_bytes, timeout_s, total_bytes
        self._arriving: dict[asyncio.Timeout, int] = {}  # in order of arrival
        self._in_use = 0

    @asynccontextmanager
    async def read(self, receive: Receive, max_bytes: int | None = None) -> AsyncIterator[bytes]:
        """Read a whole body, and count it as in use inside the context.

        Raises:
            ApiError: the body is too large or too slow.
            ConnectionError: the client left.
        """
        body = await self._arrive(receive, min(self.max_bytes, max_bytes or self.max_bytes))
        self._in_use += len(body)
        try:
            yield body
        finally:
            self._in_use -= len(body)

    async def _arrive(self, receive: Receive, max_bytes: int) -> bytes:
        body = bytearray()
        limit = asyncio.timeout(self.timeout_s)
        try:
            async with limit:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError("the client left before its request was whole")
                    body += message.get("body", b"")
                    if len(body) > max_bytes:
                        raise _too_large(max_bytes)
                    if not message.get("more_body", False):
                        return bytes(body)
                    self._arriving[limit] = len(body)
                    self._make_room()
        except TimeoutError as error:
            sentence = f"the body did not arrive within {self.timeout_s:g} seconds, or too slowly while others waited"
            raise ApiError(408, sentence, code="slow_body") from error
        finally:
            self._arriving.pop(limit, None)

    def _make_room(self) -> None:
        while self._arriving and self._in_use + sum(self._arriving.values()) > self.total_bytes:
            slowest = next(iter(self._arriving))
            del self._arriving[slowest]
            if not slowest.expired():
                slowest.reschedule(asyncio.get_running_loop().time())


async def client_left(receive: Receive) -> None:
    """Wait until the client disconnects; call it after the body is read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large(max_bytes: int) -> ApiError:
    return ApiError(413, f"the body is larger than {max_bytes} bytes", code="body_too_large")
