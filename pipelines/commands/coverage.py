"""`python -m taxonomy coverage OUT`: counts and shares of every use case of an output against its targets."""

import argparse
import sys
from collections.abc import Sequence

from pipelines.report.presentation.coverage_chart import leaves_of
from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError, read_manifest
from sources.terminal import escaping
from taxonomy.coverage import describe
from taxonomy.tree import UNLABELLED

PROG = "python -m taxonomy coverage"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s gs://bucket/v1"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print how many samples every use case of an output has against its target, gaps first.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out", metavar="OUT", help="a finished output: folder, gs://… or s3://…")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed."""
    out = build_parser(prog).parse_args(arguments).out
    try:
        manifest = read_manifest(Storage(out))
    except FileNotFoundError:
        print(f"{out} holds no manifest; expected the output folder of a finished run", file=sys.stderr)
        return 1
    except (AccountingError, OSError) as error:
        print(f"{out}: {error}", file=sys.stderr)
        return 1
    if "labels" not in manifest:
        print(f"{out} is not labelled; label it with `{prog.rpartition(' ')[0]} relabel {out}`", file=sys.stderr)
        return 1
    print(describe(leaves_of(manifest), manifest["labels"]["counts"].get(UNLABELLED, 0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
