"""The bundled site: a few example pages, served on loopback during a crawl without input."""

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).with_name("examples")
HOST = "site.vellum.example"  # a reserved name (RFC 2606) that the address policy routes to the server
SEED = f"http://{HOST}/"


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def serve(folder: Path = FOLDER) -> Iterator[tuple[str, int]]:
    """Serve a folder on loopback and yield address and port."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield "127.0.0.1", server.server_port
        finally:
            server.shutdown()
            thread.join()
