"""How Parquet files are written: compression, size of row groups, digest."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.tables.manifest import DATA_TABLES

MAX_DICTIONARY_BYTES = 2**30  # more than a row group holds; a Parquet page ends at 2 ** 31


class HashingFile(io.RawIOBase):
    """A write-only file that counts and hashes what passes through it."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._sha256 = hashlib.sha256()
        self.num_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._sha256.update(data)
        self.num_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.num_bytes

    def sha256(self) -> str:
        """Hex digest of everything written."""
        return self._sha256.hexdigest()


PICTURES = "images.list.element.bytes"
REPEATED = (PICTURES, "html")  # columns that samples of one page have in common


def parquet_options(schema: pa.Schema, table: str, *, repeats_pictures: bool = False) -> dict[str, Any]:
    """How a table's Parquet files are written.

    Args:
        repeats_pictures: rows may have the same picture, which is then stored once per row group, in a dictionary. A
            reader of one row has to read the whole dictionary, so other files have none.
    """
    if table not in DATA_TABLES:
        return {"compression": "zstd", "write_page_index": True}
    coded = ["source", "language", "split", "provenance.license", "provenance.uri"]
    return {
        "compression": _compression(schema),
        "use_dictionary": [*coded, *REPEATED] if repeats_pictures else coded,
        **({"dictionary_pagesize_limit": MAX_DICTIONARY_BYTES} if repeats_pictures else {}),
        "write_page_index": True,
        "use_content_defined_chunking": True,
    }


def stores_pictures_once(file: pq.ParquetFile) -> bool:
    """Return True if a file of the data was written with `repeats_pictures`."""
    metadata = file.metadata
    if not metadata.num_row_groups:
        return False
    group = metadata.row_group(0)
    columns = [group.column(k) for k in range(group.num_columns)]
    return any(column.path_in_schema == PICTURES and column.has_dictionary_page for column in columns)


def row_groups(tables: Iterable[tuple[pa.Table, list[int]]], limit: int) -> Iterator[pa.Table]:
    """Tables cut and joined to groups of at most `limit` bytes (a single larger row stands alone).

    Args:
        tables: pairs of rows and the size of each row in bytes.
    """
    pending: list[pa.Table] = []
    filled = 0
    for table, sizes in tables:
        start = 0
        for k, size in enumerate(sizes):
            if filled + size > limit and (filled or k > start):
                if k > start:
                    pending.append(table.slice(start, k - start))
                if pending:
                    yield pa.concat_tables(pending)
                pending, filled, start = [], 0, k
            filled += size
        if start < len(table):
            pending.append(table.slice(start))
    if pending:
        yield pa.concat_tables(pending)


def _compression(schema: pa.Schema) -> dict[str, str]:
    """zstd for everything but the images, which are compressed already."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    paths = [columns.column(k).path for k in range(len(columns))]
    return {path: "none" if path.startswith("images.") else "zstd" for path in paths}
