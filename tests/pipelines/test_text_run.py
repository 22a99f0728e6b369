"""The command on text: accounts, errors, duplicates, and the same bytes at any worker count."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

NUM_ROWS = 60


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compressed JSONL file with a broken row and two that say the same, a book, and a file that is no text."""
    folder = tmp_path_factory.mktemp("text")
    known = (ROOT / "tests/texts/en.txt").read_text("utf-8").split()
    words = random.Random(4).choices(known, k=5000)
    lines = [json.dumps({"text": " ".join(words[k * 40 : k * 40 + 40]) + "."}) for k in range(NUM_ROWS)]
    lines[7] = lines[7][:50]
    lines[9] = lines[8].replace("the", "The")
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "book.txt").write_text("\n\n".join(" ".join(words[k : k + 50]) + "." for k in range(3000, 4000, 50)))
    (folder / "broken.txt").write_bytes(bytes(range(256)) * 20)
    return folder


def digests(output: Path) -> dict[str, str]:
    return {entry["path"]: entry["sha256"] for entry in json.loads((output / "manifest.json").read_text())["files"]}


def test_texts_are_accounted_for_and_the_bytes_are_the_same(inputs: Path, command: Callable, tmp_path: Path) -> None:
    for workers in ("1", "2"):
        arguments = ("--input", inputs, "--workers", workers, "--set", "items_per_unit=16", "--set", "chunk_kb=2")
        done = command(*arguments, "--output", tmp_path / workers, source="text")
        assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    manifest = json.loads((tmp_path / "1/manifest.json").read_text())
    assert manifest["inputs"] == {"matched": 3, "read": 2, "failed": 1}
    errors = pq.read_table(tmp_path / "1/errors").to_pylist()
    assert {(row["locator"], row["cause"]) for row in errors} == {("item=8", "not_json"), (None, "not_text")}
    ledger = pq.read_table(tmp_path / "1/ledger").to_pylist()
    assert [row["reason"] for row in ledger if row["verdict"] == "duplicate"] == ["same_text"]
    rows = ds.dataset(tmp_path / "1/data").to_table().to_pylist()
    assert len(rows) == manifest["samples"]["kept"] == len(ledger) - 1
    assert all(row["images"] == [] and row["phash"] is None and row["text"] for row in rows)


def test_a_dry_run_tells_what_it_guessed(inputs: Path, command: Callable, tmp_path: Path) -> None:
    done = command("--input", inputs, "--dry-run", "--output", tmp_path / "out", source="text")
    assert done.returncode == 0, done.stderr
    assert "guessed columns={text: text} in 1 of 3 inputs looked at" in done.stdout
    assert "1 of 3 inputs looked at cannot be read" in done.stdout
