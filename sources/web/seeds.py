"""Seeds: URLs and sitemaps that the user names on the command line or in files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import canonical

MAX_FILE_BYTES = 200_000_000
_SITEMAP = re.compile(r"\.xml(\.gz)?$")


def read_seeds(inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return canonical URLs of pages, and of sitemaps that have to be fetched.

    An input is a URL, a file with one URL per line (empty lines and `#` comments are skipped), or a sitemap file. A URL
    whose path ends in `.xml` or `.xml.gz` is a sitemap.

    Raises:
        ValueError: a file cannot be read, or a line is not an http(s) URL; the message names file and line.
    """
    pages: list[str] = []
    sitemaps: list[str] = []
    for place, text in _named_urls(inputs):
        url = canonical(text)
        if url is None:
            raise ValueError(f"{place}: expected an http or https URL, got {text[:200]!r}")
        (sitemaps if _SITEMAP.search(url.partition("?")[0]) else pages).append(url)
    if not pages and not sitemaps:
        raise ValueError(f"--input {' '.join(inputs)} names no URL")
    return pages, sitemaps


def _named_urls(inputs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield every URL with the place where it is named."""
    for entry in inputs:
        if re.match(r"https?://", entry, re.IGNORECASE):
            yield "--input", entry
            continue
        path = Path(entry.removeprefix("@"))
        data = _read(path, entry)
        if _SITEMAP.search(path.name):
            try:
                listed, nested = parse_sitemap(data)
            except SitemapError as error:
                raise ValueError(f"--input {entry} is no sitemap: {error}") from error
            yield from ((entry, url) for url in (*listed, *nested))
            continue
        try:
            lines = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise ValueError(f"--input {entry} is not UTF-8 text: {error}") from error
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield f"{entry}, line {number}", line.strip()


def _read(path: Path, entry: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"--input {entry}: expected URLs or a file of them; {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"--input {entry} is larger than {MAX_FILE_BYTES:,} bytes; split it")
    return data
