"""The samples of an output that a condition chooses: by columns of the data, or by what only the ledger knows."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deepseek_vl.train.ledger import as_bytes, is_among, names_in, selected
from deepseek_vl.train.where import Where
from pipelines.recipe import UsageError
from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError, paths

# Fields of structs that a condition may name like columns.
INSIDE = {
    **dict.fromkeys(("use_case", "confidence", "labeller"), "label"),
    **dict.fromkeys(("uri", "locator", "license", "digest"), "provenance"),
}
COUNTED = {"num_images": "images", "num_messages": "messages"}  # lengths of lists


class Selection:
    """A condition on the samples of an output, checked against its columns.

    Names are columns and scores of `data/`, fields of label and provenance, `num_images`, `num_messages`, and columns
    of the ledger. If a condition names what only the ledger has, the ids that it chooses are kept in memory: 32 bytes
    each.

    Raises:
        UsageError: it is no condition, names something unknown, or compares values of other types.
        AccountingError: a file of the ledger cannot be read.
    """

    def __init__(self, text: str, schema: pa.Schema, storage: Storage, manifest: Mapping[str, Any]):
        try:
            self._where = Where.parse(text)
        except ValueError as error:
            raise UsageError(f"--{error}") from error
        known = {*names_in(schema), *COUNTED, *(name for name, of in INSIDE.items() if of in schema.names)}
        unknown = [name for name in self._where.names if name not in known]
        self._ids: np.ndarray | None = None
        try:
            if not unknown:
                self._where.rows(self._named(schema.empty_table()))
                return
            ledger = paths(manifest, "ledger")
            of_ledger = names_in(_schema(storage, ledger[0])) if ledger else []
            for name in unknown:
                if name not in of_ledger:
                    raise UsageError(f"--where names {name}{_hint(name, sorted({*known, *of_ledger}))}")
            for name in self._where.names:
                if name not in of_ledger:
                    raise UsageError(f"--where names {unknown[0]}, which the ledger has, and {name}, which it has not")
            self._ids = _ids(storage, ledger, self._where)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise UsageError(f"--where: {text!r} compares values of other types: {error}") from error

    @property
    def columns(self) -> list[str]:
        """Columns of `data/` that must be read to choose rows."""
        if self._ids is not None:
            return ["id"]
        return list(dict.fromkeys(INSIDE.get(name) or COUNTED.get(name) or name for name in self._where.names))

    def rows(self, table: pa.Table) -> list[int]:
        """Return the numbers of the rows that are chosen."""
        if self._ids is not None:
            found: list[int] = np.flatnonzero(is_among(as_bytes(table["id"]), self._ids)).tolist()
            return found
        return self._where.rows(self._named(table))

    def top_level(self, schema: pa.Schema) -> list[str]:
        """Return `columns` with the struct `scores` in the place of a score."""
        return list(dict.fromkeys(name if name in schema.names else "scores" for name in self.columns))

    def _named(self, table: pa.Table) -> pa.Table:
        columns = {}
        for name in self._where.names:
            if name in COUNTED:
                lengths = pa.compute.list_value_length(table[COUNTED[name]])
                columns[name] = pa.compute.fill_null(lengths, 0)
            elif name in INSIDE and name not in table.column_names:
                columns[name] = pa.chunked_array([table[INSIDE[name]].combine_chunks().field(name)])
            else:
                columns[name] = selected(table, [name])[name]
        return pa.table(columns)


def _schema(storage: Storage, path: str) -> pa.Schema:
    with storage.open(path) as file:
        return pq.read_schema(file)


def _ids(storage: Storage, ledger: Sequence[str], where: Where) -> np.ndarray:
    """The ids for which a condition is true, sorted, as bytes."""
    found = []
    for path in ledger:
        try:
            with storage.open(path) as file:
                parquet = pq.ParquetFile(file)
                present = parquet.schema_arrow.names
                columns = {name if name in present else "scores" for name in where.names}
                for batch in parquet.iter_batches(columns=["id", *sorted(columns - {"id"})]):
                    table = pa.Table.from_batches([batch])
                    chosen = where.rows(selected(table, where.names))
                    found.append(as_bytes(table["id"].take(pa.array(chosen, pa.int64()))))
        except pa.ArrowInvalid as error:
            raise AccountingError(f"{storage.path(path)} cannot be read: {error}") from error
    return np.unique(np.concatenate(found)) if found else np.zeros(0, "S1")


def _hint(name: str, possible: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, possible, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(possible)}"
    return f", which is neither a column nor a score; {hint}"
