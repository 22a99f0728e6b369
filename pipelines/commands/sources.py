"""`vellum sources`: the sources that recipes name, with their settings, types and defaults."""

import argparse
import sys
from collections.abc import Sequence

from pipelines.commands import listing
from pipelines.registry import SOURCES
from sources.terminal import escaping

PROG = "python -m pipelines.commands.sources"
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s pdfs
  %(prog)s --json"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    return listing.build_parser(prog, "source", EXAMPLES)


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command. Returns 0, or 2 for an unknown name."""
    return listing.run(SOURCES, "source", build_parser(prog).parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
