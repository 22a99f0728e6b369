"""Files from the web, fetched through the policy for addresses: public hosts only, checked at each redirect."""

import asyncio
import base64
import http.client
import netrc
import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

from sources.base.source import InputError
from sources.web.address_policy import AddressPolicy, AddressRefusedError

MAX_REDIRECTS = 5
TIMEOUT_S = 30  # for the next bytes
TOTAL_S = 1800
COPY_BYTES = 1 << 20
HEADERS = {"User-Agent": "Vellum", "Accept-Encoding": "identity"}


def download(policy: AddressPolicy, uri: str, out: Path, *, max_bytes: int) -> None:
    """Write what is at an http(s) address to a file. Raises InputError."""
    deadline = time.monotonic() + TOTAL_S
    for _ in range(MAX_REDIRECTS + 1):
        try:
            moved = _get(policy, uri, out, deadline, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise InputError("unreadable", f"it cannot be fetched: {_reason(error)}") from error
        if moved is None:
            return
        uri = urljoin(uri, moved)
    raise InputError("unreadable", f"it cannot be fetched: more than {MAX_REDIRECTS} redirects")


def _get(policy: AddressPolicy, uri: str, out: Path, deadline: float, max_bytes: int) -> str | None:
    """Fetch one address into `out`; the address that it redirects to, if it does."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("address_refused", f"expected an http or https address, got {uri!r}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = asyncio.run(policy.addresses(parts.hostname, port))
    except AddressRefusedError as error:
        raise InputError("address_refused", f"it is not fetched: {error}") from error
    connection = _connected(parts.scheme, parts.hostname, port, addresses)
    try:
        headers = HEADERS | _authorization(parts.hostname)
        connection.request("GET", urlunsplit(("", "", parts.path or "/", parts.query, "")), headers=headers)
        response = connection.getresponse()
        if response.status in (301, 302, 303, 307, 308) and response.headers["Location"]:
            return str(response.headers["Location"])
        if response.status != 200:
            cause = "not_found" if response.status in (404, 410) else "unreadable"
            raise InputError(cause, f"it cannot be fetched: the server answers {response.status} {response.reason}")
        expected = response.length
        written = 0
        with out.open("wb") as file:
            while data := response.read(COPY_BYTES):
                written += len(data)
                if written > max_bytes:
                    raise InputError("too_large", f"it has more than {max_bytes:,} bytes")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"it takes more than {TOTAL_S} s")
                file.write(data)
        if expected is not None and written != expected:
            raise http.client.IncompleteRead(b"", expected - written)
    finally:
        connection.close()
    return None


def _authorization(host: str) -> dict[str, str]:
    """The header with the name and password that the user's netrc file has for a host; none without them."""
    place = os.environ.get("NETRC")
    if place is None and not (Path.home() / ".netrc").exists():
        return {}
    try:
        known = netrc.netrc(place).hosts.get(host)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:  # whose text may hold a password
        raise ValueError("the netrc file cannot be read") from error
    if known is None:
        return {}
    login, _, password = known
    return {"Authorization": f"Basic {base64.b64encode(f'{login}:{password}'.encode()).decode()}"}


def _connected(scheme: str, host: str, port: int, addresses: list[tuple[str, int]]) -> http.client.HTTPConnection:
    """A connection to one of the addresses that were checked: the name is not resolved again."""
    for number, address in enumerate(addresses):
        try:
            plain = socket.create_connection(address, TIMEOUT_S)
            break
        except OSError:
            if number == len(addresses) - 1:
                raise
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    connection.sock = plain
    if scheme == "https":
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    return connection


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).partition("\n")[0]
