"""The `vellum` command: what it imports, how it ends, and what it says to a mistake."""

import importlib
import importlib.metadata
import os
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.commands import vellum
from pipelines.commands.vellum import COMMANDS, STOPPED, WRONG_USAGE, Command, main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, **options: object) -> "subprocess.CompletedProcess[str]":
    settings: dict[str, object] = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run([sys.executable, "-c", code], **settings)


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., int]], None]:
    """Register a function as the command `trial`."""

    def register(run: Callable[..., int]) -> None:
        module = types.ModuleType("trial_command")
        module.main = run
        monkeypatch.setitem(sys.modules, "trial_command", module)
        monkeypatch.setattr(vellum, "COMMANDS", {**COMMANDS, "trial": Command("trial_command", "a trial")})

    return register


def test_the_installed_command_is_this_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    module, _, function = project["scripts"]["vellum"].partition(":")
    assert getattr(importlib.import_module(module), function) is main


def test_help_imports_nothing_that_takes_long() -> None:
    heavy = ("apache_beam", "importlib.metadata", "numpy", "pyarrow", "pydantic", "rich", "torch", "yaml")
    code = (
        "import sys\n"
        "from pipelines.commands.vellum import main\n"
        "try: main(['--help'])\n"
        f"finally: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = python(code)
    assert done.returncode == 0
    assert done.stderr == "[]\n"
    assert all(f"\n    {name}" in done.stdout for name in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"vellum {importlib.metadata.version('vellum-vl')}\n"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == WRONG_USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("usage: vellum ")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("rnu", "did you mean 'run'?"), ("duplicate", "did you mean 'duplicates'?"), ("xyz", "run, card")],
)
def test_an_unknown_command_suggests_the_nearest(word: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word, "--help"]) == WRONG_USAGE
    sentence = capsys.readouterr().err
    assert sentence.startswith(f"vellum: error: unknown command '{word}'; ")
    assert hint in sentence
    assert sentence.count("\n") == 1


def test_arguments_and_exit_code_are_passed_on(add: Callable[..., None]) -> None:
    calls = []

    def run(arguments: list[str], prog: str) -> int:
        calls.append((arguments, prog))
        return 7

    add(run)
    assert main(["trial", "--help", "x", "--", "-y"]) == 7
    assert calls == [(["--help", "x", "--", "-y"], "vellum trial")]


def test_a_mistake_has_the_modules_own_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(tmp_path)]) == 2
    assert main(["taxonomy", "coverage", str(tmp_path)]) == 1
    assert main(["run", "--source", "pdfs", "--runer", "x"]) == 2
    assert "did you mean --runner?" in capsys.readouterr().err


def test_ctrl_c_ends_with_130(add: Callable[..., None]) -> None:
    def run(arguments: list[str], prog: str) -> int:
        raise KeyboardInterrupt

    add(run)
    assert main(["trial"]) == STOPPED


@pytest.mark.parametrize("words", [["--help"], ["taxonomy", "show"], ["taxonomy", "show", "--help"], ["doctor", "-h"]])
def test_a_reader_that_has_enough_is_no_error(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code = f"import sys; from pipelines.commands.vellum import main; sys.exit(main({words}))"
        environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # what is short is written when the process ends
        done = python(code, capture_output=False, stdout=writing, stderr=subprocess.PIPE, env=environment)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_broken_pipe_is_an_error(add: Callable[..., None], capfd: pytest.CaptureFixture[str]) -> None:
    def run(arguments: list[str], prog: str) -> int:
        raise BrokenPipeError("of a process that died")

    add(run)
    with pytest.raises(BrokenPipeError):
        main(["trial"])


@pytest.mark.parametrize(("command", "extra"), [("chat", "model"), ("serve", "serve")])
def test_a_missing_extra_is_named_with_the_command_that_brings_it(command: str, extra: str) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from pipelines.commands.vellum import main\n"
        f"sys.exit(main(['{command}', '--help']))"
    )
    done = python(code)
    assert done.returncode == WRONG_USAGE
    assert done.stderr.startswith(f"error: vellum {command} needs torch, which is not installed; install it with: ")
    assert f"[{extra}]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_module_of_our_own_is_not_explained_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vellum, "COMMANDS", {"trial": Command("pipelines.no_such_module", "a trial", extra="model")})
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        main(["trial"])


def test_run_does_what_the_module_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--source", "pdfs", "--output", str(tmp_path / "out"), "--dry-run"]
    assert main(["run", *words]) == 0
    printed = capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.run", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == printed
    assert "pdfs" in printed
