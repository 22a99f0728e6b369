"""Every `--help`, under every name it is called by, ends with examples that its own parser accepts."""

import argparse
import importlib
import runpy
import shlex
from collections.abc import Callable, Sequence

import pytest

from pipelines.commands import vellum
from pipelines.run import _check_beam_arguments, recipe_of
from taxonomy.commands import EXAMPLES_OF, PIPELINE_COMMANDS

pytestmark = pytest.mark.slow

TAXONOMY = (*EXAMPLES_OF, *PIPELINE_COMMANDS)
MODULES = (
    "pipelines.run",
    "pipelines.card",
    "pipelines.duplicates",
    "pipelines.commands.completion",
    "pipelines.commands.doctor",
    "pipelines.commands.vellum",
    "taxonomy",
    "deepseek_vl.chat",
    "deepseek_vl.convert",
    "deepseek_vl.evaluate",
    "deepseek_vl.score",
    "deepseek_vl.serve",
    "deepseek_vl.train",
)
# Command lines without `--help`.
CALLS = [
    "vellum",
    *(f"vellum {name}" for name in vellum.COMMANDS),
    *(f"vellum taxonomy {name}" for name in TAXONOMY),
    *(f"python -m {name}" for name in MODULES),
    *(f"python -m taxonomy {name}" for name in TAXONOMY),
]


def help_of(call: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Print the help and return its text; the exit code must be 0."""
    words = [*shlex.split(call), "--help"]
    if words[0] == "vellum":
        with pytest.raises(SystemExit) as ended:
            vellum.main(words[1:])
    else:
        monkeypatch.setattr("sys.argv", ["as python sets it", *words[3:]])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    return capsys.readouterr().out


def examples_in(text: str) -> list[str]:
    """The lines under `examples:`, which must be the last of the text."""
    before, heading, after = text.partition("\nexamples:\n")
    assert heading, before
    lines = after.rstrip("\n").split("\n")
    assert all(line.startswith("  ") and line.strip() for line in lines), after
    return [line.strip() for line in lines]


def parse(words: Sequence[str], prog: str) -> argparse.Namespace:
    """Parse what comes after `vellum` as the command would. Ends the test if the parser refuses it."""
    name, rest = words[0], words[1:]
    if name == "taxonomy" and rest[0] in PIPELINE_COMMANDS:
        module = importlib.import_module(PIPELINE_COMMANDS[rest[0]])
        return module.build_parser(f"{prog} {rest[0]}").parse_args(rest[1:])
    parser = importlib.import_module(vellum.COMMANDS[name].module).build_parser(prog)
    if name == "run":
        args, beam_arguments = parser.parse_known_args(rest)
        _check_beam_arguments(beam_arguments)
        if args.recipe is None:
            recipe_of(args)  # the settings of --set are right
        return args
    accept: Callable[[Sequence[str]], argparse.Namespace]
    accept = parser.parse_intermixed_args if name == "score" else parser.parse_args
    return accept(rest)


def module_of(prefix: Sequence[str]) -> str:
    """The module that `python -m` runs for the beginning of a command line."""
    return prefix[2] if prefix[0] == "python" else vellum.COMMANDS[prefix[1]].module.removesuffix(".__main__")


def without_shell(line: str) -> list[str]:
    """The words of a command line, without variables before it and redirections after it."""
    words = shlex.split(line)
    while "=" in words[0]:
        words = words[1:]
    for sign in (">", "<"):
        words = words[: words.index(sign)] if sign in words else words
    return words


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")  # runpy finds them imported by others
@pytest.mark.parametrize("call", CALLS)
def test_help_ends_with_examples_that_can_be_typed(
    call: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = help_of(call, capsys, monkeypatch)
    usage = " ".join(text.partition("\n\n")[0].split())
    assert usage.startswith(f"usage: {call} ")
    examples = examples_in(text)
    assert (1 if call.endswith("taxonomy schema") else 2) <= len(examples) <= 4
    for line in examples:
        words = without_shell(line)
        prefix = shlex.split(call)
        if words[0] == "torchrun":  # starts the module of the command once per GPU
            place = words.index("-m")
            assert words[place + 1] == module_of(prefix), line
            words = [*prefix, *words[place + 2 :]]
        assert words[: len(prefix)] == prefix, line
        if prefix[0] == "vellum" or prefix[2] == "pipelines.commands.vellum":
            rest = words[1:] if prefix[0] == "vellum" else words[3:]
            parse(rest, "vellum")
        else:
            parse([prefix[2].rpartition(".")[2], *words[3:]], " ".join(prefix[:3]))


def test_usage_errors_say_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["card"], ["taxonomy", "diff"], ["taxonomy", "coverage"], ["duplicates"], ["chat"]):
        with pytest.raises(SystemExit) as ended:
            vellum.main(words)
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith(f"usage: vellum {' '.join(words)} ")
