"""Files of the staging folder: a local one is mapped, and stays readable when it is replaced or deleted."""

import struct
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.recipe_file import build_recipe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table, table_bytes, validate_local, write_table
from pipelines.storage.errors import DamagedFile
from pipelines.workers.protocol import Failed, ScoreRows
from pipelines.workers.scorer import answer


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


def _with_wrong_offsets(path: Path) -> None:
    """A file whose texts lie outside of it, as a reader could write that a hostile input has taken over."""
    table = pa.table({"text": ["hello", "world"]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    data, offsets = path.read_bytes(), struct.pack("<3i", 0, 5, 10)
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, struct.pack("<3i", 0, 5, 1 << 30)))


def test_what_a_reader_wrote_is_validated_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "part"
    _with_wrong_offsets(path)
    with pytest.raises(DamagedFile, match="its offsets or texts are wrong"):
        validate_local(path)
    scorer = build_recipe({"sources": [{"type": "pdfs"}], "filters": [{"type": "min_ink"}]}).filters[0]
    found = answer(scorer, ScoreRows(part=path, rows=(1,), names=scorer.score_names))
    assert isinstance(found, Failed)
    assert "is damaged" in found.message
    write_table(pa.table({"text": ["hello"]}), path)
    validate_local(path)
