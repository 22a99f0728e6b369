"""`vellum completion SHELL`: a script with which a shell completes commands, options, choices and file names.

The script is made once, from the parsers of all commands; no Python runs while the user types.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

import shtab

from pipelines.commands import vellum
from sources.terminal import escaping

DONE = 0
PROG = "python -m pipelines.commands.completion"
EXAMPLES = """\
examples:
  %(prog)s bash > ~/.local/share/bash-completion/completions/vellum
  %(prog)s zsh > /usr/local/share/zsh/site-functions/_vellum"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Print the script with which a shell completes `vellum` commands; a new shell reads it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command. Returns 0."""
    shell = build_parser(prog).parse_args(arguments).shell
    print(shtab.complete(_all_parsers(), shell))
    return DONE


def _all_parsers() -> argparse.ArgumentParser:
    """A parser of `vellum` that knows every command that can be imported here whole, and of the others the name."""
    parser = argparse.ArgumentParser(prog="vellum")
    commands = parser.add_subparsers()
    for name, command in vellum.COMMANDS.items():
        parents = []
        try:
            parents.append(importlib.import_module(command.module).build_parser(f"vellum {name}"))
        except ModuleNotFoundError:
            if command.extra is None:
                raise
        commands.add_parser(name, parents=parents, help=command.about, add_help=False)
        for action in parents[0]._actions if parents else []:
            if not action.choices and action.nargs != 0:
                vars(action)["complete"] = shtab.FILE  # without a list of choices, the word may be a file
    return parser


if __name__ == "__main__":
    sys.exit(main())
