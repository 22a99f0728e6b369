"""kill -9 at random moments, then the same command again: the same bytes, and nothing finished is done twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, Command
from tests.corpus import digests, write_pdf

pytestmark = pytest.mark.slow

NUM_KILLS = 3
NUM_KILLS_FULL = 20


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(24):
        write_pdf(folder / f"{number:02d}.pdf", 10, f"Report {number}", words_a_page=400)
    for number in range(12):  # joined to units of one to three files
        write_pdf(folder / f"page-{number:02d}.pdf", 1 + number % 3, f"Page {number}", words_a_page=400)
    shutil.copy(folder / "03.pdf", folder / "copy.pdf")
    shutil.copy(folder / "page-04.pdf", folder / "page-copy.pdf")
    write_pdf(folder / "again.pdf", 11, "Report 3", words_a_page=400)  # ten of its pages repeat pages of 03.pdf
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


def arguments(inputs: Path, out: Path) -> list[str]:
    return ["--input", str(inputs), "--output", str(out), "--set", "items_per_unit=5", "--set", "output.shard_mb=2"]


def finished_parts(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob(".staging/parts/*/*/*.arrow")}


def test_killed_runs_end_in_the_bytes_of_an_undisturbed_run(
    inputs: Path, command: Command, tmp_path: Path, full: bool
) -> None:
    since = time.monotonic()
    result = command(*arguments(inputs, tmp_path / "whole"))
    seconds = time.monotonic() - since
    assert result.returncode == 0, result.stderr
    expected = digests(tmp_path / "whole")
    assert len(expected) > 5  # several shards
    assert 51 + 5 <= len(finished_parts(tmp_path / "whole")) <= 51 + 11  # 12 short files share parts
    assert '"near_duplicate": 10' in (tmp_path / "whole" / "manifest.json").read_text()

    killed = tmp_path / "killed"
    chance = random.Random(20240308)
    for number in range(NUM_KILLS_FULL if full else NUM_KILLS):
        before = finished_parts(killed)
        line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", *arguments(inputs, killed)]
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.2, 1.05) * seconds)
        except subprocess.TimeoutExpired:
            family = psutil.Process(process.pid).children(recursive=True)
            if number % 2:  # every second time the command alone is killed, and the others must follow by themselves
                os.kill(process.pid, signal.SIGKILL)
            else:
                for member in [psutil.Process(process.pid), *family]:
                    member.kill()
            process.wait()
            _, alive = psutil.wait_procs(family, timeout=60)
            assert not alive, f"processes outlive their run: {alive}"
        after = finished_parts(killed)
        assert before == {path: after.get(path) for path in before}, "a finished part was written again"
        if number % 5 == 4:  # start afresh now and then, so that early moments are met too
            shutil.rmtree(killed)

    before = finished_parts(killed)
    result = command(*arguments(inputs, killed))
    assert result.returncode == 0, result.stderr
    num_parts = len(finished_parts(tmp_path / "whole"))
    assert f"{num_parts - len(before)} parts made, {len(before)} used again" in result.stdout
    assert digests(killed) == expected
    assert (killed / "README.md").read_bytes() == (tmp_path / "whole" / "README.md").read_bytes()
    assert not list(killed.glob(".staging/tmp/*"))
    assert not list(killed.glob(".staging/shards/*/*/*"))
