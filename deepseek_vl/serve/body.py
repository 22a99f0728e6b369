"""Reads the body of a request, with limits on size and time."""

import asyncio

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


async def read_body(receive: Receive, max_bytes: int, timeout_s: float) -> bytes:
    """Read the whole body. Raises ApiError if it is too large or too slow, ConnectionError if the client left."""
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError("the client left before its request was whole")
                body += message.get("body", b"")
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        raise ApiError(408, f"the body did not arrive within {timeout_s:g} seconds") from error


async def client_left(receive: Receive) -> None:
    """Wait until the client disconnects; call it after the body is read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large(max_bytes: int) -> ApiError:
    return ApiError(413, f"the body is larger than {max_bytes} bytes", code="body_too_large")
