"""The command, end to end, in separate processes."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT, Command
from tests.corpus import digests, write_pdf

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def out(corpus: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus run once, with two workers."""
    folder = tmp_path_factory.mktemp("out")
    result = command("--input", corpus, "--output", folder, "--workers", 2)
    assert result.returncode == 0, result.stderr
    return folder


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())


def test_every_page_and_input_is_accounted_for(out: Path) -> None:
    account = manifest(out)
    assert account["inputs"] == {"matched": 11, "read": 8, "failed": 3}
    assert account["items"] == {"noun": "page", "found": 95, "failed": 0}
    assert account["samples"] == {
        "total": 95,
        "kept": 89,
        "rejected": {"blank_page": 1},
        "duplicates": {"same_content": 5},
    }
    errors = pq.read_table(out / "errors").to_pylist()
    causes = {Path(row["uri"]).name: row["cause"] for row in errors}
    assert causes == {"empty.pdf": "empty_file", "noise.pdf": "not_a_pdf", "truncated.pdf": "damaged"}


def test_ledger_has_every_sample_with_its_verdict(out: Path) -> None:
    ledger = pq.read_table(out / "ledger").to_pylist()
    assert len(ledger) == 95
    assert len({(row["id"], row["uri"]) for row in ledger}) == 95
    data = pq.read_table(out / "data", columns=["id"])["id"].to_pylist()
    assert sorted(row["id"] for row in ledger if row["verdict"] == "kept") == sorted(data)
    copies = [row for row in ledger if row["verdict"] == "duplicate"]
    assert {row["uri"] for row in copies} == {"report-3.pdf"}  # `more/copy.pdf` sorts first
    assert all(row["duplicate_of"] == row["id"] and row["id"] in data for row in copies)
    assert all(row["scores"]["ink"] is not None for row in ledger)


def test_worker_count_does_not_change_a_byte(out: Path, corpus: Path, command: Command, tmp_path: Path) -> None:
    assert command("--input", corpus, "--output", tmp_path, "--workers", 1).returncode == 0
    assert digests(tmp_path) == digests(out)


def test_changed_thresholds_reuse_every_part(corpus: Path, command: Command, tmp_path: Path) -> None:
    assert command("--input", corpus, "--output", tmp_path).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".staging/*/*/*/*.arrow")}
    result = command("--input", corpus, "--output", tmp_path, "--set", "text_length.min_chars=100000", "--set",
                     "text_length.max_chars=100000")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "0 parts made" in result.stdout
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".staging/*/*/*/*.arrow")}
    assert before == after
    assert manifest(tmp_path)["samples"]["kept"] == 0
    assert not list((tmp_path / "data").glob("*.parquet"))


def test_changed_image_settings_make_new_parts_only_for_themselves(command: Command, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "in" / "a.pdf", 3, "Settings")
    out = tmp_path / "out"
    assert "1 part made" in command("--input", source, "--output", out).stdout
    assert "1 part made, 0 used again" in command("--input", source, "--output", out, "--set", "side_px=512").stdout
    assert "0 parts made, 1 used again" in command("--input", source, "--output", out).stdout


def test_a_filter_taken_out_scores_again_without_drawing_again(command: Command, tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "in" / "a.pdf", 3, "Filters")
    out, recipe = tmp_path / "out", tmp_path / "recipe.yaml"
    assert command("--input", source, "--output", out).returncode == 0
    recipe.write_text(f"sources: [{{type: pdfs, input: ['{source}']}}]\nfilters: [{{type: min_ink}}]\n")
    line = [sys.executable, "-m", "pipelines.run", "--recipe", str(recipe), "--output", str(out)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert "0 parts made, 1 used again" in result.stdout, result.stderr
    assert manifest(out)["scores"] == ["ink"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "no/such/*.pdf"], ["no/such/*.pdf", "nothing matches"]),
        (["--input", "@no-list.txt"], ["no-list.txt", "cannot be read"]),
        (["--set", "side_pix=3"], ["side_pix", "did you mean 'side_px'"]),
        (["--set", "side_px=many"], ["side_px", "integer", "many"]),
        (["--set", "side_px=3"], ["between 16 and 8192", "3"]),
        (["--set", "output.shard_md=3"], ["shard_md", "did you mean 'shard_mb'"]),
        (["--set", "language.model=/no/model.ftz"], ["language", "/no/model.ftz"]),
        (["--recipe", "x.yaml"], ["either --source", "or --recipe"]),
        (["--wrokers", "2"], ["--wrokers", "did you mean --workers"]),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    command: Command, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    result = command(*arguments, "--output", tmp_path / "out")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_an_empty_folder_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    result = command("--input", tmp_path, "--output", tmp_path / "out")
    assert result.returncode == 2
    assert "no file that ends in .pdf" in result.stderr


