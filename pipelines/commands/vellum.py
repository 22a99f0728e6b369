"""`vellum COMMAND …`: one name for all commands, each a module that is imported only when it is called.

A command's module has two functions. `build_parser(prog)` returns its parser; `prog` is the name in its usage, errors
and examples. `main(arguments, prog)` runs it and returns the exit code. The module can also be run by itself, with
`python -m`, and is then called by that name.
"""

import argparse
import difflib
import importlib
import os
import select
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DONE, WRONG_USAGE, STOPPED = 0, 2, 130
EXAMPLES = """\
examples:
  %(prog)s run --source pdfs
  %(prog)s run --source pdfs --input 'papers/**/*.pdf' --output papers
  %(prog)s doctor"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the module that carries it out.

    Args:
        module: has `main` and `build_parser`.
        about: one line for `vellum --help`.
        extra: optional dependencies without which the module cannot be imported.
    """

    module: str
    about: str
    extra: str | None = None


COMMANDS: Mapping[str, Command] = {
    "run": Command("pipelines.run", "turn inputs into training shards with a card and a report"),
    "card": Command("pipelines.report.card", "make an output's card, Croissant file and report again"),
    "refit": Command("pipelines.commands.refit", "apply other thresholds to an output, without reading its inputs"),
    "verify": Command("pipelines.commands.verify", "compare an output with its digests, and mend what is damaged"),
    "export": Command("pipelines.commands.export", "write an output's samples in the layout of a trainer"),
    "push": Command("pipelines.commands.push", "publish an output as a data set on the Hugging Face hub"),
    "duplicates": Command("pipelines.commands.duplicates", "print the groups of duplicates in an output or a folder"),
    "taxonomy": Command("taxonomy.commands", "check, show, compare and use the taxonomy of use cases"),
    "chat": Command("deepseek_vl.chat", "talk with a model about images", extra="model"),
    "serve": Command("deepseek_vl.serve.__main__", "serve a model: chat, scores, a web page", extra="serve"),
    "score": Command("deepseek_vl.score", "score images by questions to a model", extra="model"),
    "train": Command("deepseek_vl.train.__main__", "train a model on outputs of the pipeline", extra="model"),
    "evaluate": Command("deepseek_vl.evaluate.__main__", "evaluate models on tasks in local files", extra="model"),
    "convert": Command("deepseek_vl.convert", "write a model's checkpoint in the other layout", extra="model"),
    "sources": Command("pipelines.commands.sources", "list the sources with their settings"),
    "filters": Command("pipelines.commands.filters", "list the filters with their settings"),
    "doctor": Command("pipelines.commands.doctor", "say what is installed, what is missing, and how to get it"),
    "completion": Command("pipelines.commands.completion", "print a script that completes these commands in a shell"),
}


def main(arguments: Sequence[str] | None = None, prog: str = "vellum") -> int:
    """Run a command. Returns its exit code; 2 for wrong usage, 130 if it was stopped by Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            return _run(words, prog)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        if not _is_output_closed():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _run(words: Sequence[str], prog: str) -> int:
    if not words:
        build_parser(prog).print_help(sys.stderr)
        return WRONG_USAGE
    if words[0].startswith("-"):
        build_parser(prog).parse_args(words)
        return DONE
    command = COMMANDS.get(words[0])
    if command is None:
        close = difflib.get_close_matches(words[0], COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(COMMANDS)}"
        print(f"{prog}: error: unknown command {words[0]!r}; {hint}", file=sys.stderr)
        return WRONG_USAGE
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as error:
        from pipelines.commands.installation import PACKAGES, pip_install

        if command.extra is None or error.name is None or error.name.partition(".")[0] in PACKAGES:
            raise
        need = f"error: {prog} {words[0]} needs {error.name}, which is not installed"
        print(f"{need}; install it with: {pip_install(command.extra)}", file=sys.stderr)
        return WRONG_USAGE
    code: int = module.main(words[1:], prog=f"{prog} {words[0]}")
    return code


def _is_output_closed() -> bool:
    """Return True if the reader of the standard output has closed it, as `… | head` does."""
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poller.poll(0))


def build_parser(prog: str = "vellum") -> argparse.ArgumentParser:
    """The parser of `vellum` itself, which knows the commands by their names only."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Build training data for vision-language models, and use the models on it.",
        epilog=f"`%(prog)s COMMAND --help` explains a command.\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.about, add_help=False)
    return parser


class _Version(argparse.Action):
    """Prints the version; looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None):
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from pipelines.commands.installation import version

        print(f"vellum {version()}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main(prog="python -m pipelines.commands.vellum"))
