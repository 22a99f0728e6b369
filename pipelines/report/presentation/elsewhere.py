"""Kept samples of other outputs and collections (`dedupe.against`), for the report's pairs.

They are read where they are while the report is written. One that has been moved or deleted since is not shown.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.public_names import public_place
from pipelines.storage import Storage, StorageError
from pipelines.tables.manifest import DATA_TABLES, MANIFEST, AccountingError, Files, paths, read_manifest
from pipelines.tables.thumbnail import thumbnail

COLUMNS = ("id", "uri", "locator", "thumbnail")
IMAGE_COLUMNS = ("images", "image")
ROW = "#row="
WILDCARDS = "*?["

_log = logging.getLogger(__name__)


def kept_elsewhere(names: Sequence[str], against: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows of kept samples as the ledger has them, each with a thumbnail, by the name that duplicates give.

    Args:
        names: ids of samples, or files and rows of collections (`set.parquet#row=7`).
        against: the recipe's `dedupe.against`.
    """
    found: dict[str, dict[str, Any]] = {}
    for place in against:
        wanted = set(names) - found.keys()
        if wanted and not any(sign in place for sign in WILDCARDS):
            try:
                found |= _of_output(Storage(place), wanted)
            except (OSError, StorageError, AccountingError, pa.ArrowInvalid) as error:
                _log.warning("%s: no pictures for the report (%s)", place, error)
    for name in sorted(set(names) - found.keys()):
        try:
            found |= _of_collection(name, against)
        except (OSError, StorageError, ValueError, pa.ArrowInvalid) as error:
            _log.warning("%s: no picture for the report (%s)", name, error)
    return found


def _of_output(output: Storage, ids: set[str]) -> dict[str, dict[str, Any]]:
    if not output.exists(MANIFEST):
        return {}
    manifest = read_manifest(output)
    found = {row["id"]: row for row in _rows(output, paths(manifest, "ledger"), COLUMNS, ids)}
    without = {key for key, row in found.items() if row["thumbnail"] is None}
    shards = [path for table in DATA_TABLES for path in paths(manifest, table)] if without else []
    for row in _rows(output, shards, ("id", "images"), without):
        if row["images"]:
            found[row["id"]]["thumbnail"] = thumbnail(row["images"][0]["bytes"])
    return {key: _as_kept(row) for key, row in found.items() if row["thumbnail"] is not None}


def _rows(output: Files, shards: Sequence[str], columns: Sequence[str], ids: set[str]) -> Iterator[dict[str, Any]]:
    """The rows of some ids; pictures are read of the row groups alone that have one."""
    wanted = pa.array(sorted(ids), pa.string())
    for path in shards:
        with output.open(path) as file:
            parquet = pq.ParquetFile(file)
            for group in range(parquet.num_row_groups):
                has = pc.is_in(parquet.read_row_group(group, ["id"])["id"], wanted)
                if pc.any(has).as_py():
                    yield from parquet.read_row_group(group, list(columns)).filter(has).to_pylist()


def _of_collection(name: str, against: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The picture of a file or of a row of a Parquet file, if it lies where the recipe says."""
    uri, _, row = name.partition(ROW)
    if not any(uri.startswith(place.partition("*")[0].rstrip("/")) for place in against):
        return {}
    folder, _, base = uri.rpartition("/")
    with Storage(folder or ".").open(base) as file:
        data = _first_image(pq.ParquetFile(file), int(row)) if row else file.read()
    if data is None:
        return {}
    locator = f"row={row}" if row else ""
    return {name: _as_kept({"id": name, "uri": public_place(uri), "locator": locator, "thumbnail": thumbnail(data)})}


def _first_image(parquet: pq.ParquetFile, row: int) -> bytes | None:
    column = next((name for name in IMAGE_COLUMNS if name in parquet.schema_arrow.names), None)
    if column is None:
        return None
    for group in range(parquet.num_row_groups):
        rows = parquet.metadata.row_group(group).num_rows
        if row < rows:
            value = parquet.read_row_group(group, [column])[column][row].as_py()
            value = value[0] if isinstance(value, list) and value else value
            data: bytes | None = value["bytes"] if isinstance(value, dict) else value if value else None
            return data
        row -= rows
    return None


def _as_kept(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "verdict": "kept", "reason": None, "distance": None, "similarity": None}
