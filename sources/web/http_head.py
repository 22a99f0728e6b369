"""Heads of HTTP messages, read as leniently as browsers read them, within a limit."""

import asyncio

MAX_HEAD_BYTES = 65_536
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"upgrade"}


class RequestError(Exception):
    """The client or the host violates HTTP."""


async def read_head(reader: asyncio.StreamReader) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Read a head; return its first line and the headers (names in lower case).

    As browsers do, it takes lines that end with LF alone, joins folded lines, and skips lines without a colon.

    Raises:
        RequestError: it is too long, or the connection ends in it.
    """
    first = (await reader.readline()).rstrip(b"\r\n")
    headers: list[tuple[bytes, bytes]] = []
    size = len(first)
    while line := (data := await reader.readline()).rstrip(b"\r\n"):
        size += len(data)
        if size > MAX_HEAD_BYTES:
            raise RequestError
        name, colon, value = line.partition(b":")
        if line[:1] in b" \t" and headers:
            headers[-1] = headers[-1][0], headers[-1][1] + b" " + line.strip()
        elif colon and name.strip():
            headers.append((name.strip().lower(), value.strip()))
    if not data:  # the connection ended in the head
        raise RequestError
    return first, headers
