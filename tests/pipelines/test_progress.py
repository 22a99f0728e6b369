"""The counters behind the progress line: work that a runner does twice counts once."""

import json
from pathlib import Path

import pytest

from pipelines.commands.progress_line import status
from pipelines.job import Job
from pipelines.stages.progress import Progress, ProgressReader, read_progress
from pipelines.storage import STAGING


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / STAGING / "progress" / "run"


def worker(tmp_path: Path, name: str) -> Progress:
    """Counters as if of a process with that name."""
    progress = Progress(Job(recipe="{}", output=str(tmp_path), run="run"))
    progress._path = tmp_path / STAGING / "progress" / "run" / f"{name}.jsonl"
    return progress


def test_a_unit_that_two_processes_pass_counts_once(tmp_path: Path, folder: Path) -> None:
    reader = ProgressReader(folder)
    for name in ("lost", "restarted"):
        progress = worker(tmp_path, name)
        progress.add("stage a", units_done=1, items_done=64)
        progress.add("decide a", samples_kept=-3, samples_duplicate=3)
        progress.flush()
        assert reader.read() == {"units_done": 1, "items_done": 64, "samples_kept": -3, "samples_duplicate": 3}
    progress.add("stage b", units_done=1, items_done=5)
    progress.flush()
    assert reader.read()["items_done"] == read_progress(folder)["items_done"] == 69


def test_a_key_that_grows_counts_with_its_largest_value(tmp_path: Path, folder: Path) -> None:
    first, second = worker(tmp_path, "1"), worker(tmp_path, "2")
    for progress, done in ((first, 16), (first, 32), (second, 16), (second, 48)):
        progress.add("score unit", samples_scored=done)
        progress.flush()
    assert read_progress(folder)["samples_scored"] == 48


def test_reports_without_a_key_add_up(tmp_path: Path, folder: Path) -> None:
    progress = worker(tmp_path, "1")
    progress.add("", scores_made=2)
    progress.add("", scores_made=3)
    progress.flush()
    assert read_progress(folder)["scores_made"] == 5


def test_a_line_is_read_when_it_is_complete(tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    line, reader = json.dumps(["a", {"items_done": 7}]) + "\n", ProgressReader(folder)
    (folder / "1.jsonl").write_text(line[:9])
    assert reader.read() == {}
    (folder / "1.jsonl").write_text(line)
    assert reader.read() == {"items_done": 7}


def test_what_is_fetched_is_shown_with_hosts_causes_and_rate(tmp_path: Path, folder: Path) -> None:
    """A fetch that is started again tells of its hosts again; they count once."""
    for name in ("1", "2"):
        progress = worker(tmp_path, name)
        progress.add("", items_fetched=50, **{"fetch_failed.robots": 2, "fetch_failed.timeout": 1})
        progress.add("host a.example", hosts_fetched=1)
        progress.flush()
    progress.add("", inputs_found=3, inputs_read=1)
    progress.flush()
    line = status(read_progress(folder), 0, 60, "page", 0, 1.25)
    assert (
        line == "[1:00] fetched 100 pages of 1 host · 1.2 pages/s · failed 6 (robots 4, timeout 2) · 1 of 3 inputs done"
    )
