"""The index of the search for duplicates: one row per sample, in files with one column per field."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow, to_arrow
from pipelines.duplicates.settings import Dedupe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table, table_bytes
from sources.images.fingerprint import HASH_BYTES

EVALUATION, AGAINST, NEW = (
    0,
    1,
    2,
)  # kinds, the best first: a sample is compared with items to avoid, then with kept ones
WORTH = ("num_tokens", "quality", "num_pixels")  # what makes a sample the better one, the weightiest last
COPIED = (
    "detail", "flatness", "has_image", "picture", "num_pixels", "quality", "text", "num_tokens", "sketch", "strongest",
    "tiny",
)  # fmt: skip


def row_dtype(settings: Dedupe) -> np.dtype:
    """The fields of a row: the hash that the settings name, and what verifies a pair."""
    num_bytes = HASH_BYTES[settings.hash_name]
    return np.dtype(
        [("hash", "u1", num_bytes), ("inset", "u1", num_bytes)]
        + ([("views", FINGERPRINT["views"])] if settings.has_views else [])
        + [(name, FINGERPRINT[name]) for name in COPIED]
        + [("id", "u1", 16), ("unit", "<u8"), ("item", "<u4"), ("kind", "u1")]
    )


def rows_of(
    fingerprints: np.ndarray, ids: Sequence[str], items: Any, settings: Dedupe, *, unit: int = 0, kind: int = NEW
) -> np.ndarray:
    """(N,) rows of samples.

    Args:
        fingerprints: (N,) `FINGERPRINT`.
        ids: N sample ids, 32 hex digits.
        items: (N,) place of each sample in its unit or reference file.
        unit: number of the unit that they come from.
    """
    rows = np.zeros(len(fingerprints), row_dtype(settings))
    rows["hash"] = fingerprints[settings.hash_name]
    rows["inset"] = fingerprints[f"{settings.hash_name}_inset"]
    for name in (*COPIED, *(["views"] if settings.has_views else [])):
        rows[name] = fingerprints[name]
    rows["id"] = np.frombuffer(bytes.fromhex("".join(ids)), np.uint8).reshape(len(ids), 16)
    rows["unit"], rows["item"], rows["kind"] = unit, items, kind
    return rows


def write_index(storage: Storage, path: str, rows: np.ndarray) -> None:
    """Write rows as an Arrow file of one column per field."""
    columns = {name: to_arrow(np.ascontiguousarray(rows[name])) for name in rows.dtype.names or ()}
    storage.write_bytes(path, table_bytes(pa.table(columns)))


class Columns(Protocol):
    """Rows that a search looks at, by field."""

    def column(self, name: str) -> np.ndarray:
        """(N, …) one field of all rows."""
        ...


class Selection:
    """Some rows of an index, in memory."""

    def __init__(self, columns: dict[str, np.ndarray]):
        self._columns = columns

    def column(self, name: str) -> np.ndarray:
        """(N, …) one field of all rows."""
        return self._columns[name]


class Index:
    """The rows of several files, one after the other. A file is opened when its rows are asked for.

    Args:
        paths: the files, relative to the output.
        lengths: rows of each; without it, every file is opened at once.
    """

    def __init__(self, storage: Storage, paths: Sequence[str], settings: Dedupe, lengths: Sequence[int] | None = None):
        self._storage, self._paths, self._dtype = storage, paths, row_dtype(settings)
        self._lengths = [len(self._table(path)) for path in paths] if lengths is None else list(lengths)
        self._starts = np.cumsum([0, *self._lengths])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def column(self, name: str) -> np.ndarray:
        """(N, …) one field of all rows."""
        parts = [columns[name] for _, columns in self.files([name])]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, self._dtype[name]), *parts])

    def files(self, names: Sequence[str]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """The place of each file's first row, and some fields of its rows; one file at a time is in memory."""
        for start, path in zip(self._starts.tolist(), self._paths, strict=False):
            table = self._table(path)
            yield start, {name: from_arrow(table[name], self._dtype[name]) for name in names}

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        """One field of the rows at `places`."""
        return self.select(places, [name]).column(name)

    def select(self, places: np.ndarray, names: Sequence[str] = ()) -> Selection:
        """The rows at `places`, with the named fields or all; one file at a time is opened."""
        names = names or self._dtype.names or ()
        found = {name: np.zeros(len(places), self._dtype[name]) for name in names}
        order = np.argsort(places, kind="stable")
        cuts = np.searchsorted(places[order], self._starts)
        for number in np.flatnonzero(np.diff(cuts)).tolist():
            mine = order[cuts[number] : cuts[number + 1]]
            table = self._table(self._paths[number])
            for name in names:
                inside = (places[mine] - self._starts[number]).astype(np.int64)
                found[name][mine] = from_arrow(table[name], self._dtype[name])[inside]
        return Selection(found)

    def _table(self, path: str) -> pa.Table:
        return read_table(self._storage, path)
