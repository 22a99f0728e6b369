"""Fixtures for all packages: the command, a small corpus, and the option for long tests."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from hypothesis import settings

from tests.corpus import write_pdf

pytest_plugins = ["tests.emulators", "tests.clusters"]
ROOT = Path(__file__).resolve().parent.parent
Command = Callable[..., "subprocess.CompletedProcess[str]"]
# The headless shell and the whole browser, of which `tests/system-packages.sh` installs both.
KINDS_OF_CHROMIUM = [name for name in ("chromium-headless-shell", "chromium") if shutil.which(name)]

# The same examples on every run, and no limit on the time of one: machines are shared.
settings.register_profile("vellum", deadline=None, derandomize=True)
settings.load_profile("vellum")


@pytest.fixture(autouse=True, scope="session")
def _interrupts_work() -> None:
    """Restore SIGINT's default for child processes; a shell ignores it for background jobs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tests at their whole size")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """True if long tests run completely (`make test-full`)."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="module", params=KINDS_OF_CHROMIUM or ["any"])
def chromium(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The name of each installed kind of Chromium in turn, the only one that is found; None: what else there is."""
    if request.param == "any":
        yield None
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sources.browser.chromium.NAMES", (request.param,))
        yield request.param


@pytest.fixture(scope="session")
def command() -> Command:
    """Return a function that runs `python -m pipelines.run --source pdfs …` in a separate process."""

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, source: str | None = "pdfs", **options: Any
    ) -> "subprocess.CompletedProcess[str]":
        named = [] if source is None else ["--source", source]
        line = [sys.executable, "-m", "pipelines.run", *named, *map(str, arguments)]
        settings: dict[str, Any] = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 500, **options}
        return subprocess.run(line, env={**os.environ, **(env or {})}, **settings)

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six valid files of 1 to 70 pages, a copy of one, a blank page, and three files that cannot be read."""
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
