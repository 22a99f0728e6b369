"""The samples of one shard of `data/`, read a row group at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.sample import ExportedImage, ExportedSample
from pipelines.export.selection import Selection
from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError
from sources.base.sample import Message

COLUMNS = ("id", "source", "images", "messages", "text", "language", "label", "provenance")


def read_samples(storage: Storage, path: str, selection: Selection | None) -> Iterator[list[ExportedSample]]:
    """Yield the chosen samples of a shard, a row group at a time. Raises AccountingError for a damaged one."""
    try:
        with storage.open(path) as file:
            parquet = pq.ParquetFile(file)
            schema = parquet.schema_arrow
            wanted = [name for name in COLUMNS if name in schema.names]
            for number in range(parquet.num_row_groups):
                rows = None
                if selection is not None:
                    rows = selection.rows(parquet.read_row_group(number, columns=selection.top_level(schema)))
                    if not rows:
                        continue
                table = parquet.read_row_group(number, columns=wanted)
                table = table if rows is None else table.take(pa.array(rows, pa.int64()))
                yield [_sample(row) for row in table.to_pylist()]
    except pa.ArrowInvalid as error:
        raise AccountingError(f"{storage.path(path)} is damaged: {error}; see `vellum verify`") from error


def schema_of(storage: Storage, path: str) -> pa.Schema:
    """The columns of a shard. Raises AccountingError if it is damaged."""
    try:
        with storage.open(path) as file:
            return pq.read_schema(file)
    except pa.ArrowInvalid as error:
        raise AccountingError(f"{storage.path(path)} is damaged: {error}; see `vellum verify`") from error


def _sample(row: Mapping[str, Any]) -> ExportedSample:
    origin, label = row.get("provenance") or {}, row.get("label") or {}
    about = {
        "language": row.get("language"),
        "use_case": label.get("use_case"),
        "license": origin.get("license"),
        "uri": origin.get("uri"),
        "locator": origin.get("locator"),
    }
    return ExportedSample(
        id=row["id"],
        source=row["source"],
        images=[
            ExportedImage(name=f"{row['id']}-{k}.{_extension(image['path'])}", data=image["bytes"])
            for k, image in enumerate(row["images"] or ())
        ],
        messages=None if row["messages"] is None else [Message(**turn) for turn in row["messages"]],
        text=row["text"],
        about={name: value for name, value in about.items() if value},
    )


def _extension(path: str | None) -> str:
    extension = (path or "").rpartition(".")[2].lower()
    return extension if extension.isalnum() and len(extension) <= 5 else "img"
