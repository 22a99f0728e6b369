"""The reader process: opens untrusted files, writes parts and scores. It may be killed at any moment.

It answers its parent's requests (`pipelines/workers/protocol.py`). It imports no Beam, and so it starts in half a
second.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from filters.filter import Filter
from pipelines.duplicates.contamination import NgramIndex, texts_of
from pipelines.duplicates.fingerprint import fingerprints, to_arrow
from pipelines.recipe import Recipe, build_recipe
from pipelines.storage.arrow_file import read_local, write_table
from pipelines.tables.composition import composition_columns
from pipelines.tables.labels import labelled
from pipelines.tables.scores import ERRORS_KEY, REPLACED_KEY
from pipelines.taxonomy_files import load_labelling
from pipelines.workers.evaluation_items import read_collection
from pipelines.workers.instruct import conversations
from pipelines.workers.protocol import Parent, limit_memory
from sources.base.remote import RemoteSource
from sources.base.sample import Sample, from_part, to_part
from sources.base.source import InputError, ItemError, Source
from sources.base.synthetic import REPLACED, SyntheticSource
from taxonomy.labelling import SampleLabeller


def main() -> None:
    parent = Parent()
    recipe = build_recipe(parent.settings())
    limit_memory(recipe.limits.memory_mb)
    parent.ready(grace_s=int(2 * recipe.limits.item_timeout_s) + 10)
    for request in parent.requests():
        try:
            parent.send(done=_answer(recipe, request, parent.send))
        except InputError as error:
            parent.send(failed={"cause": error.cause, "message": _without_path(error.message, request)})
        except MemoryError:
            parent.send(
                failed={
                    "cause": "out_of_memory",
                    "message": "the file needs more memory than limits.memory_mb allows",
                }
            )
        except OSError as error:  # writing the part failed: the output's fault, not the input's
            parent.send(fatal=f"{error.strerror or error}")


def _answer(recipe: Recipe, request: dict[str, Any], send: Any) -> dict[str, Any]:
    if request["task"] == "inspect":
        send(item=-1)
        contents = recipe.sources[request["source"]].inspect(Path(request["path"]))
        return {"digest": contents.digest, "num_items": contents.num_items}
    if request["task"] == "fetch":
        fetched = recipe.sources[request["source"]]
        assert isinstance(fetched, RemoteSource)
        fetched.fetch(
            Path(request["path"]),
            Path(request["scratch"]),
            retry_failed=request["retry_failed"],
            save=lambda path: send(news={"file": path.name}),
            beat=lambda num_items: send(news={"items_fetched": num_items}),
        )
        return {}
    if request["task"] == "collection":
        send(item=-1)
        write_table(read_collection(Path(request["path"]), request["name"]), Path(request["out"]))
        return {}
    if request["task"] == "leaks":
        send(item=-1)
        runs = NgramIndex(Path(request["runs"]))
        items = [runs.item_of(text) for text in texts_of(read_local(Path(request["part"])))]
        return {"hits": [[row, item] for row, item in enumerate(items) if item is not None]}
    if request["task"] == "gather":
        send(item=-1)
        source = recipe.sources[request["source"]]
        assert isinstance(source, SyntheticSource)
        path, out = Path(request["path"]), Path(request["out"])
        return {"dropped": source.gather(path, request["name"], out, lambda: send(item=-1))}
    if request["task"] == "read":
        samples, errors = _read(recipe.sources[request["source"]], request, send)
    else:
        assert request["task"] == "score"
        part = read_local(Path(request["part"]))
        samples, errors = from_part(part), part.schema.metadata[ERRORS_KEY]
    send(item=-1)
    scores = _scores(samples, recipe.filters_while_reading())
    if request.get("taxonomy"):
        labelling = _labelling(json.dumps(recipe.to_json()), request["taxonomy"])
        if recipe.instructions is None:
            scores = labelled(scores, samples, labelling)
        else:
            scores, made = conversations(scores, samples, labelling, recipe)
            write_table(pa.Table.from_batches([to_part(made)]), Path(request["rows"]))
    metadata = {ERRORS_KEY: errors, REPLACED_KEY: json.dumps(_replaced(samples), sort_keys=True).encode()}
    write_table(scores.replace_schema_metadata(metadata), Path(request["scores"]))
    return {}


def _replaced(samples: Sequence[Sample]) -> dict[str, int]:
    """What was given up while the samples were made, by reason."""
    counts: Counter[str] = Counter()
    for sample in samples:
        for name, count in sample.measures.items():
            if name.startswith(REPLACED):
                counts[name.removeprefix(REPLACED)] += round(count)
    return dict(counts)


@cache
def _labelling(recipe: str, folder: str) -> SampleLabeller:
    return load_labelling(build_recipe(json.loads(recipe)), Path(folder))


def _read(source: Source, request: dict[str, Any], send: Any) -> tuple[list[Sample], bytes]:
    """The unit's samples, after writing its part, and its errors as JSON."""
    given_up = {int(item): error for item, error in request["given_up"].items()}
    samples: list[Sample] = []
    errors: list[ItemError] = []
    wanted = range(request["first"], request["last"])
    for items in _runs(wanted, given_up):
        for item, outcome in source.read(Path(request["path"]), request["digest"], items):
            if outcome is None:
                send(item=item)
            elif isinstance(outcome, Sample):
                samples.append(outcome)
            else:
                message = _without_path(outcome.message, request)
                errors.append(dataclasses.replace(outcome, message=message))
    errors += [ItemError(item=item, **error) for item, error in given_up.items()]
    rows = [[e.item, e.cause, e.message, e.uri] for e in sorted(errors, key=lambda e: e.item)]
    errors_json = json.dumps(rows, ensure_ascii=False).encode()
    part = pa.Table.from_batches([to_part(samples)])
    write_table(part.replace_schema_metadata({ERRORS_KEY: errors_json}), Path(request["part"]))
    return samples, errors_json


