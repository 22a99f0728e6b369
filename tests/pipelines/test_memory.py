"""Memory does not grow with the corpus."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.corpus import write_pdf

pytestmark = pytest.mark.slow

PAGES_A_FILE = 20
LIMIT_MB = 1000
GROWTH = 1.25  # of the coordinator; readers are flat


def anonymous_mb(pid: int) -> float:
    """Memory of a process that no file backs, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n")
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) * 1024 / 1e6


def peaks_mb(num_pages: int, folder: Path) -> dict[str, float]:
    """Largest anonymous memory of the coordinator and of any reader while so many pages are read, in MB.

    Unique memory would count the pages of libraries too, as long as no other process has them.
    """
    for number in range(num_pages // PAGES_A_FILE):
        write_pdf(folder / "in" / f"{number:04d}.pdf", PAGES_A_FILE, f"Report {number}", words_a_page=500)
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", str(folder / "in")]
    line += ["--output", str(folder / "out"), "--workers", "2"]
    peaks = {"pipelines.stages.coordinator": 0.0, "pipelines.workers.reader": 0.0}
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                for member in psutil.Process(process.pid).children(recursive=True):
                    for name in peaks:
                        if name in member.cmdline():
                            peaks[name] = max(peaks[name], anonymous_mb(member.pid))
            except (psutil.Error, OSError):  # it ended just now
                pass
            time.sleep(0.05)
    assert process.returncode == 0
    return peaks


def test_memory_is_bounded_and_the_same_for_five_times_the_pages(tmp_path: Path, full: bool) -> None:
    few = 2000 if full else 400
    small, large = peaks_mb(few, tmp_path / "small"), peaks_mb(5 * few, tmp_path / "large")
    for name in small:
        assert 20 < small[name] < LIMIT_MB
        assert large[name] < LIMIT_MB
        assert large[name] < GROWTH * small[name], f"{name} grew from {small[name]:.0f} to {large[name]:.0f} MB"
