"""`python -m taxonomy relabel OUT`: relabel a finished output in place: data, ledger, manifest, card and report."""

import argparse
import dataclasses
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.public_names import own_recipe, public_recipe, save_own_recipe
from pipelines.recipe import Recipe, UsageError
from pipelines.recipe_file import build_recipe
from pipelines.rewriting import swap
from pipelines.storage import Storage, StorageError
from pipelines.tables.labels import label_array
from pipelines.tables.manifest import (
    DATA_TABLES,
    MANIFEST,
    AccountingError,
    Shard,
    labels_section,
    paths,
    read_manifest,
)
from pipelines.tables.parquet import HashingFile, parquet_options, stores_pictures_once
from pipelines.taxonomy_files import load_labelling, local_taxonomy, pinned, publish_taxonomy
from sources.base.sample import LABEL, Message, Provenance, Sample
from sources.terminal import escaping
from taxonomy.instructions import WRITTEN_BY
from taxonomy.labelling import BY_CONSTRUCTION, HUMAN, NO_LABELLER, Label, SampleLabeller
from taxonomy.settings import LabelSettings
from taxonomy.targets import leaf_shares
from taxonomy.tree import UNLABELLED

PROG = "python -m taxonomy relabel"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s out --threshold 0.6
  %(prog)s out --taxonomy my_use_cases.yaml --corrections corrections.jsonl"""


def relabel(storage: Storage, settings: LabelSettings | None) -> dict[str, Any]:
    """Relabel an output. Returns its new manifest.

    Args:
        settings: None takes the settings in the output's recipe.

    Raises:
        UsageError: the taxonomy or the corrections cannot be used.
        FileNotFoundError: there is no finished output here.
        AccountingError, StorageError: the output is damaged, in use or cannot be written.
    """
    if not storage.exists(MANIFEST) and not swap.is_interrupted(storage):  # a lock would make the folder
        raise FileNotFoundError(storage.path(MANIFEST))
    with storage.lock() as lease:
        if swap.is_interrupted(storage):
            swap.commit(storage)
        manifest = read_manifest(storage)
        recipe = _recipe(storage, manifest, settings)
        publish_taxonomy(recipe, storage)
        folder = local_taxonomy(recipe, storage)
        assert folder is not None
        with swap.staging(storage):
            _stage(storage, manifest, recipe, load_labelling(recipe, Path(folder)))
        lease.check()
        return swap.commit(storage)


def _recipe(storage: Storage, manifest: Mapping[str, Any], settings: LabelSettings | None) -> Recipe:
    recipe = build_recipe(own_recipe(storage, manifest), "the output's recipe")
    if settings is not None:
        shares = recipe.taxonomy.shares if recipe.taxonomy else {}
        recipe = dataclasses.replace(recipe, taxonomy=dataclasses.replace(settings, shares=shares))
    elif recipe.taxonomy is None:
        recipe = dataclasses.replace(recipe, taxonomy=LabelSettings())
    return pinned(recipe)


def _stage(storage: Storage, manifest: dict[str, Any], recipe: Recipe, labelling: SampleLabeller) -> None:
    """Write all changed files and the journal to the staging folder."""
    given: dict[str, Label] = {}
    shards = []
    for table in (*DATA_TABLES, "ledger"):
        shards += [_rewrite(storage, path, table, labelling, given) for path in paths(manifest, table)]
    digests = {shard.path: shard for shard in shards}
    files = []
    for entry in manifest["files"]:
        shard = digests.get(entry["path"])
        files.append(entry if shard is None else {**entry, "bytes": shard.bytes, "sha256": shard.sha256})
    assert recipe.taxonomy is not None
    splits = {
        name: {"samples": split["samples"], "bytes": sum(f["bytes"] for f in files if f["table"] == name)}
        for name, split in manifest["splits"].items()
    }
    labels = labels_section(shards, leaf_shares(labelling.taxonomy, recipe.taxonomy.shares), recipe.taxonomy.samples)
    save_own_recipe(storage, recipe.to_json())
    changed = {"recipe": public_recipe(recipe.to_json()), "splits": splits, "labels": labels, "files": files}
    swap.decide(storage, {**manifest, **changed})


def _rewrite(storage: Storage, path: str, table: str, labelling: SampleLabeller, given: dict[str, Label]) -> Shard:
    """A shard with new labels, group by group; `given` collects the labels of kept samples for the ledger."""
    counts: Counter[str] = Counter()
    rows = 0
    with storage.open(path) as reader, storage.create(swap.staged(path)) as raw:
        source, file = pq.ParquetFile(reader), HashingFile(raw)
        schema = source.schema_arrow
        if "label" not in schema.names or schema.field("label").type != LABEL:
            raise UsageError("the output was made by an earlier version; run its recipe again to label it")
        options = parquet_options(schema, table, repeats_pictures=stores_pictures_once(source))
        with pq.ParquetWriter(file, schema, **options) as writer:
            for k in range(source.num_row_groups):
                group = source.read_row_group(k)
                if table == "ledger":
                    column = label_array(_of_ledger(group, given, labelling))
                else:
                    labels = _of_data(group, labelling)
                    given |= dict(zip(group["id"].to_pylist(), labels, strict=True))
                    counts.update(label.use_case for label in labels)
                    column = label_array(labels)
                group = group.set_column(schema.get_field_index("label"), schema.field("label"), column)
                writer.write_table(group, row_group_size=max(1, len(group)))
                rows += len(group)
    return Shard(path, table, rows, file.num_bytes, file.sha256(), tuple(sorted(counts.items())))


def _of_data(group: pa.Table, labelling: SampleLabeller) -> list[Label]:
    """New labels of rows of `data/`; what a source, a writer or a person said stays."""
    samples = []
    for row in group.select(["id", "source", "messages", "label"]).to_pylist():
        old = row["label"] or {}
        by = old.get("labeller") or ""
        stays = by == HUMAN or by.startswith((BY_CONSTRUCTION, WRITTEN_BY))
        samples.append(
            Sample(
                id=row["id"],
                source=row["source"],
                provenance=Provenance(locator="", digest=""),
                messages=None if row["messages"] is None else [Message(**m) for m in row["messages"]],
                use_case=old["use_case"] if stays else None,
                secondary=(old["secondary"] or "").split() if stays else (),
                labeller=by if stays else "",
            )
        )
    return labelling.label_samples(samples)


def _of_ledger(group: pa.Table, given: Mapping[str, Label], labelling: SampleLabeller) -> list[Label | None]:
    """New labels of rows of the ledger: of the sample if it was kept, else the old one by its present name.

    The text of a rejected sample is not in the output, so a model's label of it cannot be made again.
    """
    found: list[Label | None] = []
    for row in group.select(["id", "label"]).to_pylist():
        old = row["label"]
        if row["id"] in given:
            found.append(given[row["id"]])
        elif old is None:
            found.append(None)
        else:
            present = labelling.taxonomy.resolve(old["use_case"])
            by = old["labeller"] if present else NO_LABELLER
            found.append(Label(present or UNLABELLED, old["confidence"] if present else 0.0, by))
    return found


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Relabel a finished output in place.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out", metavar="OUT", help="the output: folder, gs://… or s3://…")
    parser.add_argument("--taxonomy", metavar="FILE", help="another taxonomy than the output's")
    parser.add_argument("--threshold", type=float, metavar="X", help="confidence below which a sample is unlabelled")
    parser.add_argument("--corrections", metavar="FILE", help="labels from a person, as `import` writes them")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    named = {"path": args.taxonomy, "threshold": args.threshold, "corrections": args.corrections}
    given = {name: value for name, value in named.items() if value is not None}
    try:
        settings = LabelSettings(**given) if given else None
        manifest = relabel(Storage(args.out), settings)
    except (UsageError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, AccountingError) else 2
    except FileNotFoundError:
        print(f"{args.out} holds no {MANIFEST}; expected the output of a finished run", file=sys.stderr)
        return 1
    except StorageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    counts = manifest["labels"]["counts"]
    total, unlabelled = sum(counts.values()), counts.get(UNLABELLED, 0)
    coverage = f"{prog.rpartition(' ')[0]} coverage {args.out}"
    print(f"{total:,} samples labelled, {unlabelled:,} of them {UNLABELLED}; see `{coverage}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
