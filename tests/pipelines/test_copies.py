"""Many names of one file: no element of the graph holds them all, and every name is in the account."""

import pickle
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.run import main
from pipelines.storage import Storage
from pipelines.tables.copies import MAX_NAMED, copies_of, listed
from pipelines.tables.manifest import read_manifest
from pipelines.units import Input, units_of

NAMES = 20_000


def test_units_of_a_file_with_many_names_stay_small(tmp_path: Path) -> None:
    storage, digest = Storage(str(tmp_path)), "ab" * 32
    inputs = [(digest, Input(f"some/folder/of/papers/{k:05d}\n.pdf", 6400, 10, "")) for k in range(NAMES)]
    units = list(listed(units_of(0, inputs, 64), storage, "run"))
    assert len(units) == 100
    assert max(len(pickle.dumps(unit)) for unit in units) < 1000
    (each,) = units[-1].slices
    assert each.num_inputs == NAMES
    assert [each.uri, *copies_of(each, storage, "run")] == [named.uri for _, named in inputs]

    few = list(units_of(0, inputs[: MAX_NAMED + 1], 64))
    assert list(listed(few, storage, "run")) == few
    assert copies_of(few[0].slices[0], storage, "run") == [named.uri for _, named in inputs[1 : MAX_NAMED + 1]]


@pytest.mark.slow
def test_a_run_accounts_for_every_name(tmp_path: Path) -> None:
    examples = Path("sources/pdfs/examples")
    original = next(path for path in sorted(examples.glob("*.pdf")) if path.stat().st_size < 100_000)
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(MAX_NAMED + 5):
        shutil.copy(original, folder / f"{k:02d}.pdf")
    out = tmp_path / "out"
    assert main(["--source", "pdfs", "--input", str(folder), "--output", str(out), "--workers", "1"]) == 0
    manifest = read_manifest(Storage(str(out)))  # whose sums are checked
    num_pages = manifest["items"]["found"] // (MAX_NAMED + 5)
    assert manifest["samples"]["duplicates"]["same_content"] == num_pages * (MAX_NAMED + 4)
    ledger = pq.read_table(out / "ledger").to_pylist()
    uris = [row["uri"] for row in ledger if row["reason"] == "same_content"]
    assert uris == [f"{k:02d}.pdf" for k in range(1, MAX_NAMED + 5) for _ in range(num_pages)]
    assert all(row["duplicate_of"] == row["id"] for row in ledger if row["reason"] == "same_content")
