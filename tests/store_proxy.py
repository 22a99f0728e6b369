"""A proxy on the loopback in front of a store's emulator, which fails requests by plan."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What a plan may ask for: an HTTP status, `CUT` (half of the answer), `BROKEN` (no answer), or None (no fault).
CUT, BROKEN = -1, -2
Plan = Callable[[str, str], int | None]
DENIED = b"<Error><Code>InvalidAccessKeyId</Code><Message>unknown key</Message></Error>"
BUSY = b"<Error><Code>SlowDown</Code><Message>reduce your request rate</Message></Error>"


@dataclass
class StoreProxy:
    """A running proxy.

    Args:
        plan: what happens to a request, by method and path; may be changed at any time.
        faults: (method, path, fault) of every failed request so far.
    """

    url: str
    plan: Plan
    faults: list[tuple[str, str, int]] = field(default_factory=list)


@contextmanager
def store_proxy(target: str) -> Iterator[StoreProxy]:
    """Start a proxy for the emulator at `target`, `http://host:port`, and stop it after the block."""
    host = urlsplit(target).netloc
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self._body()
            with lock:
                fault = proxy.plan(self.command, self.path)
                if fault is not None:
                    proxy.faults.append((self.command, self.path, fault))
            if fault == BROKEN:
                self.close_connection = True
                return
            if fault is not None and fault > 0:
                self._answer(fault, [("Content-Type", "application/xml")], DENIED if fault == 403 else BUSY)
                return
            connection = http.client.HTTPConnection(host, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read(), is_cut=fault == CUT)
            connection.close()

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            self.headers.replace_header("Transfer-Encoding", "identity")
            return b"".join(pieces)

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, *, is_cut: bool = False) -> None:
            self.send_response_only(status)
            names = {name.lower() for name, _ in headers}
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            if "content-length" not in names:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if is_cut else data)
            self.close_connection = self.close_connection or is_cut

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = StoreProxy(f"http://127.0.0.1:{server.server_port}", lambda method, path: None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
