"""What commands about a finished output share: their first argument and `--set`, and how mistakes are told."""

import argparse
import sys
from collections.abc import Callable

from filters.filter import FilterUnavailable
from pipelines.recipe import UsageError
from pipelines.storage import OutputError, Storage, StorageError
from pipelines.tables.manifest import MANIFEST, AccountingError

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def build_parser(prog: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with the output as its first argument.

    Args:
        examples: lines below "examples:", with `%(prog)s` for the command.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out", metavar="OUT", help="the output of a run: folder, gs://… or s3://…")
    return parser


def outcome(out: str, work: Callable[[Storage], None]) -> int:
    """Do the work of a command: 0 done, 1 failed, 2 wrong usage; what went wrong is printed as one sentence."""
    storage = Storage(out)
    try:
        work(storage)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except FileNotFoundError as error:
        if storage.exists(MANIFEST):
            print(f"error: the output is damaged: {error.filename or error} is missing", file=sys.stderr)
        else:
            print(f"error: {out} holds no {MANIFEST}; expected the output of a finished run", file=sys.stderr)
        return FAILED
    except (AccountingError, StorageError, OutputError, FilterUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return DONE