def test_dry_run_prints_the_plan_and_writes_nothing(corpus: Path, command: Command, tmp_path: Path) -> None:
    result = command("--input", corpus, "--output", tmp_path / "out", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "11 inputs" in result.stdout
    assert "95 pages in 3 work units" in result.stdout
    assert "3 of 11 inputs" in result.stdout
    assert not (tmp_path / "out").exists()


def test_a_list_may_name_files_that_do_not_exist(corpus: Path, command: Command, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(f"# two good, one gone\n{corpus}/report-0.pdf\n{corpus}/report-1.pdf\n{corpus}/gone.pdf\n")
    result = command("--input", f"@{listing}", "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert manifest(tmp_path / "out")["failures"] == {"not_found": 1}
    assert manifest(tmp_path / "out")["samples"]["kept"] == 3


def test_limit_takes_the_first_inputs_by_name(corpus: Path, command: Command, tmp_path: Path) -> None:
    result = command("--input", f"{corpus}/report-*.pdf", "--limit", 2, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    uris = set(
        pq.read_table(tmp_path / "out" / "data", columns=["provenance"])["provenance"]
        .combine_chunks()
        .field("uri")
        .to_pylist()
    )
    assert {Path(uri).name for uri in uris} == {"report-0.pdf", "report-1.pdf"}


def test_a_second_run_into_an_output_in_use_is_refused(command: Command, tmp_path: Path) -> None:
    source, out = write_pdf(tmp_path / "in" / "a.pdf", 1, "HANG"), tmp_path / "out"
    slow = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "faulty_reader")}
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", str(source), "--output", str(out)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=slow) as first:
        until = time.monotonic() + 60
        while not list(out.glob(".staging/progress/*/*")) and time.monotonic() < until:
            select.select([], [], [], 0.05)
        second = command("--input", source, "--output", out)
        assert first.poll() is None, "the first run ended too early for this test"
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 130
    assert second.returncode == 1
    assert f"{out} is in use by process" in second.stderr
    assert command("--input", source, "--output", out).returncode == 0


def test_a_name_that_is_not_utf8_is_read_and_written_as_text(command: Command, tmp_path: Path) -> None:
    write_pdf(tmp_path / "in" / "good.pdf", 1, "Good")
    odd = os.fsencode(tmp_path / "in") + b"/caf\xe9.pdf"
    os.rename(write_pdf(tmp_path / "in" / "odd.pdf", 1, "Odd"), odd)
    out = tmp_path / "out"
    write_pdf(tmp_path / "in" / "a\\xe9.pdf", 1, "Looks like an escape")
    result = command("--input", tmp_path / "in", "--output", out)
    assert result.returncode == 0, result.stderr
    assert manifest(out)["inputs"] == {"matched": 3, "read": 3, "failed": 0}
    uris = {Path(row["uri"]).name: row["locator"] for row in pq.read_table(out / "ledger").to_pylist()}
    assert uris.keys() == {"good.pdf", "caf\\xe9.pdf", "a\\x5cxe9.pdf"}


def test_passwords_open_files_and_are_written_nowhere(command: Command, tmp_path: Path) -> None:
    import pymupdf

    plain = pymupdf.open(write_pdf(tmp_path / "plain.pdf", 2, "Secret"))
    locked = tmp_path / "in" / "locked.pdf"
    locked.parent.mkdir()
    plain.save(locked, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open-sesame", owner_pw="owner")
    out = tmp_path / "out"
    assert command("--input", locked, "--output", out).returncode == 1
    assert manifest(out)["failures"] == {"encrypted": 1}
    done = command("--input", locked, "--output", out, "--set", "passwords=[wrong, open-sesame]")
    assert done.returncode == 0
    assert "secrets on the command line can be read by everyone" in done.stderr
    assert "open-sesame" not in done.stdout + done.stderr
    assert manifest(out)["samples"]["kept"] == 2
    for path in out.rglob("*"):
        assert not path.is_file() or b"open-sesame" not in path.read_bytes(), path


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(corpus: Path, command: Command, tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-m",
        "pipelines.run",
        "--source",
        "pdfs",
        "--input",
        str(corpus),
        "--output",
        str(tmp_path),
    ]
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(line, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".staging/progress/*/*")) and time.monotonic() < until:
        select.select([], [], [], 0.05)
    os.killpg(process.pid, signal.SIGINT)
    shown = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the terminal is closed
            break
        if not data:
            break
        shown += data
    assert process.wait(30) == 130
    assert b"run the same command again" in shown
    assert b"Traceback" not in shown
    assert command("--input", corpus, "--output", tmp_path).returncode == 0


def test_the_output_loads_in_the_usual_tools(out: Path) -> None:
    import datasets
    import mlcroissant

    splits = datasets.load_dataset(str(out), cache_dir=str(out / ".staging" / "cache"))
    assert {name: len(split) for name, split in splits.items()} == {
        name: counts["samples"] for name, counts in manifest(out)["splits"].items()
    }
    sample = splits["train"][0]
    assert sample["text"].startswith("<image>\n")
    (image,) = sample["images"]
    assert max(image.size) == 1024
    for word in sample["words"]:
        assert 0 <= word["x0"] < word["x1"] <= image.width
        assert 0 <= word["y0"] < word["y1"] <= image.height

    records = mlcroissant.Dataset(jsonld=str(out / "croissant.json")).records("samples")
    assert sum(1 for _ in records) == manifest(out)["samples"]["kept"]
