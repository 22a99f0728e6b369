"""Seeds: URLs and sitemaps that the user names on the command line or in files."""

import glob
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.base.stores import NO_STORES, Stores
from sources.web.archive.files import Archive, archives_of, is_archive
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
        archives: web archives, whose pages are seeds.
    """

    pages: Sequence[str]
    sitemaps: Sequence[str]
    refused: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = ()
    archives: Sequence[Archive] = ()


def read_seeds(inputs: Sequence[str], column: str = "", stores: Stores = NO_STORES) -> NamedSeeds:
    """Read the seeds that the user names.

    An input is a URL, or a file of URLs: text with one per line (empty lines and `#` comments are skipped), CSV, JSON
    Lines, Parquet, a sitemap, or a pattern of web archives. Files may be objects in stores. A URL whose path ends in
    `.xml` or `.xml.gz` is a sitemap.

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
    archives: list[Archive] = []
    for entry in inputs:
        seeds: list[tuple[str, str]] = []
        if re.match(r"https?://", entry, re.IGNORECASE):
            seeds.append(("--input", entry))
        else:
            files = _files(entry.removeprefix("@"), stores)
            archives += archives_of(list(filter(is_archive, files)), stores)
            for path in files:
                if not is_archive(path):
                    name = entry if len(files) == 1 else path
                    file = _seed_file(path, name, column, stores)
                    notes.append(f"{name}: {len(file.seeds):,} seeds, {file.note}")
                    seeds += file.seeds
        for place, text in seeds:
            url = canonical(text)
            if url is not None:
                (sitemaps if _SITEMAP.search(url.partition("?")[0]) else pages).append(url)
                continue
            message = f"expected an http or https URL of at most {MAX_URL_CHARS} characters"
            if place == "--input":
                raise ValueError(f"{place}: {message}, got {text[:200]!r}")
            refused.append((place, "no_url", message))
    if not pages and not sitemaps and not archives:
        first = f"; {refused[0][0]}: {refused[0][2]}" if refused else ""
        raise ValueError(f"--input {' '.join(inputs)} names no URL{first}")
    return NamedSeeds(pages, sitemaps, refused, notes, list(dict.fromkeys(archives)))


def _files(entry: str, stores: Stores) -> list[str]:
    """Return the files that an entry names: itself, or what its pattern matches. Raises ValueError."""
    try:
        if stores.holds(entry):
            found = sorted(stores.match(entry))
        elif "://" in entry:
            raise ValueError(f"--input {entry}: expected http or https, gs:// or s3://, or local files")
        elif os.path.lexists(entry) or not glob.has_magic(entry):
            return [entry]
        else:
            found = sorted(glob.glob(entry, recursive=True))  # noqa: PTH207
    except OSError as error:
        raise ValueError(f"--input {entry}: {error}") from error
    if not found:
        raise ValueError(f"--input {entry} matches no file")
    return found


def _seed_file(path: str, name: str, column: str, stores: Stores) -> SeedFile:
    """Read a file of seeds, or an object with some. Raises ValueError."""
    if not stores.holds(path):
        return read_seed_file(Path(path), name, column)
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        copy = Path(folder) / path.rpartition("/")[2]  # its kind follows from its name
        try:
            with stores.open(path) as source, copy.open("wb") as file:
                shutil.copyfileobj(source, file)
        except OSError as error:
            raise ValueError(f"--input {name}: {error}") from error
        return read_seed_file(copy, name, column)
