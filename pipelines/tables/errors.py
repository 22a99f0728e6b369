"""Error shards."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.tables.parquet import HashingFile
from pipelines.tables.schema import ERRORS_SCHEMA
from pipelines.units import ErrorRow


def write_errors(file: HashingFile, rows: Iterable[ErrorRow]) -> int:
    """Write error rows in the order of what they name. Gives their number."""
    ordered = sorted(rows, key=lambda row: (row.source, row.uri, _item(row.locator), row.cause, row.message))
    columns = list(zip(*ordered, strict=True)) or [()] * len(ERRORS_SCHEMA)
    table = pa.table([pa.array(column, pa.string()) for column in columns], schema=ERRORS_SCHEMA)
    with pq.ParquetWriter(file, ERRORS_SCHEMA, compression="zstd") as writer:
        writer.write_table(table)
    return len(table)


def _item(locator: str | None) -> tuple[str, int]:
    """Locators in the order of their numbers: page=2 before page=10."""
    name, _, number = (locator or "").partition("=")
    return name, int(number) if number.isdigit() else -1
