"""`python -m taxonomy export OUT`: an output's samples as Label Studio tasks, the least sure first."""

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipelines.public_names import own_recipe
from pipelines.recipe_file import build_recipe
from pipelines.storage import Storage
from pipelines.tables.manifest import DATA_TABLES, AccountingError, paths, read_manifest
from pipelines.tables.thumbnail import thumbnail
from pipelines.taxonomy_files import load_labelling, local_taxonomy
from sources.base.marks import without_images
from sources.base.sample import Message
from sources.terminal import escaping
from taxonomy.label_studio import MAX_TASKS, ReviewItem, tasks
from taxonomy.labeller import Query
from taxonomy.labelling import HUMAN, SampleLabeller
from taxonomy.prompts import user_turns

BATCH_ROWS = 2_000
PICTURE_ROWS = 64
PROG = "python -m taxonomy export"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s out --tasks review.json --limit 200"""
ANSWER_CHARS = 2_000  # of an answer are shown
PICTURE_PX = 1_024  # longest side of a picture in a task; text on a page can be read


def add_pictures(storage: Storage, found: Sequence[dict[str, Any]]) -> None:
    """Put the pictures of the samples of tasks into these, as data URLs, so that a task needs no other file."""
    waiting = {task["data"]["id"]: task["data"] for task in found}
    manifest = read_manifest(storage)
    for table in DATA_TABLES:
        for path in paths(manifest, table):
            with storage.open(path) as file:
                for batch in pq.ParquetFile(file).iter_batches(PICTURE_ROWS, columns=["id", "images"]):
                    for k, sample_id in enumerate(batch["id"].to_pylist()):
                        if sample_id in waiting:
                            pictures = batch["images"][k].as_py()
                            waiting[sample_id]["images"] = [_data_url(picture["bytes"]) for picture in pictures]


def _data_url(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(thumbnail(data, PICTURE_PX)).decode()


def reviewed(storage: Storage) -> Iterator[ReviewItem]:
    """Every sample with a user turn, with its label and what the labeller makes of its words.

    Samples that a person labelled are left out. A margin below 0 is a disagreement: the labeller finds another leaf
    than the one the sample has by construction.

    Raises:
        FileNotFoundError: there is no finished output, or it was not labelled by this version.
        AccountingError: the manifest is damaged.
    """
    manifest = read_manifest(storage)
    recipe = build_recipe(own_recipe(storage, manifest), "the output's recipe")
    folder = local_taxonomy(recipe, storage)
    if folder is None:
        raise FileNotFoundError("the output is not labelled")
    labelling = load_labelling(recipe, Path(folder))
    for table in DATA_TABLES:
        for path in paths(manifest, table):
            with storage.open(path) as file:
                for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["id", "messages", "label"]):
                    yield from _of_rows(batch.to_pylist(), labelling)


def _of_rows(rows: Sequence[dict[str, Any]], labelling: SampleLabeller) -> Iterator[ReviewItem]:
    leaves = list(labelling.taxonomy.leaves)
    asked = []
    for row in rows:
        turns = user_turns([Message(**m) for m in row["messages"] or ()])
        if turns and row["label"] is not None and row["label"]["labeller"] != HUMAN:
            asked.append((row, turns[0]))
    if not asked:
        return
    probabilities = labelling.probabilities([Query(turn) for _, turn in asked])
    for (row, turn), chances in zip(asked, probabilities, strict=True):
        label = row["label"]
        own = leaves.index(label["use_case"]) if label["use_case"] in leaves else -1
        others = chances.copy()
        if own >= 0:
            others[own] = -1
        second = int(np.argmax(others))
        confidence = float(chances[own]) if own >= 0 else 0.0
        answer = next((m["content"] for m in row["messages"] if m["role"] == "assistant"), "")
        yield ReviewItem(
            sample_id=row["id"],
            prompt=turn,
            answer=without_images(answer)[:ANSWER_CHARS],
            use_case=label["use_case"],
            confidence=label["confidence"],
            labeller=label["labeller"],
            runner_up=leaves[second],
            margin=round(confidence - float(others[second]), 6),
        )


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write an output's samples as Label Studio tasks, the least sure first.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out", metavar="OUT", help="a labelled output: folder, gs://… or s3://…")
    parser.add_argument("--tasks", type=Path, default=Path("tasks.json"), metavar="FILE", help="written (tasks.json)")
    parser.add_argument("--limit", type=int, default=MAX_TASKS, metavar="N", help=f"at most this many ({MAX_TASKS:,})")
    parser.add_argument("--no-pictures", action="store_true", help="leave the pictures out: about 100 KB a task")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed."""
    args = build_parser(prog).parse_args(arguments)
    try:
        storage = Storage(args.out)
        found = tasks(reviewed(storage), args.limit)
        if not args.no_pictures:
            add_pictures(storage, found)
        args.tasks.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    except FileNotFoundError:
        print(f"{args.out} holds no labelled output; expected the output folder of a finished run", file=sys.stderr)
        return 1
    except (AccountingError, OSError) as error:
        print(f"{args.out}: {error}", file=sys.stderr)
        return 1
    print(f"{len(found):,} tasks, the least sure first: {args.tasks}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
