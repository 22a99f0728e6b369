"""Seeds: URLs and sitemaps that the user names on the command line or in files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.web.seed_files import SeedFile, read_seed_file
from sources.web.urls import MAX_URL_CHARS, canonical

_SITEMAP = re.compile(r"\.xml(\.gz)?$")


@dataclass(frozen=True, slots=True)
class NamedSeeds:
    """What the user named.

    Args:
        pages, sitemaps: canonical URLs; sitemaps have to be fetched.
        refused: lines that are no URLs, as (place, cause, message).
        notes: how each file was read.
    """

    pages: Sequence[str]
    sitemaps: Sequence[str]
    refused: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = ()


def read_seeds(inputs: Sequence[str], column: str = "") -> NamedSeeds:
    """Read the seeds that the user names.

    An input is a URL, or a file of URLs: text with one per line (empty lines and `#` comments are skipped), CSV, JSON
    Lines, Parquet, or a sitemap. A URL whose path ends in `.xml` or `.xml.gz` is a sitemap.

    A line of a file that is no URL is a refused seed, told by its number: the file may not be a list at all.

    Args:
        column: the column of tables with the URLs; by default it is guessed.

    Raises:
        ValueError: a file cannot be read, a URL of the command line is none, or no URL is named at all.
    """
    pages: list[str] = []
    sitemaps: list[str] = []
    refused: list[tuple[str, str, str]] = []
    notes: list[str] = []
    for entry in inputs:
        if re.match(r"https?://", entry, re.IGNORECASE):
            file = SeedFile([("--input", entry)], "")
        else:
            file = read_seed_file(Path(entry.removeprefix("@")), entry, column)
            notes.append(f"{entry}: {len(file.seeds):,} seeds, {file.note}")
        for place, text in file.seeds:
            url = canonical(text)
            if url is not None:
                (sitemaps if _SITEMAP.search(url.partition("?")[0]) else pages).append(url)
                continue
            message = f"expected an http or https URL of at most {MAX_URL_CHARS} characters"
            if place == "--input":
                raise ValueError(f"{place}: {message}, got {text[:200]!r}")
            refused.append((place, "no_url", message))
    if not pages and not sitemaps:
        first = f"; {refused[0][0]}: {refused[0][2]}" if refused else ""
        raise ValueError(f"--input {' '.join(inputs)} names no URL{first}")
    return NamedSeeds(pages, sitemaps, refused, notes)
