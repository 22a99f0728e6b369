"""Faults cost themselves only: pages that hang or crash the reader, files that vanish, disks that fill up."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.workers.pool import ItemFault, Program, Reader
from pipelines.workers.protocol import InspectInputs
from tests.conftest import ROOT, Command
from tests.corpus import write_pdf

pytestmark = pytest.mark.slow

FAULTY = {"PYTHONPATH": str(Path(__file__).parent / "faulty_reader")}


def errors(out: Path) -> dict[str, str]:
    """Locator to cause."""
    return {row["locator"]: row["cause"] for row in pq.read_table(out / "errors").to_pylist()}


def drawn_by_pdfium(out: Path) -> set[str]:
    """Locators of the pages that the second engine has drawn."""
    rows = pq.read_table(out / "ledger").to_pylist()
    return {row["locator"] for row in rows if "drawn_by_pdfium" in row["flags"]}


def faulty_pdf(path: Path, num_pages: int, words: dict[int, str]) -> Path:
    import pymupdf

    document = pymupdf.open()
    for number in range(1, num_pages + 1):
        page = document.new_page()
        page.insert_text(
            (72, 72),
            f"Page {number} says {words.get(number, 'nothing special')}, in a sentence that is long enough to be kept.",
        )
    document.save(path, no_new_id=True)
    return path


def test_a_page_that_hangs_or_crashes_costs_itself_only(command: Command, tmp_path: Path) -> None:
    faults = {3: "CRASH ALWAYS", 4: "CRASH", 5: "HANG ALWAYS", 6: "GREED"}
    source = faulty_pdf(tmp_path / "faulty.pdf", 9, faults)
    good = write_pdf(tmp_path / "good.pdf", 4, "Good")
    out = tmp_path / "out"
    limits = ("--set", "item_timeout_s=2", "--set", "item_wall_timeout_s=6")
    result = command("--input", source, good, "--output", out, *limits, env=FAULTY)
    assert result.returncode == 0, result.stderr
    assert errors(out) == {"page=3": "crashed", "page=5": "timeout", "page=6": "out_of_memory"}
    account = json.loads((out / "manifest.json").read_text())
    assert account["samples"]["kept"] == 6 + 4
    messages = {row["locator"]: row["message"] for row in pq.read_table(out / "errors").to_pylist()}
    assert "within 6 s;" in messages["page=5"]
    assert drawn_by_pdfium(out) == {"page=4"}  # MuPDF fails on it

    # The faults are remembered; asked to, a later run (of a mended reader) tries those pages again.
    assert "1 used again" in command("--input", source, good, "--output", out, *limits).stdout
    healed = command("--input", source, good, "--output", out, *limits, "--retry-failed")
    assert "1 part made, 0 used again" in healed.stdout
    assert json.loads((out / "manifest.json").read_text())["samples"]["kept"] == 13


def test_a_page_that_computes_without_end_costs_itself_only(command: Command, tmp_path: Path) -> None:
    source = faulty_pdf(tmp_path / "faulty.pdf", 4, {2: "BURN", 3: "BURN ALWAYS"})
    out = tmp_path / "out"
    # Two seconds of processor time may take very much longer on a busy machine.
    limits = ("--set", "item_timeout_s=2", "--set", "item_wall_timeout_s=240")
    result = command("--input", source, "--output", out, *limits, env=FAULTY)
    assert result.returncode == 0, result.stderr
    (failed,) = pq.read_table(out / "errors").to_pylist()
    assert (failed["locator"], failed["cause"]) == ("page=3", "timeout")
    assert "within 2 s of processor time;" in failed["message"]
    assert drawn_by_pdfium(out) == {"page=2"}


def test_one_bad_file_among_short_ones_costs_itself_only(command: Command, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number, word in enumerate(["fine", "CRASH ALWAYS", "well", "HANG ALWAYS", "good", "GREED", "right", "sound"]):
        faulty_pdf(folder / f"{number}.pdf", 2, {1: f"{word} {number}", 2: f"something {number}"})
    faulty_pdf(folder / "bad.pdf", 12, dict.fromkeys(range(2, 13), "CRASH ALWAYS"))
    limits = ["--set", "item_timeout_s=3", "--set", "item_wall_timeout_s=6", "--set", "faults_per_unit=3"]
    result = command("--input", folder, "--output", out, *limits, "--workers", 1, env=FAULTY)
    assert result.returncode == 0, result.stderr
    assert len(list(out.glob(".staging/parts/*/*/*.arrow"))) == 1  # all are of one unit
    found: dict[str, dict[str, str]] = {}
    for row in pq.read_table(out / "errors").to_pylist():
        found.setdefault(Path(row["uri"]).name, {})[row["locator"]] = row["cause"]
    assert {name: found[name] for name in ("1.pdf", "3.pdf", "5.pdf")} == {
        "1.pdf": {"page=1": "crashed"},
        "3.pdf": {"page=1": "timeout"},
        "5.pdf": {"page=1": "out_of_memory"},
    }
    assert [found["bad.pdf"][f"page={page}"] for page in (2, 4, 5, 12)] == ["crashed", "crashed", "gave_up", "gave_up"]
    account = json.loads((out / "manifest.json").read_text())
    assert account["samples"]["total"] == 13 + 1
    healed = command("--input", folder, "--output", out, *limits, "--retry-failed")
    assert "1 part made, 0 used again" in healed.stdout
    assert json.loads((out / "manifest.json").read_text())["samples"]["total"] == 28


def test_a_unit_of_nothing_but_crashes_is_given_up(command: Command, tmp_path: Path) -> None:
    source = faulty_pdf(tmp_path / "faulty.pdf", 12, dict.fromkeys(range(2, 13), "CRASH ALWAYS"))
    out = tmp_path / "out"
    result = command("--input", source, "--output", out, "--set", "faults_per_unit=3", env=FAULTY)
    assert result.returncode == 0, result.stderr
    found = errors(out)
    assert [found[f"page={n}"] for n in (2, 3, 4)] == ["crashed"] * 3
    assert {found[f"page={n}"] for n in range(5, 13)} == {"gave_up"}
    assert json.loads((out / "manifest.json").read_text())["samples"]["kept"] == 1


VANISHING = """
import sys
if any("pipelines.stages.coordinator" in argument for argument in sys.orig_argv):
    import os
    import pipelines.stages.stage as staging
    read = staging.read_unit
    def vanish(*arguments):
        if os.path.exists("{victim}"):
            os.rename("{victim}", "{victim}.gone")
        return read(*arguments)
    staging.read_unit = vanish
