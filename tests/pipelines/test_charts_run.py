"""The command on a source without input files: shards, accounts, resuming, and the same bytes at any worker count."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest

pytestmark = pytest.mark.slow

SMALL = ("--set", "num_samples=48", "--set", "items_per_unit=12", "--set", "seed=3", "--set", "output.validation=0.4")


@pytest.fixture(scope="module")
def charts(command: Callable) -> Callable:
    def run(output: Path, *arguments: str):
        return command(*SMALL, *arguments, "--output", output, source="charts")

    return run


@pytest.fixture(scope="module")
def made(charts: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("charts") / "out"
    done = charts(output, "--workers", "2")
    assert done.returncode == 0, done.stderr
    return output


def _digests(output: Path) -> dict[str, str]:
    manifest = json.loads((output / "manifest.json").read_text())
    return {entry["path"]: entry["sha256"] for entry in manifest["files"]}


def test_every_sample_is_accounted_for(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["inputs"] == {"matched": 1, "read": 1, "failed": 0}
    assert manifest["items"] == {"noun": "sample", "found": 48, "failed": 0}
    assert manifest["samples"]["kept"] == 48
    rows = ds.dataset(made / "data").to_table().to_pylist()
    assert len({row["id"] for row in rows}) == 48
    assert sorted(int(row["provenance"]["locator"].removeprefix("number=")) for row in rows) == list(range(48))
    assert {row["provenance"]["uri"] for row in rows} == {"vellum:charts?seed=3"}
    assert {row["provenance"]["license"] for row in rows} == {"cc0-1.0"}
    assert all(row["label"]["labeller"] == "source:charts" and row["label"]["confidence"] == 1 for row in rows)
    assert {row["split"] for row in rows} == {"train", "validation"}


def test_one_worker_writes_the_same_bytes(made: Path, charts: Callable, tmp_path: Path) -> None:
    done = charts(tmp_path / "one", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert _digests(tmp_path / "one") == _digests(made)


def test_more_samples_make_only_the_new_ones(made: Path, charts: Callable) -> None:
    done = charts(made, "--set", "num_samples=60")
    assert done.returncode == 0, done.stderr
    assert "1 part made, 4 used again" in done.stdout
    assert "60 samples: 60 kept" in done.stdout


def test_a_dry_run_says_what_would_be_made(charts: Callable, tmp_path: Path) -> None:
    done = charts(tmp_path / "dry", "--dry-run", "--set", "num_samples=1000000")
    assert done.returncode == 0, done.stderr
    assert "source charts: 1 input, 1,000,000 samples in 83,334 work units" in done.stdout
    assert not (tmp_path / "dry").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("num_samples=0", "num_samples must be between 1 and"),
        ("kinds=[bars]", "kinds must be some of bar"),
        ("colour=red", "no such setting"),
        ("vocabulary=none.yaml", "none.yaml:1: cannot be read: no such file"),
    ],
)
def test_wrong_settings_are_one_sentence(charts: Callable, tmp_path: Path, setting: str, message: str) -> None:
    done = charts(tmp_path / "out", "--set", setting)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_input_files_are_refused(charts: Callable, tmp_path: Path) -> None:
    done = charts(tmp_path / "out", "--input", "a.csv")
    assert done.returncode == 2
    assert "they take no input, got a.csv" in done.stderr
