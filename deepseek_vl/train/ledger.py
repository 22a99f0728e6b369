"""Conditions on what only the ledger of an output knows: the data is joined with it by id, and not rewritten."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from deepseek_vl.train.where import Where


class Ledger:
    """The ledger of an output: one row per sample that was read, whether it was kept or not.

    Args:
        folder: the folder of its Parquet files.
    Attributes:
        names: what a condition may name: columns with one value a row, and scores. Empty if there is no ledger.
    """

    def __init__(self, filesystem: pafs.FileSystem, folder: str):
        self._filesystem = filesystem
        selector = pafs.FileSelector(folder, allow_not_found=True)
        self._files = sorted(info.path for info in filesystem.get_file_info(selector) if info.path.endswith(".parquet"))
        self.names: list[str] = []
        if self._files:
            with filesystem.open_input_file(self._files[0]) as stream:
                self.names = names_in(pq.read_schema(stream))

    def ids(self, where: Where) -> np.ndarray:
        """Return the ids for which a condition is true, sorted, as bytes.

        Raises:
            ValueError: values of other types are compared, or a file cannot be read.
        """
        found = []
        for name in self._files:
            try:
                with self._filesystem.open_input_file(name) as stream:
                    file = pq.ParquetFile(stream)
                    present = file.schema_arrow.names
                    columns = {each if each in present else "scores" for each in where.names}
                    for batch in file.iter_batches(columns=["id", *sorted(columns - {"id"})]):
                        table = pa.Table.from_batches([batch])
                        ids = table["id"].take(pa.array(where.rows(selected(table, where.names)), pa.int64()))
                        found.append(as_bytes(ids))
            except (OSError, pa.ArrowInvalid) as error:
                raise ValueError(f"{name} cannot be read: {error}") from error
        return np.unique(np.concatenate(found)) if found else np.zeros(0, "S1")


def names_in(schema: pa.Schema) -> list[str]:
    """Return what a condition may name: columns of one value a row, and the scores."""
    names = [field.name for field in schema if not pa.types.is_nested(field.type) and not _is_binary(field.type)]
    if "scores" in schema.names:
        names += [field.name for field in schema.field("scores").type]
    return names


def selected(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return a table of columns and scores by name."""
    return pa.table({name: _column(table, name) for name in names})


def as_bytes(ids: pa.ChunkedArray) -> np.ndarray:
    """Return ids as an array of bytes, which sorts and is searched without a Python object per id."""
    return np.array(ids.to_pylist(), "S")


def is_among(ids: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return for each id if it is among sorted ones."""
    places = np.searchsorted(chosen, ids)
    found = np.zeros(len(ids), bool)
    within = places < len(chosen)
    found[within] = chosen[places[within]] == ids[within]
    return found


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name in table.column_names:
        return table[name]
    return pa.chunked_array([table["scores"].combine_chunks().field(name)])


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
