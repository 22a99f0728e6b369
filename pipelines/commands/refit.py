"""`python -m pipelines.refit OUT --set axis.threshold=0.7`: other thresholds for a finished output.

No input is read and no score is computed. The new version has the bytes that a run with the same settings would write.
"""

import argparse
import time
from collections.abc import Sequence

from pipelines.commands import finished_output
from pipelines.overrides import apply_setting
from pipelines.recipe import Recipe, UsageError
from pipelines.recipe_file import build_recipe
from pipelines.rewriting import swap
from pipelines.rewriting.refit import Change, obstacle_of, old_recipe, plan, refit
from pipelines.storage import Storage
from pipelines.tables.bounds import Bound, bounds_of
from pipelines.tables.manifest import read_manifest
from sources.terminal import escaping

PROG = "python -m pipelines.refit"
EXAMPLES = """\
examples:
  %(prog)s out --set text_length.min_chars=600 --dry-run
  %(prog)s out --set text_length.min_chars=600 --set dedupe.radius=16
  %(prog)s gs://bucket/v1 --set ocr_agreement.threshold=0.9"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    description = "Apply other thresholds to a finished output, from its kept scores: no input is read again."
    parser = finished_output.build_parser(prog, description, EXAMPLES)
    parser.add_argument(
        "--set",
        action="append",
        required=True,
        metavar="KEY=VALUE",
        help="a threshold (as for `run`, or SCORE.threshold=VALUE), a `keep` list, or a setting of dedupe, output or "
        "taxonomy.samples",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    return finished_output.outcome(args.out, lambda storage: _refit(storage, args))


def _refit(storage: Storage, args: argparse.Namespace) -> None:
    started = time.monotonic()
    if args.dry_run:
        _print(plan(storage, new_recipe(storage, args.set)))
        return
    with storage.lock() as lease:
        if swap.is_interrupted(storage):
            swap.commit(storage)
            print("an earlier change was interrupted; it has been finished first")
        change = refit(storage, new_recipe(storage, args.set))
        lease.check()
        swap.commit(storage)
    _print(change)
    print(f"{time.monotonic() - started:,.1f} s; no input was read")
    for what, path in (("data", "data"), ("card", "README.md"), ("report", "report/index.html")):
        print(f"{what + ':':8}{storage.path(path)}")


def new_recipe(storage: Storage, settings: Sequence[str]) -> Recipe:
    """The recipe of an output with settings changed. Raises UsageError, AccountingError, FileNotFoundError."""
    content = old_recipe(storage, read_manifest(storage)).to_json()
    bounds = bounds_of(content)
    for setting in settings:
        apply_setting(content, _of_filter(setting, bounds))
    return build_recipe(content, "the command line")


def _of_filter(setting: str, bounds: Sequence[Bound]) -> str:
    """`score.threshold=0.7` as the setting of the filter that bounds the score; any other setting as it is."""
    key, equals, value = setting.partition("=")
    score, _, name = key.strip().rpartition(".")
    found = [f"{bound.filter}.{bound.setting}" for bound in bounds if bound.score == score and name == "threshold"]
    if len(found) > 1:
        raise UsageError(f"--set {key.strip()} could mean {' or '.join(found)}")
    return f"{found[0]}{equals}{value}" if found else setting


def _print(change: Change) -> None:
    gone = change.kept_before + change.num_new - change.kept
    print(f"{change.kept_before:,} samples kept before, {change.kept:,} now: {gone:,} leave, {change.num_new:,} come")
    for (before, now), number in sorted(change.moves.items(), key=lambda entry: (-entry[1], entry[0])):
        print(f"  {number:,} {before} → {now}")
    if (obstacle := obstacle_of(change)) is not None:
        print(f"it cannot be done: {obstacle}")
    if change.no_picture:
        print(f"{change.no_picture:,} samples of the report have no picture: .staging/ is not there to draw it from")
