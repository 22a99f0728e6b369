"""Replay: a proxy connection that is answered from an archive alone. Nothing here opens a connection.

https is answered too, with a certificate of our own: the browser's contexts for archives accept any certificate, as no
host can be reached in them.
"""

import asyncio
import contextlib
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sources.web.archive.chunks import dechunked
from sources.web.archive.index import ArchiveIndex, Stored, TooLongError
from sources.web.archive.streams import RecordError
from sources.web.http_head import HOP_BY_HOP, RequestError, read_head
from sources.web.urls import canonical

if TYPE_CHECKING:
    from sources.web.proxy import ProxySession

CLOCK = Path(__file__).with_name("clock.js")
HTTPS_PORT, HTTP_PORT = 443, 80
HANDSHAKE_S = 10
# Of the connection on which the response once came; hosts must not be switched to https, which may not be stored.
NOT_REPLAYED = {
    *(name.decode() for name in HOP_BY_HOP),
    *("content-length", "transfer-encoding", "strict-transport-security", "alt-svc", "trailer"),
}
MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
NOT_STORED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


class Replay:
    """Answers what a browser asks for from an archive: a Responder. Pages see the time of the archive's last page."""

    def __init__(self, archive: ArchiveIndex):
        self._archive = archive
        minute = archive.last_moment() // 60 * 60
        self.first_script = f"{CLOCK.read_text('utf-8')}({1000 * minute})"

    async def serve(self, session: "ProxySession", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends. Raises TooLargeError."""
        endings = (RequestError, ValueError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*endings):
            origin = ""
            while True:
                request, headers = await read_head(reader)
                method, target, _ = request.decode("ascii").split(" ", 2)
                if method == "CONNECT":
                    origin = await _accept(target, writer)
                    continue
                if int(dict(headers).get(b"content-length", b"0")):  # nothing that is sent changes an archive
                    writer.write(NOT_STORED)
                    break
                url = canonical(origin + target if target.startswith("/") else target)
                await _answer(session, self._archive, method, url, writer)


async def _accept(target: str, writer: asyncio.StreamWriter) -> str:
    """Accept a tunnel, with TLS unless it is for http; return the origin of the requests in it."""
    host, _, port = target.rpartition(":")
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    if int(port) == HTTP_PORT:
        return f"http://{host}"
    await writer.start_tls(_context(), ssl_handshake_timeout=HANDSHAKE_S)
    return f"https://{host}" if int(port) == HTTPS_PORT else f"https://{target}"


async def _answer(
    session: "ProxySession", archive: ArchiveIndex, method: str, url: str | None, writer: asyncio.StreamWriter
) -> None:
    most = round(session.limits.response_mb * 1e6)
    try:
        stored = None
        if url is not None and method in ("GET", "HEAD"):
            stored = await asyncio.to_thread(archive.read, url, session.moment, most)
        if stored is None or stored.truncated:
            session.num_missing += 1
            writer.write(NOT_STORED)
        else:
            head, body = message_of(stored)
            session.count(0, len(body))
            writer.write(head)
            if method == "GET":
                writer.write(body)
    except TooLongError:
        session.is_too_large = True
        writer.write(BROKEN)
    except RecordError:
        session.num_missing += 1
        writer.write(BROKEN)
    await writer.drain()


def message_of(stored: Stored) -> tuple[bytes, bytes]:
    """Return head and body of a stored response as they are sent: without transfer coding, with the length."""
    body = stored.body
    if stored.head.header("transfer-encoding").lower().endswith("chunked"):
        body = dechunked(body)
    lines = [f"HTTP/1.1 {stored.status} {' '.join(stored.head.first.split(' ')[2:])}"]
    for name, value in stored.head.headers:
        is_undone = name == "content-encoding" and not _has_coding(value, body)
        if name not in NOT_REPLAYED and not is_undone:
            lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace"), body


def _has_coding(coding: str, body: bytes) -> bool:
    """Return False if a body was stored decoded although its head names a coding, as Common Crawl and others do."""
    magic = MAGIC.get(coding.strip().lower())
    return magic is None or body.startswith(magic)


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    """Return a server's context with a new certificate, for all names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web archive")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=300))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        path = Path(folder) / "certificate.pem"
        path.touch(mode=0o600)
        path.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(path)
    return context
