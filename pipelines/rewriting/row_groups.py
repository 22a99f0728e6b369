"""Rows of Parquet files of an output by their places, a row group at a time."""

from collections import OrderedDict
from contextlib import ExitStack
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError

GROUPS_IN_MEMORY = 6  # row groups of about 10 MB


class RowGroups:
    """Runs of rows of Parquet files of the output, by place; the row groups that were read last stay in memory."""

    def __init__(self, storage: Storage, columns: list[str] | None = None):
        self._storage, self._columns = storage, columns
        self._open: dict[str, tuple[pq.ParquetFile, np.ndarray]] = {}
        self._groups: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()
        self._files = ExitStack()

    def close(self) -> None:
        """Close all files."""
        self._files.close()

    def take(self, path: str, start: int, number: int) -> pa.Table:
        """Rows from `start` on. Raises AccountingError if the file has fewer."""
        _, ends = self._file(path)
        if start + number > (ends[-1] if len(ends) else 0):
            raise AccountingError(f"{path} is damaged: it has fewer rows than the ledger keeps samples for it")
        pieces = []
        group = int(np.searchsorted(ends, start, "right"))
        while number:
            table = self._group(path, group)
            inside = start - (int(ends[group]) - len(table))
            pieces.append(table.slice(inside, number))
            start, number, group = start + len(pieces[-1]), number - len(pieces[-1]), group + 1
        return pa.concat_tables(pieces) if len(pieces) != 1 else pieces[0]

    def num_rows(self, path: str) -> int:
        """The number of rows in a file."""
        ends = self._file(path)[1]
        return int(ends[-1]) if len(ends) else 0

    def _file(self, path: str) -> tuple[pq.ParquetFile, np.ndarray]:
        if path not in self._open:
            file: BinaryIO = self._files.enter_context(self._storage.open(path))
            parquet = pq.ParquetFile(file)
            sizes = [parquet.metadata.row_group(k).num_rows for k in range(parquet.num_row_groups)]
            self._open[path] = parquet, np.cumsum(sizes, dtype=np.int64)
        return self._open[path]

    def _group(self, path: str, number: int) -> pa.Table:
        key = path, number
        if key not in self._groups:
            self._groups[key] = self._file(path)[0].read_row_group(number, columns=self._columns)
            if len(self._groups) > GROUPS_IN_MEMORY:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]
