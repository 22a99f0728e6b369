"""Files of the staging folder: a local one is mapped, and stays readable when it is replaced or deleted."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table, table_bytes


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_mapped_table_outlives_its_file(tmp_path: Path, is_replaced: bool) -> None:
    storage = Storage(str(tmp_path))
    table = pa.table({"image": [b"\xff" * 9000, b"\x01" * 9000]})
    storage.write_bytes("part.arrow", table_bytes(table))
    found = read_table(storage, "part.arrow")
    if is_replaced:
        storage.write_bytes("part.arrow", table_bytes(table.slice(1)))
    else:
        storage.delete("part.arrow")
    assert found.equals(table)


def test_a_missing_table_is_a_file_that_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table(Storage(str(tmp_path)), "part.arrow")
