"""What all tests share: the command, small corpora, and whether the long versions run."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = (
    "Every input is accounted for: it was read or it failed, and the ledger says which.",
    "A page that cannot be drawn is an error row with its cause, never a blank image.",
    "The same inputs and the same recipe give the same bytes at any number of workers.",
    "Memory stays flat however large the corpus grows, because pixels never cross a shuffle.",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tests at their whole size")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether long tests run whole (`make test-full`)."""
    return bool(request.config.getoption("--full"))


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs `python -m pipelines.run --source pdfs …` as a user would, in a process of its own."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None, source: str = "pdfs", **options: object):
        line = [sys.executable, "-m", "pipelines.run", "--source", source, *map(str, arguments)]
        settings: dict[str, object] = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 500, **options}
        return subprocess.run(line, env={**os.environ, **(env or {})}, **settings)  # type: ignore[call-overload]

    return run


def write_pdf(path: Path, num_pages: int, text: str = "", words_a_page: int = 60) -> Path:
    """A PDF whose pages each say something else, the same bytes every time."""
    document = pymupdf.open()
    for number in range(num_pages):
        page = document.new_page()
        lines = [f"{text} page {number + 1} of {num_pages}"]
        lines += [SENTENCES[(number + k) % len(SENTENCES)] for k in range(max(1, words_a_page // 14))]
        page.insert_text((72, 72), lines, fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save(path, no_new_id=True, deflate=True)
    return path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six good files of 1 to 70 pages, a copy of one, a blank page, and three files that cannot be read."""
    folder = tmp_path_factory.mktemp("corpus")
    for number, num_pages in enumerate((1, 2, 3, 5, 8, 70)):
        write_pdf(folder / f"report-{number}.pdf", num_pages, f"Report {number}")
    (folder / "more").mkdir()
    (folder / "more" / "copy.pdf").write_bytes((folder / "report-3.pdf").read_bytes())
    blank = pymupdf.open()
    blank.new_page()
    blank.save(folder / "blank.pdf", no_new_id=True)
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "noise.pdf").write_bytes(b"This is not a PDF.")
    (folder / "truncated.pdf").write_bytes((folder / "report-0.pdf").read_bytes()[:200])
    return folder


def digests(out: Path) -> dict[str, str]:
    """sha256 of the shards, ledger, errors and manifest of an output."""
    files = [path for folder in ("data", "ledger", "errors") for path in sorted((out / folder).rglob("*.parquet"))]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*files, out / "manifest.json"]
    }
