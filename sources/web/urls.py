"""URLs: their canonical form, host and site, and the scope of a crawl."""

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin, urlsplit, urlunsplit

import tldextract

DEFAULT_PORT = {"http": 80, "https": 443}
MAX_URL_CHARS = 2000
_TRACKING = re.compile(
    r"(utm_\w+|gclid|dclid|fbclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl|ref_src|phpsessid|jsessionid|spm)",
    re.IGNORECASE,
)
_UNRESERVED = "-._~"
_IN_PATH = _UNRESERVED + "/!$&'()*+,;=:@"
# Files that are not pages; links to them are not followed.
NO_PAGES = re.compile(
    r"\.(pdf|zip|gz|bz2|xz|7z|tar|rar|exe|dmg|iso|deb|rpm|msi|apk|jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|"
    r"webm|ogg|wav|flac|avi|mov|css|js|mjs|json|xml|rss|atom|woff2?|ttf|otf|eot|docx?|xlsx?|pptx?|csv|epub)$",
    re.IGNORECASE,
)


def canonical(url: str, base: str = "") -> str | None:
    """Return the canonical form of a page's URL, or None if it is not an http or https URL.

    The host is lower case ASCII; default port, fragment, user and tracking parameters are removed; dot segments are
    resolved; only necessary percent-encoding is kept. Parameters keep their order, which may matter to the host.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        host = host if ":" in host else host.encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in DEFAULT_PORT or not host:
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != DEFAULT_PORT[parts.scheme]:
        place += f":{port}"
    path = quote(unquote_to_bytes(_without_dots(_protected(parts.path))), safe=_IN_PATH + "%")
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    query = parts.query if not parts.query else urlencode(pairs, safe=_UNRESERVED + ":@/,")
    result = urlunsplit((parts.scheme, place, path or "/", query, ""))
    return result if len(result) <= MAX_URL_CHARS else None


def _protected(path: str) -> str:
    """Protect encoded slashes, question marks, hashes and percent signs of a path from being decoded."""
    return re.sub(r"%(2f|3f|23|25)", lambda found: "%25" + found[1].upper(), path, flags=re.IGNORECASE)


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def host_of(url: str) -> str:
    """Return the host, with its port if that is not the default, which is the unit of politeness."""
    return urlsplit(url).netloc


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the bundled list, no network


@lru_cache(maxsize=4096)
def site_of_host(host: str) -> str:
    """Return the registrable domain of a host (`docs.example.co.uk` → `example.co.uk`), or the host if it has none."""
    name = urlsplit(f"//{host}").hostname or host
    return _suffixes()(name).top_domain_under_public_suffix or host


def site_of(url: str) -> str:
    """Return the site of a URL; one process crawls one site."""
    return site_of_host(host_of(url))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The links that are followed.

    Args:
        same: `site` stays on the registrable domain, `host` on the seeds' hosts.
        include: patterns with `*` and `?`, of which a URL must match one; empty means any URL.
        exclude: patterns that no URL may match.
    """

    same: str = "site"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.same not in ("site", "host"):
            raise ValueError(f"same must be site or host, got {self.same!r}")

    def has(self, url: str, site: str, hosts: frozenset[str]) -> bool:
        """Return True if a canonical URL is in scope."""
        if site_of(url) != site or (self.same == "host" and host_of(url) not in hosts):
            return False
        if NO_PAGES.search(urlsplit(url).path):
            return False
        if self.include and not any(fnmatch.fnmatchcase(url, pattern) for pattern in self.include):
            return False
        return not any(fnmatch.fnmatchcase(url, pattern) for pattern in self.exclude)
