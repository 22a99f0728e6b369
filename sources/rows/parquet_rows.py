"""Rows of Parquet files, decoded in small batches, only the columns that are wanted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sources.base.source import InputError, ItemError, unreadable_file
from sources.rows.row import Rows

PARQUET = b"PAR1"
BATCH_BYTES = 4 << 20  # of a batch, as far as the average row tells
MAX_BATCH_ROWS = 512


class ParquetRows(Rows):
    """The rows of a Parquet file.

    A row group that cannot be decoded costs its rows from there on, each of which is an error; other groups are read.
    """

    def __init__(self, path: Path):
        try:
            self._file = pq.ParquetFile(path, memory_map=False)
            self.schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno:
                raise unreadable_file(error) from error
            raise InputError("not_parquet", f"the file is not readable Parquet: {_first_line(error)}") from error
        metadata = self._file.metadata
        sizes = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
        bytes_per_row = sum(metadata.row_group(k).total_byte_size for k in range(len(sizes))) // max(1, sum(sizes))
        self._batch_rows = max(1, min(MAX_BATCH_ROWS, BATCH_BYTES // max(1, bytes_per_row)))
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self.names: Sequence[str] = self.schema.names
        self._columns: Sequence[str] = self.names
        self._group = -1
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._rows: list[dict[str, Any]] = []
        self._first = self._next = 0  # numbers of the first row in `_rows` and after its last one
        self._broken = ""  # why the rest of the group cannot be decoded

    def select(self, columns: Sequence[str]) -> None:
        """Read only these columns from now on."""
        self._columns = list(columns)
        self._group = -1

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> Mapping[str, Any]:
        group = int(np.searchsorted(self._ends, number, "right"))
        if group != self._group or number < self._first:
            self._open(group)
        while number >= self._next:
            self._read_batch(number)
        return self._rows[number - self._first]

    def _open(self, group: int) -> None:
        self._group, self._rows, self._broken = group, [], ""
        self._first = self._next = int(self._ends[group - 1]) if group else 0
        self._batches = self._file.iter_batches(self._batch_rows, row_groups=[group], columns=list(self._columns))

    def _read_batch(self, wanted: int) -> None:
        if not self._broken:
            try:
                batch = next(self._batches, None)
                if batch is None:
                    self._broken = "the row group has fewer rows than the file says"
                else:
                    self._first, self._next = self._next, self._next + len(batch)
                    # Rows before the one that is wanted are decoded with it, and become no Python objects.
                    self._rows = batch.to_pylist() if wanted < self._next else []
                    return
            except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: text that is not UTF-8
                self._broken = _first_line(error)
        raise ItemError("unreadable_row", f"the row cannot be decoded: {self._broken}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
