"""`vellum verify OUT [--repair]`: is an output, with its staging folder, as it was written?

Files of the output are compared with the manifest, staged files with the digests that they have.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.commands.wording import counted
from pipelines.public_names import own_recipe
from pipelines.recipe import Recipe, UsageError
from pipelines.report import card
from pipelines.rewriting.refit import old_recipe
from pipelines.stages.input_files import InputFiles
from pipelines.stages.list_inputs import list_inputs
from pipelines.storage import STAGING, Storage, StorageError
from pipelines.storage.arrow_file import SUFFIX, read_checked
from pipelines.storage.digests import DIGESTS, are_whole
from pipelines.storage.errors import DamagedFile
from pipelines.tables.manifest import MANIFEST, AccountingError, read_manifest
from sources.base.synthetic import SyntheticSource
from sources.terminal import escaping

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PROG = "python -m pipelines.commands.verify"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s gs://bucket/v1 --repair"""
TABLES, DERIVED, STAGED = "tables", "derived", "staged"
TABLE_FOLDERS = ("data", "ledger", "errors")
STAGED_FOLDERS = ("parts", "scores", "scores_by_part", "conversations")  # Arrow files with digests
MIXED_FOLDERS = ("taxonomy", "converted")  # folders with a file of digests
COPY_BYTES = 1 << 20


class Damage(NamedTuple):
    """Something that is not as it was written.

    Args:
        kind: `tables`: a run makes it again, `derived`: made from the tables, `staged`: the next run does without.
        path: relative to the output.
    """

    kind: str
    path: str
    what: str


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Compare an output and its staging folder with the digests that were written with them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out", metavar="OUT", help="the output: folder, gs://… or s3://…")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="delete damaged files of the staging folder, make the card again, and run the recipe of the manifest "
        "again if data, ledger or errors are damaged",
    )
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 all is whole or was made so, 1 something is damaged, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    try:
        storage = Storage(args.out)
        manifest = read_manifest(storage)
        found = list(_shown(damages(storage, manifest)))
        if found and args.repair:
            repair(storage, manifest, found)
            found = list(_shown(damages(storage, read_manifest(storage))))
    except FileNotFoundError:
        print(f"error: {args.out} holds no {MANIFEST}; expected the output of a finished run", file=sys.stderr)
        return FAILED
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    except (StorageError, AccountingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    if found:
        print(f"{counted(len(found), 'file is', 'files are')} damaged", file=sys.stderr)
        return FAILED
    print(f"{storage.root} is whole: {len(manifest['files']):,} files of the manifest, and the staging folder")
    return DONE


def _shown(found: Iterator[Damage]) -> Iterator[Damage]:
    for damage in found:
        print(f"{damage.path}: {damage.what}", flush=True)
        yield damage


def damages(storage: Storage, manifest: Mapping[str, Any]) -> Iterator[Damage]:
    """Everything that is not as it was written, while it is found."""
    wanted = {entry["path"] for entry in manifest["files"]}
    for entry in manifest["files"]:
        if (what := _wrong_with(storage, entry)) is not None:
            yield Damage(TABLES, entry["path"], what)
    for folder in TABLE_FOLDERS:
        for path in storage.list(f"{folder}/"):
            if path not in wanted:
                yield Damage(TABLES, path, "is not in the manifest")
    for path in (card.README, card.CROISSANT, card.REPORT):
        if not storage.size_if_exists(path):
            yield Damage(DERIVED, path, "is missing or empty")
    yield from _staged(storage)


def _wrong_with(storage: Storage, entry: Mapping[str, Any]) -> str | None:
    size = storage.size_if_exists(entry["path"])
    if size is None:
        return "is missing"
    if size != entry["bytes"]:
        return f"has {size:,} bytes, expected {entry['bytes']:,}"
    digest = hashlib.sha256()
    with storage.open(entry["path"]) as file:
        while data := file.read(COPY_BYTES):
            digest.update(data)
    return None if digest.hexdigest() == entry["sha256"] else "does not have the digest of the manifest"


def _staged(storage: Storage) -> Iterator[Damage]:
    for folder in STAGED_FOLDERS:
        for path in storage.list(f"{STAGING}/{folder}/"):
            if path.endswith(SUFFIX):
                try:
                    read_checked(storage, path)
                except (DamagedFile, pa.ArrowException) as error:
                    yield Damage(STAGED, path, str(error).removeprefix(f"{storage.path(path)} "))
    for folder in MIXED_FOLDERS:
        paths = storage.list(f"{STAGING}/{folder}/")
        for parent in sorted({path.rpartition("/")[0] for path in paths}):
            if not are_whole(storage, parent):
                for path in paths:
                    if path.startswith(f"{parent}/"):
                        yield Damage(STAGED, path, f"does not have its digest in {DIGESTS}")


def repair(storage: Storage, manifest: Mapping[str, Any], found: Sequence[Damage]) -> None:
    """Delete damaged files of the staging folder, and make the others again.

    Raises:
        UsageError: the recipe cannot be run again as it was.
    """
    recipe = old_recipe(storage, manifest)
    kinds = {damage.kind for damage in found}
    with storage.lock():
        for damage in found:
            if damage.kind == STAGED:
                storage.delete(damage.path)
        if kinds == {DERIVED} or kinds == {DERIVED, STAGED}:
            card.export(storage)
    if TABLES not in kinds:
        return
    _check_inputs(recipe, storage, manifest["inputs"]["matched"])
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        path = Path(folder) / "recipe.yaml"
        path.write_text(json.dumps(own_recipe(storage, manifest)))
        command = [sys.executable, "-m", "pipelines.run", "--recipe", str(path), "--output", storage.root]
        subprocess.run(command, check=False)  # it says what it does, and the output is verified again
    if read_manifest(storage)["files"] != manifest["files"]:
        print("the run made other files than before: inputs or versions have changed")


def _check_inputs(recipe: Recipe, storage: Storage, num_matched: int) -> None:
    """Raise UsageError if another run would read other inputs: the manifest does not tell a `--limit`."""
    files = InputFiles(recipe, storage, 1)
    num_inputs = sum(
        1 if isinstance(source, SyntheticSource) else len(set(list_inputs(files, index)))
        for index, source in enumerate(recipe.sources)
    )
    if num_inputs != num_matched:
        raise UsageError(
            f"the recipe of the manifest names {num_inputs:,} inputs now, and the run read {num_matched:,}; "
            f"give the command of that run again"
        )


if __name__ == "__main__":
    sys.exit(main())
