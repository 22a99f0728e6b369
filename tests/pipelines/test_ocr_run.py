"""The command on synthesized documents: exact numbers, the same bytes at any worker count, material from files."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipelines.storage import Storage
from pipelines.tables.manifest import read_manifest

pytestmark = pytest.mark.slow

NUM = 24
SMALL = ("--set", f"num_samples={NUM}", "--set", "items_per_unit=6", "--set", "seed=3", "--set", "side_px=640")


@pytest.fixture(scope="module")
def ocr(command: Callable) -> Callable:
    def run(output: Path, *arguments: str | Path):
        return command(*SMALL, *arguments, "--output", output, source="ocr")

    return run


@pytest.fixture(scope="module")
def made(ocr: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("ocr") / "out"
    done = ocr(output, "--workers", "2", "--set", "strength=1")
    assert done.returncode == 0, done.stderr
    return output


def _digests(output: Path) -> dict[str, str]:
    manifest = json.loads((output / "manifest.json").read_text())
    return {entry["path"]: entry["sha256"] for entry in manifest["files"]}


def test_the_number_of_samples_is_met_and_what_was_made_anew_is_counted(made: Path) -> None:
    manifest = read_manifest(Storage(str(made)))
    assert manifest["items"] == {"noun": "sample", "found": NUM, "failed": 0}
    assert manifest["samples"]["kept"] == NUM
    assert sum(manifest["replaced"].values()) > 0
    rows = ds.dataset(made / "data").to_table().to_pylist()
    assert sorted(int(row["provenance"]["locator"].removeprefix("number=")) for row in rows) == list(range(NUM))
    assert {row["provenance"]["uri"] for row in rows} == {"vellum:ocr?seed=3"}
    assert all(row["words"] and row["label"]["labeller"] == "source:ocr" for row in rows)


def test_one_worker_writes_the_same_bytes(made: Path, ocr: Callable, tmp_path: Path) -> None:
    done = ocr(tmp_path / "one", "--workers", "1", "--set", "strength=1")
    assert done.returncode == 0, done.stderr
    assert _digests(tmp_path / "one") == _digests(made)


def test_a_second_run_makes_only_what_is_new(made: Path, ocr: Callable) -> None:
    replaced = json.loads((made / "manifest.json").read_text())["replaced"]
    done = ocr(made, "--set", "strength=1", "--set", f"num_samples={NUM + 6}")
    assert done.returncode == 0, done.stderr
    assert "1 part made, 4 used again" in done.stdout
    again = json.loads((made / "manifest.json").read_text())["replaced"]
    assert all(again[reason] >= count for reason, count in replaced.items())


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    stories = [f"Lantern number {k} was lit by the keeper of the northern shore at dusk." for k in range(40)]
    (folder / "a.txt").write_text(
        "\n\n".join(stories[:20]) + "\n\nეს არის ქართული ტექსტი, რომელიც საკმარისად გრძელია\n"
    )
    (folder / "b.jsonl").write_text("\n".join(json.dumps({"text": story}) for story in stories[20:30]))
    pq.write_table(pa.table({"text": stories[30:]}), folder / "c.parquet")
    return folder


def test_files_fill_the_pages(ocr: Callable, texts: Path, tmp_path: Path) -> None:
    # All languages: threads of the coordinator, one a unit, look for the fonts of each.
    settings = ("--input", texts, "--set", "kinds={book: 1}", "--set", "tasks={text: 1}")
    done = ocr(tmp_path / "two", *settings, "--workers", "2")
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(Storage(str(tmp_path / "two")))
    assert manifest["samples"]["kept"] == NUM
    (material,) = manifest["material"]
    assert (material["files"], material["holds"], material["dropped"]) == (
        3,
        {"en": 40},
        {"unsupported_script.Georgian": 1},
    )
    rows = ds.dataset(tmp_path / "two" / "data").to_table(columns=["text", "provenance"]).to_pylist()
    assert all("Lantern number" in row["text"] for row in rows)
    assert {row["provenance"]["uri"] for row in rows} == {material["uri"]}
    done = ocr(tmp_path / "one", *settings, "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_a_dry_run_gathers_nothing_into_the_output(ocr: Callable, texts: Path, tmp_path: Path) -> None:
    done = ocr(tmp_path / "dry", "--dry-run", "--input", texts)
    assert done.returncode == 0, done.stderr
    assert f"source ocr: 1 input, {NUM} samples in 4 work units" in done.stdout
    assert not (tmp_path / "dry").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "holds nothing that samples can be made from: it is empty"),
        ("a.txt", b"\xff\xfe\xfd broken bytes in a long enough paragraph", "made from: not_utf8 1"),
        (
            "a.txt",
            "ეს არის ქართული ტექსტი, რომელიც საკმარისად გრძელია".encode(),
            "made from: unsupported_script.Georgian 1",
        ),
        ("a.jsonl", b'{"body": "x"}', "line 1 has no field 'text'; it has body"),
        ("a.parquet", b"PAR1", "not a readable Parquet file"),
    ],
)
def test_input_that_cannot_be_used_is_one_sentence(
    ocr: Callable, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = ocr(tmp_path / "out", "--input", path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
