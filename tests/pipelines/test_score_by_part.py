"""Scoring by part: scores in the ledger like any other, made once, whatever crashes, stops or changes."""

import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import apache_beam as beam
import psutil
import pyarrow.parquet as pq
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipelines.job import Job
from pipelines.stages.graph import build
from tests.conftest import ROOT, Command
from tests.corpus import digests, write_pdf

pytestmark = pytest.mark.slow

FRAGILE = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "fragile_filter"), str(ROOT)])}
READ_BACK = ["--set", "ocr_agreement.min_agreement=0.9", "--set", "side_px=640", "--set", "items_per_unit=3"]


def ledger(out: Path) -> dict[tuple[str, str], dict]:
    """(name of the file, locator) to the ledger's row."""
    rows = pq.read_table(out / "ledger").to_pylist()
    return {(Path(row["uri"]).name, row["locator"]): row for row in rows}


def scan(path: Path, shown: str, layer: str) -> Path:
    """A scanned page with a text layer, as an OCR program leaves it."""
    image = Image.new("L", (1200, 300), 255)
    ImageDraw.Draw(image).text((40, 100), shown, font=ImageFont.load_default(40), fill=0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    document = pymupdf.open()
    page = document.new_page(width=600, height=150)
    page.insert_image(page.rect, stream=buffer.getvalue())
    page.insert_text((20, 65), layer, fontsize=15, render_mode=3)
    document.save(path, no_new_id=True)
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven pages that say what they show, one of them twice, and a scan whose text layer is of another page."""
    folder = tmp_path_factory.mktemp("inputs")
    write_pdf(folder / "report.pdf", 5, "Report", words_a_page=30)
    write_pdf(folder / "note.pdf", 1, "Note", words_a_page=30)
    (folder / "copy.pdf").write_bytes((folder / "note.pdf").read_bytes())
    scan(
        folder / "right.pdf",
        "The quick brown fox jumps over the lazy dog",
        "The quick brown fox jumps over the lazy dog",
    )
    scan(
        folder / "wrong.pdf", "The quick brown fox jumps over the lazy dog", "Sales of the third quarter were up again"
    )
    return folder


def test_an_expensive_score_is_kept_like_any_other_and_made_once(
    inputs: Path, command: Command, tmp_path: Path
) -> None:
    out, alone = tmp_path / "out", tmp_path / "alone"
    arguments = ["--input", inputs, "--set", "side_px=640", "--set", "items_per_unit=3"]
    assert "samples scored" not in command(*arguments, "--output", out).stdout

    # Added later, the filter draws nothing again and scores everything, copies once.
    result = command("--input", inputs, "--output", out, *READ_BACK)
    assert result.returncode == 0, result.stderr
    assert "0 parts made, 3 used again; 8 samples scored, 0 scores used again" in result.stdout
    rows = ledger(out)
    scores = {place: row["scores"]["ocr_agreement"] for place, row in rows.items()}
    assert scores.pop(("wrong.pdf", "page=1")) < 0.5
    assert min(scores.values()) > 0.95
    assert rows["wrong.pdf", "page=1"]["reason"] == "ocr_agreement"
    assert Counter(row["verdict"] for row in rows.values()) == {"kept": 7, "rejected": 1, "duplicate": 1}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["scores"][-1] == "ocr_agreement"
    assert manifest["samples"]["rejected"] == {"ocr_agreement": 1}
    assert "ocr_agreement < 0.9" in (out / "README.md").read_text()

    # A threshold changes verdicts, and computes nothing.
    lenient = command("--input", inputs, "--output", out, *READ_BACK, "--set", "min_agreement=0")
    assert "0 parts made, 3 used again; 0 samples scored, 8 scores used again" in lenient.stdout
    assert json.loads((out / "manifest.json").read_text())["samples"]["kept"] == 8

    # One worker gives the bytes of two.
    single = command("--input", inputs, "--output", alone, *READ_BACK, "--set", "min_agreement=0", "--workers", 1)
    assert "3 parts made, 0 used again; 8 samples scored, 0 scores used again" in single.stdout
    assert digests(alone) == digests(out)


def test_a_killed_run_goes_on_where_scores_are_missing(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", inputs, "--output", out, *READ_BACK]
    line = [str(word) for word in [*line, "--workers", 1]]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (finished := list(out.glob(".staging/scores_by_part/*/*/*.arrow"))):
        with pytest.raises(subprocess.TimeoutExpired):  # it is still at work
            process.wait(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    assert any("pipelines.workers.scorer" in " ".join(member.cmdline()) for member in family)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, f"processes outlive their run: {alive}"
    written = {path: path.stat().st_mtime_ns for path in finished}
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert "0 parts made, 3 used again" in result.stdout
    assert "; 8 samples scored" not in result.stdout
    assert written == {path: path.stat().st_mtime_ns for path in written}
    assert json.loads((out / "manifest.json").read_text())["samples"]["kept"] == 7


def page_that_says(path: Path, words: dict[int, str], num_pages: int) -> Path:
    document = pymupdf.open()
    for number in range(1, num_pages + 1):
        word = words.get(number, "nothing special")
        page = document.new_page()
        page.insert_text((72, 72), f"Page {number} says {word}, in a sentence that is long enough to be kept.")
    document.save(path, no_new_id=True)
    return path


def test_a_sample_that_kills_the_scorer_costs_itself_only(command: Command, tmp_path: Path) -> None:
    words = {3: "CRASH", 4: "GREED", 5: "HANG"}
    source = page_that_says(tmp_path / "faulty.pdf", words, 14)
    out, log = tmp_path / "out", tmp_path / "log"
    arguments = ["--input", source, "--output", out, "--set", f"fragile.log={log}"]
    result = command(*arguments, env=FRAGILE)
    assert result.returncode == 0, result.stderr
    rows = {int(locator.removeprefix("page=")): row for (_, locator), row in ledger(out).items()}
    faults = {3: "crashed", 4: "out_of_memory", 5: "timeout"}
    for number, row in rows.items():
        assert row["verdict"] == ("rejected" if number in faults else "kept")
        assert (row["scores"]["letters"] is None) == (number in faults)
        if number in faults:
            assert row["reason"] == "not_scored"
            assert f"fragile_{faults[number]}" in row["flags"]
            assert row["scores"]["num_chars"] > 30  # what was measured before is kept
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["samples"] == {"total": 14, "kept": 11, "rejected": {"not_scored": 3}, "duplicates": {}}
    assert "hung or crashed" in (out / "README.md").read_text()

    # Batches of 4; one that fails again one by one. A process is restarted after 8 samples, and after every fault.
    calls = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    assert [size for _, size in calls] == [4, 1, 1, 1, 1, 4, 1, 1, 1, 1, 4, 2]
    requests = Counter(pid for pid, _ in calls)
    assert max(requests.values()) <= 2

    # Faults are remembered; asked to, a later run (of a mended filter) scores those samples alone again.
    mended = command(*arguments, "--set", "fragile.is_mended=true", "--retry-failed", env=FRAGILE)
    assert "3 samples scored, 11 scores used again" in mended.stdout
    assert json.loads((out / "manifest.json").read_text())["samples"]["kept"] == 14


def test_a_unit_of_nothing_but_crashes_is_given_up(command: Command, tmp_path: Path) -> None:
    source = page_that_says(tmp_path / "faulty.pdf", dict.fromkeys(range(2, 11), "CRASH"), 10)
    out = tmp_path / "out"
    arguments = ["--input", source, "--output", out, "--set", f"fragile.log={tmp_path / 'log'}"]
    result = command(*arguments, "--set", "faults_per_unit=1", env=FRAGILE)
    assert result.returncode == 0, result.stderr
    flags = [row["flags"] for row in ledger(out).values()]
    found = Counter(flag for row in flags for flag in row if flag.startswith("fragile_"))
    assert found == {"fragile_crashed": 1, "fragile_gave_up": 8}
    assert json.loads((out / "manifest.json").read_text())["samples"]["rejected"] == {"not_scored": 9}


def test_a_page_that_can_be_read_after_all_moves_no_score(command: Command, tmp_path: Path) -> None:
    source = page_that_says(tmp_path / "faulty.pdf", {2: "CRASH ALWAYS"}, 3)
    out = tmp_path / "out"
    faulty = {"PYTHONPATH": str(Path(__file__).parent / "faulty_reader")}
    first = command("--input", source, "--output", out, *READ_BACK, env=faulty)
    assert "2 samples scored, 0 scores used again" in first.stdout, first.stderr
    again = command("--input", source, "--output", out, *READ_BACK, "--retry-failed")
    assert "3 samples scored, 0 scores used again" in again.stdout, again.stderr
    assert [row["scores"]["ocr_agreement"] > 0.9 for row in ledger(out).values()] == [True] * 3


def test_the_steps_of_a_filter_say_what_machine_they_need() -> None:
    recipe = {"sources": [{"type": "pdfs"}], "filters": [{"type": "ocr_agreement"}]}
    pipeline = beam.Pipeline()
    build(pipeline, Job(recipe=json.dumps(recipe), output="/nowhere", run="0"))
    components = pipeline.to_runner_api().components
    hints = {
        transform.unique_name.rpartition("/")[2]: dict(components.environments[transform.environment_id].resource_hints)
        for transform in components.transforms.values()
        if transform.environment_id
    }
    assert hints["Score ocr_agreement"] == {"beam:resources:min_ram_bytes:v1": b"4000000000"}
    assert hints["Stage"] == {}
