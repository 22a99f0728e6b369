"""Parses lists of pages: sitemaps, feeds and plain text. They are untrusted, possibly compressed, and often flawed."""

import re
import xml.parsers.expat
import zlib

MAX_BYTES = 50_000_000  # the protocol's own limit, uncompressed
MAX_URLS = 50_000  # also the protocol's
# An ampersand that begins none of the entities of XML; a real file with one has `?a=1&b=2`, or the `&nbsp;` of HTML.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_URL_LINE = re.compile(r"https?://\S+", re.IGNORECASE)


class SitemapError(ValueError):
    """A file that lists no pages; the message says why."""


class _FullError(Exception):
    """There are as many URLs as are used."""


def parse_sitemap(data: bytes) -> tuple[list[str], list[str]]:
    """Return the URLs of pages, and of further sitemaps, in the order of the file, at most 50,000 together.

    What stands before a flaw is used: a file that breaks off lists the pages before the break.

    Args:
        data: a sitemap or a sitemap index, RSS, Atom, or text with one URL per line; possibly compressed with gzip.

    Raises:
        SitemapError: the data list nothing that could be read, are larger than the protocol allows, or declare
            entities.
    """
    data = _uncompressed(data).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data.startswith(b"<") and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return _lines(data), []
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text.append
    parser.EntityDeclHandler = _refuse_entities
    try:
        parser.Parse(_BARE_AMPERSAND.sub(b"&amp;", data), True)
    except xml.parsers.expat.ExpatError as error:
        if not reader.pages and not reader.sitemaps:
            raise SitemapError(f"not XML: {error}") from error
    except _FullError:
        pass
    if not reader.is_list:
        raise SitemapError("it is neither a sitemap nor a feed")
    return reader.pages, reader.sitemaps


class _Reader:
    """Collects URLs while a file is parsed."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.sitemaps: list[str] = []
        self.text: list[str] = []
        self.is_list = False
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        if len(self._path) == 1:
            self.is_list = self._path[0] in ("urlset", "sitemapindex", "rss", "feed", "RDF")
        if self._path[-2:] == ["entry", "link"] and attributes.get("rel", "alternate") == "alternate":
            self._add(self.pages, attributes.get("href", ""))
        self.text.clear()

    def end(self, name: str) -> None:
        match self._path[-2:]:
            case ["url", "loc"] | ["item", "link"]:
                self._add(self.pages, "".join(self.text))
            case ["sitemap", "loc"]:
                self._add(self.sitemaps, "".join(self.text))
        self._path.pop()

    def _add(self, urls: list[str], url: str) -> None:
        if url.strip():
            urls.append(url.strip())
        if len(self.pages) + len(self.sitemaps) >= MAX_URLS:
            raise _FullError


def _refuse_entities(*_: object) -> None:
    raise SitemapError("it declares entities")


def _lines(data: bytes) -> list[str]:
    """Return the URLs of a text with one per line."""
    lines = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
    urls = [line for line in lines if _URL_LINE.fullmatch(line)][:MAX_URLS]
    if not urls:
        raise SitemapError("it is neither XML nor a list of URLs")
    return urls


def _uncompressed(data: bytes) -> bytes:
    """Return the content of a gzip file, as far as it is whole; other data as they are."""
    if data[:2] == b"\x1f\x8b":
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            data = reader.decompress(data, MAX_BYTES + 1)
        except zlib.error as error:
            raise SitemapError(f"the gzip is damaged: {error}") from error
    if len(data) > MAX_BYTES:
        raise SitemapError(f"larger than {MAX_BYTES:,} bytes")
    return data
