"""`vellum completion bash`: a real bash completes with it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.commands import vellum

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# Calls the function that bash calls when Tab is pressed after the last word.
PRESS_TAB = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
"$(complete -p vellum | sed 's/.* -F \\([^ ]*\\) .*/\\1/')"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """A function that returns the completions which bash offers for the last word of a line."""
    script = tmp_path_factory.mktemp("completion") / "vellum"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.commands.vellum", "completion", "bash"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    script.write_text(done.stdout, "utf-8")

    def offered(*words: str) -> list[str]:
        line = ["bash", "--norc", "-c", PRESS_TAB, "bash", str(script), *words]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout.split()

    return offered


def test_bash_completes_commands_options_choices_and_files(complete: Callable[..., list[str]]) -> None:
    assert complete("vellum", "") == list(vellum.COMMANDS)
    assert complete("vellum", "dup") == ["duplicates"]
    assert "--source" in complete("vellum", "run", "--so")
    assert {"pdfs", "web"} < set(complete("vellum", "run", "--source", ""))
    assert complete("vellum", "taxonomy", "cov") == ["coverage"]
    assert complete("vellum", "taxonomy", "evaluate", "--half", "") == ["development", "test"]
    assert "--question" in complete("vellum", "score", "--q")
    assert complete("vellum", "run", "--input", "pyproj") == ["pyproject.toml"]
    assert "docs" in complete("vellum", "card", "doc")


def test_where_an_extra_is_missing_its_commands_are_completed_by_name() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from pipelines.commands.vellum import main\n"
        "sys.exit(main(['completion', 'bash']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (names,) = [line for line in done.stdout.splitlines() if line.startswith("_shtab_vellum_subparsers=")]
    assert "serve" in names
    assert "--api-key" not in done.stdout
