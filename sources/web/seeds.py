"""Seeds: URLs and sitemaps that the user names on the command line or in files."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import MAX_URL_CHARS, canonical

MAX_FILE_BYTES = 200_000_000
_SITEMAP = re.compile(r"\.xml(\.gz)?$")


@dataclass(frozen=True, slots=True)
class NamedSeeds:
    """What the user named.

    Args:
        pages, sitemaps: canonical URLs; sitemaps have to be fetched.
        refused: lines that are no URLs, as (place, cause, message).
    """

    pages: Sequence[str]
    sitemaps: Sequence[str]
    refused: Sequence[tuple[str, str, str]] = ()


def read_seeds(inputs: Sequence[str]) -> NamedSeeds:
    """Read the seeds that the user names.

    An input is a URL, a file with one URL per line (empty lines and `#` comments are skipped), or a sitemap file. A URL
    whose path ends in `.xml` or `.xml.gz` is a sitemap.

    A line of a file that is no URL is a refused seed, told by its number: the file may not be a list at all.

    Raises:
        ValueError: a file cannot be read, a URL of the command line is none, or no URL is named at all.
    """
    pages: list[str] = []
    sitemaps: list[str] = []
    refused: list[tuple[str, str, str]] = []
    for place, text in _named_urls(inputs):
        url = canonical(text)
        if url is None:
            message = f"expected an http or https URL of at most {MAX_URL_CHARS} characters"
            if place == "--input":
                raise ValueError(f"{place}: {message}, got {text[:200]!r}")
            refused.append((place, "no_url", message))
            continue
        (sitemaps if _SITEMAP.search(url.partition("?")[0]) else pages).append(url)
    if not pages and not sitemaps:
        first = f"; {refused[0][0]}: {refused[0][2]}" if refused else ""
        raise ValueError(f"--input {' '.join(inputs)} names no URL{first}")
    return NamedSeeds(pages, sitemaps, refused)


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
            raise ValueError(f"--input {entry} is not UTF-8 text: {error.reason} at byte {error.start:,}") from error
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