def _without_path(message: str, request: dict[str, Any]) -> str:
    """Libraries name the file they failed on, which may be a temporary copy that no other run has."""
    path = request.get("path")
    return message.replace(f"'{path}'", "the file").replace(path, "the file") if path else message


def _runs(wanted: range, given_up: dict[int, Any]) -> list[range]:
    """`wanted` without the items given up, as contiguous ranges."""
    runs, start = [], wanted.start
    for item in [*sorted(given_up), wanted.stop]:
        if item > start:
            runs.append(range(start, item))
        start = item + 1
    return runs


def _scores(samples: Sequence[Sample], filters: Sequence[Filter]) -> pa.Table:
    """One light row a sample: what verdicts, ledger and shard plans need, without pixels."""
    measured = [f.scores(samples) for f in filters]
    values: dict[str, list[float | None]] = {name: [] for f in filters for name in f.score_names}
    languages: list[str | None] = []
    for k in range(len(samples)):
        languages.append(next((m[k].language for m in measured if m[k].language is not None), None))
        for scores in measured:
            for name, value in scores[k].values.items():
                values[name].append(value)
    return pa.table(
        {
            "id": pa.array([s.id for s in samples], pa.string()),
            "locator": pa.array([s.provenance.locator for s in samples], pa.string()),
            "uri": pa.array([s.provenance.uri or None for s in samples], pa.string()),  # null: the input's
            "num_bytes": pa.array(
                [sum(len(image.data) for image in s.images) + len(s.text or "") for s in samples], pa.int64()
            ),
            "language": pa.array(languages, pa.string()),
            "flags": pa.array([list(s.flags) for s in samples], pa.list_(pa.string())),
            "phash": pa.array([s.phash for s in samples], pa.binary(32)),
            "fingerprint": to_arrow(fingerprints(samples)),
            **composition_columns(samples),
            **{f"score.{name}": pa.array(column, pa.float32()) for name, column in values.items()},
        }
    )


if __name__ == "__main__":
    main()
