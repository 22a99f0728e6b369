"""Fetches images from URLs, if that is allowed: from public addresses only, with limits.

The connection uses the address that was checked, so that a second DNS lookup cannot lead elsewhere.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from public_addresses import refusal

TIMEOUT_S = 20.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)


async def fetch(url: str, max_bytes: int, *, allowed: Callable[[str], bool] | None = None) -> bytes:
    """Fetch the body at an http or https URL, following redirects.

    Args:
        allowed: returns True if connecting to an address is allowed; None allows all public ones.
    Raises:
        ValueError: the URL leads to an address that is not allowed, the body is too large, the time limit is reached,
            or the other server does not answer properly.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for _ in range(MAX_REDIRECTS + 1):
                answer = await _get(url, max_bytes, allowed or _is_public)
                if isinstance(answer, bytes):
                    return answer
                url = urljoin(url, answer)
    except TimeoutError as error:
        raise ValueError(f"the image could not be fetched within {TIMEOUT_S:g} seconds") from error
    except (OSError, h11.ProtocolError, UnicodeError) as error:
        raise ValueError(f"the image could not be fetched: {type(error).__name__}") from error
    raise ValueError(f"the image is behind more than {MAX_REDIRECTS} redirects")


def _is_public(address: str) -> bool:
    return refusal(address) is None


async def _get(url: str, max_bytes: int, allowed: Callable[[str], bool]) -> bytes | str:
    """Return the body at a URL (bytes), or the target of a redirect (str)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an http or https URL, got {url[:80]!r}")
    if parts.username or parts.password:
        raise ValueError("a URL with a user name or password is refused")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = await _resolve(parts.hostname, port, allowed)
    reader, writer = await asyncio.open_connection(
        address,
        port,
        ssl=ssl.create_default_context() if secure else None,
        server_hostname=parts.hostname if secure else None,
    )
    try:
        return await _exchange(parts, reader, writer, max_bytes)
    finally:
        writer.close()


async def _resolve(host: str, port: int, allowed: Callable[[str], bool]) -> str:
    """Resolve a host to one address. Raises ValueError unless all its addresses are allowed."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not addresses or not all(map(allowed, addresses)):
        raise ValueError("the image is not at a public address")
    return addresses[0]


async def _exchange(
    parts: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_bytes: int
) -> bytes | str:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", parts.netloc), ("Accept", "image/*"), ("Accept-Encoding", "identity"), ("Connection", "close")]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    writer.write(connection.send(h11.Request(method="GET", target=target, headers=headers)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            location = dict(event.headers).get(b"location")
            if event.status_code in REDIRECTS and location is not None:
                return location.decode("ascii")
            if event.status_code != 200:
                raise ValueError(f"the image could not be fetched: status {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > max_bytes:
                raise ValueError(f"the image is larger than {max_bytes} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise ConnectionError("the connection ended early")
