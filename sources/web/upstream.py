"""An upstream proxy: everything that is fetched goes on through it. Addresses are checked here all the same."""

import asyncio
import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sources.web.http_head import MAX_HEAD_BYTES, RequestError, read_head

PROXY = "VELLUM_WEB_PROXY"  # of the environment
DEFAULT_PORT = 8080


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """A proxy by the method CONNECT.

    Args:
        host, port: its address.
        login: `user:password`; empty if it asks for none.
    """

    host: str
    port: int
    login: str = field(default="", repr=False)

    async def connect(self, address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to an address that was checked, and not to a name, which the proxy might resolve to another one.

        Raises:
            OSError: the proxy, or through it the address, cannot be reached.
        """
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if self.login:
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(self.login.encode()).decode()}")
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=MAX_HEAD_BYTES)
        try:
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            first, _ = await read_head(reader)
        except (RequestError, ValueError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise OSError("the upstream proxy does not answer as HTTP does") from error
        except BaseException:
            writer.close()
            raise
        status = first.split(b" ")[1:2]
        if status != [b"200"]:
            writer.close()
            raise OSError(f"the upstream proxy answers {b''.join(status).decode('ascii', 'replace')[:3] or 'nothing'}")
        return reader, writer


def parse_upstream(text: str) -> Upstream | None:
    """Parse `http://user:password@host:port`; None for an empty text. Raises ValueError, without the secret."""
    if not text:
        return None
    wrong = ValueError("proxy expects http://HOST:PORT, with user:password@ before the host if it asks for them")
    if not re.match(r"http://[!-~]+$", text):
        raise wrong
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        raise wrong from None
    if not host or parts.path not in ("", "/") or parts.query:
        raise wrong
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Upstream(host=host, port=port, login=login)
