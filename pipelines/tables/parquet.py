"""How Parquet files are written: compression, size of row groups, digest."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.tables.manifest import DATA_TABLES


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


def parquet_options(schema: pa.Schema, table: str) -> dict[str, Any]:
    """How a table's Parquet files are written."""
    if table not in DATA_TABLES:
        return {"compression": "zstd", "write_page_index": True}
    return {
        "compression": _compression(schema),
        "use_dictionary": ["source", "language", "split", "provenance.license", "provenance.uri"],
        "write_page_index": True,
        "use_content_defined_chunking": True,
    }


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
