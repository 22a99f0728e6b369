"""Files of seeds: URLs in text, CSV, JSON Lines and Parquet, with the column that holds them, and sitemaps."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import canonical

MAX_FILE_BYTES = 200_000_000
LOOKED_AT = 100  # rows by whose values a column is guessed if no name tells
NAMES = ("url", "link", "href", "uri", "loc", "location", "address", "website", "page", "source")  # the best first
DELIMITERS = (",", "\t", ";", "|")
_SITEMAP = re.compile(r"\.(xml|rss|atom)$")


@dataclass(frozen=True, slots=True)
class SeedFile:
    """What a file names.

    Args:
        seeds: (place, text) of every seed: the place is for error messages, the text should be a URL.
        note: how the file was read, for the plan of a run.
    """

    seeds: Sequence[tuple[str, str]]
    note: str


def read_seed_file(path: Path, entry: str, column: str = "") -> SeedFile:
    """Read a file of seeds. Its kind follows from its name, without `.gz`; other files have one URL per line.

    Args:
        entry: the file as the user named it.
        column: the column with URLs; by default the one whose name or values say so.

    Raises:
        ValueError: the file cannot be read, or has no column with URLs.
    """
    name = path.name.lower().removesuffix(".gz")
    try:
        if name.endswith(".parquet"):
            return _parquet(path, entry, column)
        data = _read(path)
        if _SITEMAP.search(name):
            pages, nested = parse_sitemap(data)
            return SeedFile([(entry, url) for url in (*pages, *nested)], "a sitemap")
        text = data.decode("utf-8-sig")
        if name.endswith((".csv", ".tsv")):
            return _csv(text, entry, column)
        return _json_lines(text, entry, column) if name.endswith((".jsonl", ".ndjson")) else _lines(text, entry)
    except SitemapError as error:
        raise ValueError(f"--input {entry} is no sitemap: {error}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"--input {entry} is not UTF-8 text: {error.reason} at byte {error.start:,}") from error
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"--input {entry}: expected URLs or a file of them; {why}") from error
    except (pa.ArrowException, csv.Error) as error:
        raise ValueError(f"--input {entry} cannot be read: {error}") from error


def _read(path: Path) -> bytes:
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        data: bytes = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(f"it is larger than {MAX_FILE_BYTES:,} bytes; split it")
    return data


def _lines(text: str, entry: str) -> SeedFile:
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    seeds = [(f"{entry}, line {number}", line) for number, line in lines if line and not line.startswith("#")]
    return SeedFile(seeds, "one URL per line")


def _csv(text: str, entry: str, column: str) -> SeedFile:
    """Read rows with or without a header; a row that begins with `#` is a comment."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(DELIMITERS, key=first.count)
    csv.field_size_limit(MAX_FILE_BYTES)  # texts of pages are longer than the default allows
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [(reader.line_num, row) for row in reader if any(row) and not row[0].startswith("#")]
    if not rows:
        return SeedFile([], "no rows")
    has_header = not any(map(_is_url, rows[0][1]))
    names = [name.strip() for name in rows[0][1]] if has_header else [str(k + 1) for k in range(len(rows[0][1]))]
    rows = rows[has_header:]
    chosen = _column(names, [dict(zip(names, row, strict=False)) for _, row in rows[:LOOKED_AT]], entry, column)
    place = names.index(chosen)
    seeds = [(f"{entry}, line {number}", row[place].strip() if place < len(row) else "") for number, row in rows]
    return SeedFile(seeds, _note(chosen, names))


def _json_lines(text: str, entry: str, column: str) -> SeedFile:
    """Read objects, or bare strings, one per line."""
    rows: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                rows.append((number, None))
    objects = [row for _, row in rows if isinstance(row, dict)]
    if not objects:
        return SeedFile([(f"{entry}, line {number}", _text(row)) for number, row in rows], "strings")
    names = list(dict.fromkeys(name for row in objects[:LOOKED_AT] for name in row))
    chosen = _column(names, objects[:LOOKED_AT], entry, column)
    seeds = [
        (f"{entry}, line {number}", _text(row.get(chosen) if isinstance(row, dict) else row)) for number, row in rows
    ]
    return SeedFile(seeds, _note(chosen, names))


def _parquet(path: Path, entry: str, column: str) -> SeedFile:
    with pa.parquet.ParquetFile(path) as file:
        fields = [field.name for field in file.schema_arrow if _is_text(field.type)]
        rows = next(file.iter_batches(LOOKED_AT, columns=fields), None) if fields else None
        chosen = _column(fields, rows.to_pylist() if rows is not None else [], entry, column)
        values = (value for batch in file.iter_batches(columns=[chosen]) for value in batch.column(0).to_pylist())
        seeds = [(f"{entry}, row {number}", _text(value)) for number, value in enumerate(values, start=1)]
        return SeedFile(seeds, _note(chosen, file.schema_arrow.names))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _column(names: Sequence[str], rows: Sequence[Mapping[str, Any]], entry: str, column: str) -> str:
    """Return the column with URLs: the wanted one, or one that is called so and holds one, or one that holds most."""
    if column:
        if column not in names:
            raise ValueError(f"--input {entry} has no column {column!r} of text, only {', '.join(names)[:300]}")
        return column
    found = {name: sum(_is_url(_text(row.get(name))) for row in rows) for name in names}
    called = [name for word in NAMES for name in names if name.casefold() == word]
    called += [name for word in NAMES for name in names if word in _words(name)]
    for name in called:
        if found[name]:
            return name
    best = max(names, key=lambda name: found[name], default="")
    if best and found[best]:
        return best
    if called:
        return called[0]
    raise ValueError(f"--input {entry} has no column with URLs; name it with --set url_column=…")


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case: `pageUrl` and `page_url` have `page` and `url`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", " ", name).lower().split()


def _note(chosen: str, names: Sequence[str]) -> str:
    others = [name for name in islice(names, 20) if name != chosen]
    return f"URLs from column {chosen!r}" + (f" (others: {', '.join(others)[:200]})" if others else "")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _is_url(text: str) -> bool:
    return canonical(text.strip()) is not None
