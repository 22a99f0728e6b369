"""A run on a real Flink cluster, with a worker and a task manager killed in the middle."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command
from tests.corpus import write_pdf
from tests.flink import FlinkCluster, flink

LIB = Path(os.environ.get("FLINK_HOME", "")) / "lib"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("FLINK_HOME"), reason="FLINK_HOME names no folder with the jars of Flink and Beam's runner"
    ),
]
NUM_FILES, PAGES_A_FILE = 6, 16
SETTINGS = ("--set", "items_per_unit=4")  # 24 units
MAX_VERTICES, MAX_STARTS = 20, 3  # 40 tasks at `--parallelism 2`


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some files, and one whose pages are in another as well."""
    folder = tmp_path_factory.mktemp("flink-input")
    for number in range(NUM_FILES):
        write_pdf(folder / f"{number}.pdf", PAGES_A_FILE, f"Report {number}", words_a_page=200)
    write_pdf(folder / "again.pdf", PAGES_A_FILE - 3, "Report 0", words_a_page=200)
    return folder


@pytest.fixture(scope="module")
def expected(inputs: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> dict[str, str]:
    """The bytes of a local run."""
    out = tmp_path_factory.mktemp("flink-local") / "out"
    done = command("--input", inputs, "--output", out, *SETTINGS)
    assert done.returncode == 0, done.stderr
    return published(out)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """A cluster with a task manager to spare."""
    with flink(tmp_path_factory.mktemp("flink"), LIB, num_task_managers=3) as running:
        yield running


def published(out: Path) -> dict[str, str]:
    """The sha256 of every file of an output by its name."""
    files = [path for path in out.rglob("*") if path.is_file() and ".staging" not in path.parts]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_deaths_in_the_middle_change_no_byte(
    inputs: Path, expected: dict[str, str], cluster: FlinkCluster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", str(inputs), "--output", str(out)]
    with subprocess.Popen(
        [*line, *SETTINGS, *cluster.options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        _until(run, lambda: bool(list(out.glob(".staging/parts/*/*/*"))))
        num_started = len(cluster.workers())
        os.kill(cluster.workers()[-1], signal.SIGKILL)
        _until(run, lambda: len(cluster.workers()) > num_started)  # the job has begun again
        cluster.kill(_task_manager_of(cluster, cluster.workers()[-1]))
        said, _ = run.communicate(timeout=200)

    assert run.returncode == 0, said
    assert published(out) == expected
    assert num_started <= 2 * MAX_STARTS  # on two task managers
    num_attempts = 1 + cluster.num_restarts()
    assert num_attempts >= 3
    assert len(cluster.workers()) <= num_attempts * 2 * MAX_STARTS
    assert len(cluster.job()["vertices"]) <= MAX_VERTICES
    # Work was done twice, but nothing is counted twice.
    assert f"{NUM_FILES * PAGES_A_FILE + PAGES_A_FILE - 3} pages: " in said
    num_units = NUM_FILES * PAGES_A_FILE // 4 + 4
    assert f"; {num_units} parts made, 0 used again" in said


def _until(run: "subprocess.Popen[str]", happens: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 120
    while not happens():
        assert run.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def _task_manager_of(cluster: FlinkCluster, worker: int) -> str:
    """The name of the task manager that started a worker: it leads its process group."""
    group = os.getpgid(worker)
    (name,) = [name for name, process in cluster.processes.items() if process.pid == group]
    return name
