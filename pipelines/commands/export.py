"""`vellum export OUT DEST --format trl`: the samples of a finished output as a trainer wants them."""

import argparse
import sys
from collections.abc import Sequence

from pipelines.commands import finished_output
from pipelines.commands.wording import counted
from pipelines.export.formats import FORMATS
from pipelines.export.job import Exported, export
from pipelines.storage import Storage
from sources.terminal import escaping, raw

PROG = "python -m pipelines.commands.export"
EXAMPLES = """\
examples:
  %(prog)s out for-trl --format trl
  %(prog)s out shards --format webdataset --where 'language == "en" and num_images > 0'
  %(prog)s gs://bucket/v1 gs://bucket/v1-swift --format ms-swift --prompt 'Read the page.'"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    formats = "\n".join(f"  {name:14} {cls.about}" for name, cls in FORMATS.items())
    description = f"Write the samples of a finished output in the layout of a trainer:\n\n{formats}"
    parser = finished_output.build_parser(prog, description, EXAMPLES)
    parser.add_argument("dest", metavar="DEST", help="a new folder or bucket prefix; the same command goes on with it")
    parser.add_argument("--format", required=True, choices=list(FORMATS), help="the layout")
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help="only samples for which this is true, e.g. 'language == \"en\" and min_words >= 50': columns, scores, and "
        "what the ledger knows",
    )
    parser.add_argument(
        "--prompt",
        default="",
        metavar="TEXT",
        help="for trainers, the question before a sample's text; without it, the question is the image alone",
    )
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    return finished_output.outcome(args.out, lambda output: _export(output, args))


def _export(output: Storage, args: argparse.Namespace) -> None:
    target = Storage(args.dest)
    layout = FORMATS[args.format](prompt=args.prompt)
    show = sys.stderr.isatty()

    def report(done: int, of: int) -> None:
        if show:
            print(f"\r{done:,} of {counted(of, 'shard')}", end="", file=raw(sys.stderr), flush=True)

    done = export(output, target, layout, where=args.where, report=report)
    if show:
        print("\r\x1b[K", end="", file=raw(sys.stderr))
    _print(done, target.root)
    if done.num_samples and (step := layout.next_step(done.name, args.dest, done.files)):
        print(f"read it with: {step}")


def _print(done: Exported, place: str) -> None:
    files = counted(len(done.files), "file")
    print(f"{counted(done.num_samples, 'sample')} of {counted(done.num_chosen, 'chosen one')} in {files}: {place}")
    for reason, number in sorted(done.left_out.items()):
        print(f"  left out, {reason}: {counted(number, 'sample')}")
    if done.num_made < done.num_shards:
        print(f"{counted(done.num_shards - done.num_made, 'shard')} had been exported before")


if __name__ == "__main__":
    sys.exit(main())
