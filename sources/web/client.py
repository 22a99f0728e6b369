"""The client: what the crawler shows of itself to the hosts of a site, and to no others."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sources.base.secrets import FILE
from sources.web.urls import site_of, site_of_host

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam  # the public modules do not export it

HEADERS, COOKIES = "VELLUM_WEB_HEADERS", "VELLUM_WEB_COOKIES"  # of the environment
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*")
_OTHERWISE = {  # headers that have a setting, or that belong to the connection
    "cookie": "it is set by cookies",
    "user-agent": "it is set by user_agent",
    **dict.fromkeys(
        ("host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "proxy-authorization"),
        "it belongs to the connection",
    ),
}
_HTTP_ONLY = "#HttpOnly_"
_AT_RULES = ("@media", "@font-face", "@supports", "@layer", "@container", "@keyframes")  # are no names of files


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """What a site is sent with every request.

    Args:
        site: registrable domain of the hosts that are sent it; others are not.
        headers: names and values.
        cookies: cookies of all sites, in the form of a browser's `cookies.txt`.
        style: style sheet that is added to every page.
    """

    site: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    style: str = ""

    def headers_for(self, url: str) -> tuple[tuple[str, str], ...]:
        """Return the headers for a request."""
        return self.headers if self.headers and site_of(url) == self.site else ()

    def site_cookies(self) -> "list[SetCookieParam]":
        """Return the cookies of the site."""
        return [c for c in parse_cookies(self.cookies) if site_of_host((c["domain"] or "").lstrip(".")) == self.site]


ANONYMOUS = Client()


def parse_headers(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Parse lines `Name: value`. Raises ValueError, without the value, which may be a secret."""
    found = []
    for number, line in enumerate(lines, start=1):
        parts = _HEADER.fullmatch(line)
        if parts is None:
            raise ValueError(f"headers expects lines of the form 'Name: value'; number {number} is none")
        if parts[1].lower() in _OTHERWISE:
            raise ValueError(f"headers may not hold {parts[1]}: {_OTHERWISE[parts[1].lower()]}")
        found.append((parts[1], parts[2]))
    return tuple(found)


def parse_cookies(lines: Sequence[str]) -> "list[SetCookieParam]":
    """Parse the lines of a `cookies.txt` as browsers and curl write it. Raises ValueError, without the value."""
    found: list[SetCookieParam] = []
    for number, line in enumerate(lines, start=1):
        is_http_only = line.startswith(_HTTP_ONLY)
        if not line.strip() or (line.startswith("#") and not is_http_only):
            continue
        fields = line.removeprefix(_HTTP_ONLY).split("\t")
        if len(fields) != 7 or not fields[0] or not re.fullmatch(r"-?\d+(\.\d+)?", fields[4]):
            raise ValueError(f"cookies expects lines of a cookies.txt with seven columns; number {number} is none")
        domain, has_subdomains, path, is_secure, expires, name, value = fields
        domain = domain.lstrip(".")
        found.append(
            {
                "name": name,
                "value": value,
                "domain": f".{domain}" if has_subdomains.upper() == "TRUE" else domain,
                "path": path or "/",
                "secure": is_secure.upper() == "TRUE",
                "httpOnly": is_http_only,
                "expires": float(expires) if float(expires) > 0 else -1,  # -1: as long as the window is open
            }
        )
    return found


def read_style(style: str) -> str:
    """Return a style sheet that is given as text or as @FILE. Raises ValueError."""
    if not style.startswith(FILE) or style.startswith(_AT_RULES):
        return style
    try:
        return Path(style.removeprefix(FILE)).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"the style sheet {style.removeprefix(FILE)} cannot be read: {why}") from error


@lru_cache(maxsize=16)
def secret_digest(secrets: tuple[str, ...]) -> str:
    """Return a digest by which nobody can try out secrets quickly, as it is part of names of folders."""
    return hashlib.pbkdf2_hmac("sha256", "\n".join(secrets).encode(), b"vellum captures", 200_000).hex()
