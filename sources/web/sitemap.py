"""Parses sitemaps, which are untrusted XML, possibly compressed, with size limits and without entities."""

import gzip
import io
import xml.parsers.expat
import zlib
from collections.abc import Callable

MAX_BYTES = 50_000_000  # the protocol's own limit, uncompressed
MAX_URLS = 50_000  # also the protocol's


class SitemapError(ValueError):
    """A file that is not a valid sitemap; the message says why."""


def parse_sitemap(data: bytes) -> tuple[list[str], list[str]]:
    """Return the URLs of pages, and of further sitemaps, in the order of the file.

    Args:
        data: XML, possibly compressed with gzip.

    Raises:
        BadSitemap: the data are not XML, are larger than the protocol allows, or declare entities.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise SitemapError(f"the gzip is damaged: {error}") from error
    if len(data) > MAX_BYTES:
        raise SitemapError(f"larger than {MAX_BYTES:,} bytes")
    pages: list[str] = []
    sitemaps: list[str] = []
    path: list[str] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name.rpartition(":")[2])
        text.clear()

    def end(name: str) -> None:
        if path[-1] == "loc" and len(path) > 1 and path[-2] in ("url", "sitemap"):
            found = pages if path[-2] == "url" else sitemaps
            found.append("".join(text).strip())
            if len(pages) + len(sitemaps) > MAX_URLS:
                raise SitemapError(f"more than {MAX_URLS:,} URLs")
        path.pop()

    def forbid(*_: object) -> None:
        raise SitemapError("it declares entities")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    handle: Callable[[str], None] = text.append
    parser.CharacterDataHandler = handle
    parser.EntityDeclHandler = forbid
    parser.StartDoctypeDeclHandler = forbid
    try:
        parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        raise SitemapError(f"not XML: {error}") from error
    return pages, sitemaps
