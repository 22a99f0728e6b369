"""Sitemaps: XML, perhaps compressed, from strangers: bounded, without entities."""

import gzip
import io
import xml.parsers.expat
import zlib
from collections.abc import Callable

MAX_BYTES = 50_000_000  # the protocol's own limit, uncompressed
MAX_URLS = 50_000  # also the protocol's


class BadSitemap(ValueError):
    """It cannot be read as a sitemap; the message says why."""


def parse_sitemap(data: bytes) -> tuple[list[str], list[str]]:
    """URLs of pages, and of further sitemaps, in the file's order.

    Args:
        data: XML, or gzip of it.

    Raises:
        BadSitemap: not XML, larger than the protocol allows, or it declares entities.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise BadSitemap(f"the gzip is damaged: {error}") from error
    if len(data) > MAX_BYTES:
        raise BadSitemap(f"larger than {MAX_BYTES:,} bytes")
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
                raise BadSitemap(f"more than {MAX_URLS:,} URLs")
        path.pop()

    def forbid(*_: object) -> None:
        raise BadSitemap("it declares entities")

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
        raise BadSitemap(f"not XML: {error}") from error
    return pages, sitemaps
