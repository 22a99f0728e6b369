"""The index of the search for duplicates: one row per sample, in files with one column per field."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow, to_arrow
from pipelines.duplicates.settings import Dedupe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from sources.images.fingerprint import HASH_BYTES

EVALUATION, AGAINST, NEW = (
    0,
    1,
    2,
)  # kinds, the best first: a sample is compared with items to avoid, then with kept ones
COPIED = ("detail", "flatness", "has_image", "picture", "num_pixels", "text", "num_tokens", "sketch")


def row_dtype(settings: Dedupe) -> np.dtype:
    """The fields of a row: the hash that the settings name, and what verifies a pair."""
    num_bytes = HASH_BYTES[settings.hash_name]
    return np.dtype(
        [("hash", "u1", num_bytes), ("inset", "u1", num_bytes)]
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
    for name in COPIED:
        rows[name] = fingerprints[name]
    rows["id"] = np.frombuffer(bytes.fromhex("".join(ids)), np.uint8).reshape(len(ids), 16)
    rows["unit"], rows["item"], rows["kind"] = unit, items, kind
    return rows


def write_index(storage: Storage, path: str, rows: np.ndarray) -> None:
    """Write rows as an Arrow file of one column per field."""
    columns = {name: to_arrow(np.ascontiguousarray(rows[name])) for name in rows.dtype.names or ()}
    table = pa.table(columns)
    with storage.create(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


class Index:
    """The rows of several files, one after the other. A column is read when it is asked for; local files are mapped.

    Args:
        paths: the files, relative to the output.
    """

    def __init__(self, storage: Storage, paths: Sequence[str], settings: Dedupe):
        self._dtype = row_dtype(settings)
        self._tables = [read_table(storage, path) for path in paths]
        self._lengths = [len(table) for table in self._tables]

    def __len__(self) -> int:
        return sum(self._lengths)

    def column(self, name: str) -> np.ndarray:
        """(N, …) one field of all rows."""
        parts = [from_arrow(table[name], self._dtype[name]) for table in self._tables]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        """One field of the rows at `places`."""
        taken: np.ndarray = self.column(name)[places]
        return taken
