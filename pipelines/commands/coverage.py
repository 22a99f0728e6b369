"""`python -m taxonomy coverage OUT`: counts and shares of every use case of an output against its targets."""

import argparse
import sys
from collections.abc import Sequence

from pipelines.report.presentation.coverage_chart import leaves_of
from pipelines.storage import Storage
from pipelines.tables.manifest import AccountingError, read_manifest
from taxonomy.coverage import describe
from taxonomy.tree import UNLABELLED


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m taxonomy coverage", description=__doc__, allow_abbrev=False)
    parser.add_argument("out", metavar="OUT", help="a finished output: folder, gs://… or s3://…")
    out = parser.parse_args(arguments).out
    try:
        manifest = read_manifest(Storage(out))
    except FileNotFoundError:
        print(f"{out} holds no manifest; expected the output folder of a finished run", file=sys.stderr)
        return 1
    except (AccountingError, OSError) as error:
        print(f"{out}: {error}", file=sys.stderr)
        return 1
    if "labels" not in manifest:
        print(f"{out} is not labelled; label it with `python -m taxonomy label {out}`", file=sys.stderr)
        return 1
    print(describe(leaves_of(manifest), manifest["labels"]["counts"].get(UNLABELLED, 0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
