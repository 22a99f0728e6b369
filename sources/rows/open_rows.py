"""The choice of a reader by the content of a file: names say little, and members of archives have none."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from sources.base.source import InputError, unreadable_file
from sources.rows.bytes_file import BytesFile, open_bytes
from sources.rows.json_array import JsonArray
from sources.rows.json_lines import JsonLines
from sources.rows.line_index import Lines
from sources.rows.parquet_rows import PARQUET, ParquetRows
from sources.rows.row import Rows
from sources.rows.webdataset import WebDataset

FORMATS = ("auto", "jsonl", "json", "parquet", "text")
TAR_MAGIC, TAR_MAGIC_PLACE = b"ustar", 257
PACKED = ("", ".gz", ".bz2", ".xz", ".zst")
SUFFIXES = (*(f"{suffix}{packed}" for suffix in (".jsonl", ".ndjson", ".json") for packed in PACKED), ".parquet")
SNIFFED_BYTES = 1 << 16
_OBJECT = re.compile(rb'\s*\{\s*["}]')
_ARRAY = re.compile(rb'\s*\[\s*[\[{"\]]')


def open_rows(
    path: Path, digest: str, file_format: str, max_row_bytes: int, encodings: Sequence[str] = ("utf-8",)
) -> Rows | BytesFile:
    """Open the rows of a file; a file of plain text is given as its bytes.

    Args:
        file_format: one of `FORMATS`, or `webdataset`; `auto` looks at the first bytes.
        max_row_bytes: a longer JSON row is an error.
        encodings: of JSON rows, tried in order.
    Raises:
        InputError: the file cannot be read, is empty, or has another format than `file_format`.
    """
    if file_format == "parquet" or (file_format == "auto" and _begins_with(path, PARQUET)):
        rows: Rows = ParquetRows(path)
    else:
        file = open_bytes(path, digest)
        head = file.read(0, SNIFFED_BYTES)
        if not head.strip():
            raise InputError("empty", "the file is empty")
        if file_format == "webdataset" or (file_format == "auto" and head[TAR_MAGIC_PLACE:].startswith(TAR_MAGIC)):
            return _not_empty(WebDataset(file, digest, max_row_bytes, encodings))
        if b"\0" in head:
            raise InputError("not_text", "the file is neither text nor of a known format: it has zero bytes")
        kind = _kind_of(head) if file_format == "auto" else file_format
        if kind == "text":
            return file
        if kind == "json":
            rows = JsonArray(file, digest, max_row_bytes, encodings)
        else:
            rows = JsonLines(Lines(file, digest, max_row_bytes), encodings)
            if not rows.names and len(rows) > 1 and _is_one_value(file, max_row_bytes):
                raise InputError("not_rows", "the file is one JSON object; expected an array, or one object per line")
    return _not_empty(rows)


def _not_empty(rows: Rows) -> Rows:
    if len(rows) == 0:
        raise InputError("empty", "the file has no rows")
    return rows


def _begins_with(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise unreadable_file(error) from error


def _kind_of(head: bytes) -> str:
    if _ARRAY.match(head):
        return "json"
    return "jsonl" if _OBJECT.match(head) else "text"


def _is_one_value(file: BytesFile, max_bytes: int) -> bool:
    if file.num_bytes > max_bytes:
        return False
    try:
        json.loads(file.read(0, file.num_bytes))
    except (ValueError, RecursionError):
        return False
    return True