"""


def test_a_file_that_vanishes_after_it_was_counted_loses_no_other(command: Command, tmp_path: Path) -> None:
    victim = write_pdf(tmp_path / "in" / "victim.pdf", 3, "Victim")
    write_pdf(tmp_path / "in" / "other.pdf", 2, "Other")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(VANISHING.format(victim=victim))
    out = tmp_path / "out"
    hook = {"PYTHONPATH": f"{tmp_path / 'hook'}{os.pathsep}{ROOT}"}
    result = command("--input", tmp_path / "in", "--output", out, "--workers", 1, env=hook)
    assert result.returncode == 0, result.stderr
    account = json.loads((out / "manifest.json").read_text())
    assert account["inputs"] == {"matched": 2, "read": 2, "failed": 0}
    assert account["failures"] == {"not_found": 3}
    assert account["samples"]["kept"] == 2

    # A missing file is not remembered as broken: once it is back, the same command reads it.
    os.rename(f"{victim}.gone", victim)
    assert command("--input", tmp_path / "in", "--output", out).returncode == 0
    account = json.loads((out / "manifest.json").read_text())
    assert account["failures"] == {}
    assert account["samples"]["kept"] == 5


def test_a_file_without_read_permission_is_an_error_row(tmp_path: Path) -> None:
    write_pdf(tmp_path / "in" / "open.pdf", 1, "Open")
    locked = write_pdf(tmp_path / "in" / "locked.pdf", 1, "Locked")
    locked.chmod(0)
    out = tmp_path / "out"
    out.mkdir()
    line = [
        sys.executable,
        "-m",
        "pipelines.run",
        "--source",
        "pdfs",
        "--input",
        str(tmp_path / "in"),
        "--output",
        str(out),
    ]
    if os.geteuid() == 0:  # root reads everything: give the right to overlook permissions up
        line = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps",
                "-dac_override,-dac_read_search", *line]  # fmt: skip
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    account = json.loads((out / "manifest.json").read_text())
    assert account["failures"] == {"permission_denied": 1}
    assert account["samples"]["kept"] == 1


def no_partial_files(out: Path) -> None:
    """Everything under a final name can be read whole."""
    for path in out.rglob("*.parquet"):
        if ".staging/tmp" not in str(path):
            pq.read_table(path)
    assert not (out / "manifest.json").exists()


def test_a_full_disk_ends_with_one_sentence_and_no_half_file(command: Command, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "in" / "a.pdf", 60, "Big", words_a_page=600)
    out = tmp_path / "out"
    # Files may not grow beyond 1 MB: the taxonomy fits, a part of 60 pages does not.
    limit = ["prlimit", "--fsize=1000000"]
    line = [
        *limit,
        sys.executable,
        "-m",
        "pipelines.run",
        "--source",
        "pdfs",
        "--input",
        str(source),
        "--output",
        str(out),
    ]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    (said,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]  # lines of progress beside it
    assert said.startswith("error: the output cannot be written: ")
    assert "Traceback" not in result.stderr
    no_partial_files(out)
    assert command("--input", source, "--output", out).returncode == 0


@pytest.mark.parametrize("kind", ["file", "under a file"])
def test_an_output_that_cannot_be_a_folder_is_one_sentence(command: Command, tmp_path: Path, kind: str) -> None:
    source = write_pdf(tmp_path / "in" / "a.pdf", 1, "One")
    (tmp_path / "taken").write_text("a file")
    out = tmp_path / "taken" if kind == "file" else tmp_path / "taken" / "out"
    result = command("--input", source, "--output", out)
    assert result.returncode == 1
    assert "cannot write" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("recycle_mb", "num_processes"), [(math.inf, 1), (1, 3)])
def test_a_process_that_holds_too_much_memory_is_started_anew(
    tmp_path: Path, recycle_mb: float, num_processes: int
) -> None:
    recipe = json.dumps({"sources": [{"type": "pdfs"}]})
    reader = Reader(Program(module="pipelines.workers.reader", settings=recipe, timeout_s=60, recycle_mb=recycle_mb))
    source = write_pdf(tmp_path / "a.pdf", 1, "One")
    seen = set()
    try:
        for _ in range(3):
            assert reader.ask(InspectInputs(source=0, paths=(source,))).found[0].num_items == 1
            assert reader._process is not None
            seen.add(reader._process.pid)
    finally:
        reader.stop()
    assert len(seen) == num_processes


BUSY = """
import sys, time
from pipelines.workers.parent import Parent
from pipelines.workers.protocol import Inspected, Inspection
parent = Parent()
seconds = parent.settings()
parent.ready(60)
for _ in parent.requests():
    start = time.process_time()
    while time.process_time() < start + seconds["busy"]:
        pass
    time.sleep(seconds["idle"])
    parent.send(Inspected(found=(Inspection(num_items=1),)))
"""


@pytest.mark.parametrize(
    ("busy_s", "idle_s", "wall_s", "message"),
    [
        (0.2, 2.5, 120, None),  # waits, as on a busy machine, for longer than it may compute
        (60, 0, 120, "no result within 1 s of processor time"),  # which takes longer by the clock if others compute
        (0, 60, 4, "no result within 4 s;"),
    ],
)
def test_time_limits_count_processor_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy_s: float, idle_s: float, wall_s: float, message: str | None
) -> None:
    (tmp_path / "busy_child.py").write_text(BUSY)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = json.dumps({"busy": busy_s, "idle": idle_s})
    reader = Reader(Program(module="busy_child", settings=settings, timeout_s=1, wall_timeout_s=wall_s))
    try:
        if message is None:
            assert reader.ask(InspectInputs(source=0, paths=(tmp_path,))).found[0].num_items == 1
        else:
            with pytest.raises(ItemFault, match=message) as caught:
                reader.ask(InspectInputs(source=0, paths=(tmp_path,)))
            assert caught.value.cause == "timeout"
    finally:
        reader.stop()
