"""`vellum push OUT organisation/name`: a finished output as a data set on the Hugging Face hub."""

import argparse
import os
import sys
from collections.abc import Sequence

from pipelines.commands import finished_output
from pipelines.commands.installation import pip_install
from pipelines.commands.wording import counted, for_terminal
from pipelines.publishing.files import PublishedFile, damages, files_of, problems
from pipelines.recipe import UsageError
from pipelines.report.presentation.numbers import size
from pipelines.storage import OutputError, Storage
from pipelines.tables.manifest import read_manifest
from sources.terminal import escaping, raw

PROG = "python -m pipelines.commands.push"
TOKEN = "HF_TOKEN"
EXAMPLES = """\
examples:
  %(prog)s out my-organisation/pages --dry-run
  HF_TOKEN=… %(prog)s out my-organisation/pages
  HF_TOKEN=… %(prog)s gs://bucket/v1 my-organisation/pages --public"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    description = (
        "Publish a finished output as a data set on the Hugging Face hub: shards, ledger, errors, card, Croissant and "
        f"report. What is there already is not sent again. The token comes from the environment, in {TOKEN}."
    )
    parser = finished_output.build_parser(prog, description, EXAMPLES)
    parser.add_argument("repo", metavar="ORGANISATION/NAME", help="the data set; made if there is none")
    parser.add_argument(
        "--public", action="store_true", help="a new data set can be seen by everyone (default: private)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be sent, and problems of the card; send nothing"
    )
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    return finished_output.outcome(args.out, lambda storage: _push(storage, args))


def _push(storage: Storage, args: argparse.Namespace) -> None:
    manifest = read_manifest(storage)
    files = files_of(storage, manifest)
    broken = damages(files, manifest)
    if args.dry_run:
        _list(files)
    for sentence in problems(storage, files, manifest):
        print(f"problem: {for_terminal(sentence)}", file=sys.stdout if args.dry_run else sys.stderr)
    if broken:
        raise OutputError("; ".join(broken))
    if args.repo.count("/") != 1 or not all(args.repo.split("/")):
        raise UsageError(f"expected the name of a data set as organisation/name, got {args.repo!r}")
    token = os.environ.get(TOKEN, "").strip()
    if args.dry_run:
        visibility = "public" if args.public else "private"
        print(f"a new data set would be {visibility}: {args.repo}; nothing was sent")
        return
    if not token:
        raise UsageError(f"{TOKEN} is not set; put a token of the hub with the role `write` in this variable")
    _send(storage, files, args, token)


def _send(storage: Storage, files: Sequence[PublishedFile], args: argparse.Namespace, token: str) -> None:
    try:
        from pipelines.publishing.push import push
    except ModuleNotFoundError as error:
        raise UsageError(f"push needs {error.name}; install it with: {pip_install('hub')}") from error
    show = sys.stderr.isatty()

    def report(done: int, of: int) -> None:
        if show:
            end = "\n" if done == of else ""
            print(f"\r{size(done)} of {size(of)} sent\x1b[K", end=end, file=raw(sys.stderr), flush=True)

    done = push(
        storage,
        files,
        args.repo,
        token=token,
        endpoint=os.environ.get("HF_ENDPOINT") or None,
        private=not args.public,
        report=report,
    )
    sent = f"{counted(done.num_sent, 'file')} sent in {counted(done.num_commits, 'commit')}"
    print(f"{sent}, {done.num_there:,} were there, {done.num_removed:,} of an older version removed: {done.uri}")


def _list(files: Sequence[PublishedFile]) -> None:
    for file in files:
        print(f"{size(file.size):>10}  {for_terminal(file.path)}")
    print(f"{size(sum(file.size for file in files)):>10}  {counted(len(files), 'file')}")


if __name__ == "__main__":
    sys.exit(main())
