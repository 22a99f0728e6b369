"""URLs: how they are requested and compared, host and site, and the scope of a crawl."""

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import tldextract
from ada_url import URL

MAX_URL_CHARS = 2000
_TRACKING = re.compile(
    r"(utm_\w+|gclid|dclid|fbclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl|ref_src|phpsessid|jsessionid|spm)",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_LIKE_FILES = re.compile(
    r"\.(pdf|zip|gz|bz2|xz|7z|tar|rar|exe|dmg|iso|deb|rpm|msi|apk|jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|"
    r"webm|ogg|wav|flac|avi|mov|css|js|mjs|json|xml|rss|atom|woff2?|ttf|otf|eot|docx?|xlsx?|pptx?|csv|epub)$",
    re.IGNORECASE,
)


def canonical(url: str, base: str = "") -> str | None:
    """Return a page's URL as a browser requests it (WHATWG), or None if it is not an http or https URL.

    Nothing that may matter to the host is changed: query and percent-encoding stay as written. Fragment and user are
    removed.
    """
    try:
        found = URL(url, base=base) if base else URL(url)
        if found.protocol not in ("http:", "https:") or not found.hostname:
            return None
        found.hash = found.username = found.password = ""
    except ValueError:  # no URL, or a lone surrogate
        return None
    found.hostname = found.hostname.rstrip(".")
    result: str = found.href
    return result if len(result) <= MAX_URL_CHARS else None


def comparison_key(url: str) -> str:
    """Return what two canonical URLs of the same page have in common; it is for comparison, and is never requested.

    Tracking parameters are left out, and characters that need no percent-encoding are decoded.
    """
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not _TRACKING.fullmatch(pair.partition("=")[0])]
    return _ENCODED.sub(_decoded, urlunsplit((*parts[:3], "&".join(kept), "")))


def _decoded(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character.isascii() and (character.isalnum() or character in "-._~") else found[0].upper()


def is_like_file(url: str) -> bool:
    """Return True if a URL looks like that of a file; it may be a page all the same (`/wiki/Node.js`)."""
    return _LIKE_FILES.search(urlsplit(url).path) is not None


def host_of(url: str) -> str:
    """Return the host, with its port if that is not the default, which is the unit of politeness."""
    return urlsplit(url).netloc


def place_of(url: str) -> str:
    """Return `host:port`, to which a connection is made."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


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
        return self.matches(url)

    def matches(self, url: str) -> bool:
        """Return True if a canonical URL matches the patterns."""
        if self.include and not any(fnmatch.fnmatchcase(url, pattern) for pattern in self.include):
            return False
        return not any(fnmatch.fnmatchcase(url, pattern) for pattern in self.exclude)
