"""The bundled site: a few pages of our own, served on loopback while a crawl without input runs."""

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).with_name("examples")
HOST = "site.vellum.example"  # a name that no resolver knows (RFC 2606): the crawl's guard leads it to the server
SEED = f"http://{HOST}/"


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: a reader's output is nobody's."""


@contextlib.contextmanager
def serve(folder: Path = FOLDER) -> Iterator[tuple[str, int]]:
    """Address and port at which a folder is served on loopback, for the time of the block."""
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
