"""The head of a response: whether it is a page that may be used, and what it says about the page."""

import re
from collections.abc import Mapping
from typing import Any

from sources.web.robots import is_reserved, opt_out, refused_use
from sources.web.urls import canonical
from sources.web.visit_result import VisitError

HTML_TYPES = ("text/html", "application/xhtml+xml")
REDIRECTS = (301, 302, 303, 307, 308)
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_IS_CANONICAL = re.compile(r";\s*rel\s*=\s*(\"[^\"]*\bcanonical\b[^\"]*\"|canonical\b)", re.IGNORECASE)


def check_head(status: int, headers: Mapping[str, str], agent: str) -> None:
    """Raise VisitError if a response with this head cannot be used.

    Args:
        headers: as `headers_of` returns them.
        agent: name of the crawler, to which an opt-out may be addressed.
    """
    if not 200 <= status < 300:
        raise VisitError("http_error", f"HTTP {status}")
    kind = type_of(headers)
    if kind not in HTML_TYPES:
        raise VisitError("not_html", f"the page is of type {kind[:80]}")
    if headers.get("content-disposition", "").strip().lower().startswith("attachment"):
        raise VisitError("not_html", "the page is a file to be saved")
    directive = opt_out(headers.get("x-robots-tag", "").split("\n"), agent)
    if directive:
        raise VisitError("opted_out", f"X-Robots-Tag says {directive}")
    if is_reserved(headers.get("tdm-reservation", "")):
        raise VisitError("opted_out", "tdm-reservation is 1")
    for name in ("content-signal", "content-usage"):
        refused = refused_use(name, headers.get(name, ""))
        if refused is not None:
            raise VisitError("opted_out", f"its head says {refused}")


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a response by their lower-case names; headers of one name are joined by newlines."""
    found: dict[str, str] = {}
    for header in event.get("responseHeaders", ()):
        name = header["name"].lower()
        found[name] = f"{found[name]}\n{header['value']}" if name in found else header["value"]
    return found


def canonical_of(link: str, base: str) -> str:
    """Return the canonical URL that a `Link` header names (RFC 8288); empty if it names none."""
    named = (found[1] for found in _LINK.finditer(link) if _IS_CANONICAL.search(found[2]))
    return next(filter(None, (canonical(url.strip(), base) for url in named)), "")


def type_of(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "text/html").partition(";")[0].strip().lower()
