"""One HTTP exchange with an endpoint: a request with a deadline, and what kind of failure its failing is."""

import http.client
import json
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 64_000_000
REFUSED = {
    400: "refuses the request",
    401: "wants an API key",
    403: "refuses the API key",
    413: "refuses large requests",
}


class EndpointFailed(Exception):
    """An endpoint did not answer properly; the same request may succeed later.

    Args:
        reached: the request may have arrived, so that it may itself be the cause.
        wait_s: seconds after which the endpoint wants to be asked again.
    """

    def __init__(self, message: str, *, reached: bool, wait_s: float = 0):
        super().__init__(message)
        self.reached, self.wait_s = reached, wait_s


class EndpointUnusable(ValueError):
    """Asking again would not help: another model, no key, no such address."""


class Connections:
    """Connections to endpoints that are kept open, one for each thread and endpoint.

    Args:
        timeout_s: for one exchange as a whole, however slowly bytes arrive.
    """

    def __init__(self, api_key: str | None, timeout_s: float):
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout_s = timeout_s
        self._local = threading.local()

    def exchange(self, url: str, path: str, body: bytes | None = None) -> Any:
        """Send a request and return the JSON of its answer. Raises EndpointFailed, EndpointUnusable."""
        open_now = self._local.__dict__
        connection = open_now.pop(url, None)
        is_fresh = connection is None
        deadline = time.monotonic() + self._timeout_s
        try:
            connection = connection or _connect(url, self._timeout_s)
            prefix = urlsplit(url).path.rstrip("/").removesuffix("/v1")
            connection.request("GET" if body is None else "POST", prefix + path, body, self._headers)
            response = connection.getresponse()
            content = _read(connection, response, deadline)
        except ConnectionRefusedError as error:
            raise EndpointFailed("refuses connections", reached=False) from error
        except TimeoutError as error:
            raise EndpointFailed(f"does not answer within {self._timeout_s:g} s", reached=True) from error
        except (OSError, http.client.HTTPException) as error:
            if not is_fresh:  # the server has closed a connection that was kept for the next request
                return self.exchange(url, path, body)
            raise EndpointFailed(f"breaks the connection ({type(error).__name__})", reached=True) from error
        if not response.will_close:
            open_now[url] = connection
        return _checked(response, content)


def _connect(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)


def _read(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float) -> bytes:
    content = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = response.read1(1 << 16)
        if not piece:
            response.close()  # `read1` leaves it open, and the connection could not be used again
            return bytes(content)
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise http.client.HTTPException("the answer is too long")


def _checked(response: http.client.HTTPResponse, content: bytes) -> Any:
    """Return the JSON of a successful answer. Raises EndpointFailed, EndpointUnusable."""
    status = response.status
    if 400 <= status < 500 and status not in (408, 429):
        raise EndpointUnusable(f"{REFUSED.get(status, 'is no Vellum server')} (status {status}{_message(content)})")
    if status != 200:
        wait = response.headers.get("Retry-After", "")
        raise EndpointFailed(
            f"answers with status {status}{_message(content)}",
            reached=status not in (429, 503),
            wait_s=min(float(wait), 60.0) if wait.isdigit() else 0,
        )
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EndpointFailed("answers with something that is not JSON", reached=True) from error


def _message(content: bytes) -> str:
    try:
        return f": {json.loads(content)['error']['message']:.200}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def check_url(url: str) -> None:
    """Raise ValueError unless a text is the address of a server."""
    parts = urlsplit(url)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or "@" in parts.netloc:
        shown = f"got {url!r}" if "@" not in url else "got one with a name or password; VELLUM_API_KEY holds a key"
        raise ValueError(f"endpoint must be an address such as http://127.0.0.1:8000, {shown}")
