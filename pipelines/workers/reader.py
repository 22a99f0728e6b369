"""The reader process: opens untrusted files, writes parts and scores. It may be killed at any moment.

It handles the requests of its parent (`pipelines/workers/protocol.py`). It imports no Beam, and so it starts in half a
second.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from pipelines.workers.parent import Parent, limit_memory
from pipelines.workers.protocol import (
    Answer,
    Contaminated,
    Done,
    Event,
    Failed,
    FetchInput,
    FileFinished,
    FileRequest,
    FindContamination,
    Gathered,
    GatherMaterial,
    GivenUp,
    Heartbeat,
    Inspected,
    InspectInput,
    ItemsFetched,
    NotUnderstood,
    OutputFailed,
    ReadCollection,
    ReadUnit,
    Request,
    RescorePart,
)
from sources.base.remote import RemoteSource
from sources.base.sample import Sample, from_part, to_part
from sources.base.source import InputError, ItemError, Items, Source
from sources.base.synthetic import REPLACED, SyntheticSource
from taxonomy.labelling import SampleLabeller

OUT_OF_MEMORY = "out_of_memory"
Send = Callable[[Event], None]
ErrorRow = tuple[int, str, str, str]  # item, cause, message, the item's own address or nothing


def main() -> None:
    parent = Parent()
    recipe = build_recipe(parent.settings())
    limit_memory(recipe.limits.memory_mb)
    parent.ready(grace_s=int(recipe.limits.item_wall_timeout_s) + 10)
    for request in parent.requests():
        parent.send(answer(recipe, request, parent.send))


def answer(recipe: Recipe, request: Request[Any], send: Send) -> Answer:
    """Handle a request. Every error that an input or a full disk can cause becomes an answer here."""
    handler = HANDLERS.get(type(request))
    if handler is None:
        return NotUnderstood(message=f"a reader does not handle {type(request).__name__}")
    try:
        return handler(recipe, request, send)
    except InputError as error:
        return Failed(cause=error.cause, message=_without_path(error.message, request))
    except MemoryError:
        return Failed(cause=OUT_OF_MEMORY, message="the file needs more memory than limits.memory_mb allows")
    except OSError as error:  # writing the part failed: the output's fault, not the input's
        return OutputFailed(message=f"{error.strerror or error}")


def _inspect(recipe: Recipe, request: InspectInput, send: Send) -> Inspected:
    send(Heartbeat(item=None))
    source = recipe.sources[request.source]
    digest = source.digest_of(request.path)
    with source.open(request.path, digest) as items:
        return Inspected(digest=digest, num_items=len(items))


def _read(recipe: Recipe, request: ReadUnit, send: Send) -> Done:
    samples, errors = _read_items(recipe.sources[request.source], request, send)
    errors_json = json.dumps(sorted(errors), ensure_ascii=False).encode()
    part = pa.Table.from_batches([to_part(samples)])
    write_table(part.replace_schema_metadata({ERRORS_KEY: errors_json}), request.part)
    return _score(recipe, request, samples, errors_json, send)


def _rescore(recipe: Recipe, request: RescorePart, send: Send) -> Done:
    part = read_local(request.part)
    return _score(recipe, request, from_part(part), part.schema.metadata[ERRORS_KEY], send)


def _fetch(recipe: Recipe, request: FetchInput, send: Send) -> Done:
    source = recipe.sources[request.source]
    assert isinstance(source, RemoteSource)
    source.fetch(
        request.path,
        request.scratch,
        retry_failed=request.retry_failed,
        save=lambda path: send(FileFinished(name=path.name)),
        beat=lambda num_items: send(ItemsFetched(num_items=num_items)),
    )
    return Done()


def _gather(recipe: Recipe, request: GatherMaterial, send: Send) -> Gathered:
    send(Heartbeat(item=None))
    source = recipe.sources[request.source]
    assert isinstance(source, SyntheticSource)
    dropped = source.gather(request.path, request.name, request.out, lambda: send(Heartbeat(item=None)))
    return Gathered(dropped=dropped)


def _read_collection(recipe: Recipe, request: ReadCollection, send: Send) -> Done:
    send(Heartbeat(item=None))
    write_table(read_collection(request.path, request.name), request.out)
    return Done()


def _find_contamination(recipe: Recipe, request: FindContamination, send: Send) -> Contaminated:
    send(Heartbeat(item=None))
    index = NgramIndex(request.ngrams)
    items = [index.item_of(text) for text in texts_of(read_local(request.part))]
    return Contaminated(hits=[(row, item) for row, item in enumerate(items) if item is not None])


HANDLERS: Mapping[type[Request[Any]], Callable[[Recipe, Any, Send], Answer]] = {
    InspectInput: _inspect,
    ReadUnit: _read,
    RescorePart: _rescore,
    FetchInput: _fetch,
    GatherMaterial: _gather,
    ReadCollection: _read_collection,
    FindContamination: _find_contamination,
}


def _read_items(source: Source, request: ReadUnit, send: Send) -> tuple[list[Sample], list[ErrorRow]]:
    """The unit's samples, and the errors of the items that gave none."""
    errors = [(each.item, each.cause, each.message, "") for each in request.given_up]
    given_up = {each.item for each in request.given_up}
    faults: dict[int, list[GivenUp]] = {}
    for fault in request.faulty:
        faults.setdefault(fault.item, []).append(fault)
    wanted = [item for item in range(request.first, request.last) if item not in given_up]
    samples: list[Sample] = []
    if not wanted:
        return samples, errors
    with source.open(request.path, request.digest) as items:
        for item in wanted:
            send(Heartbeat(item=item))
            try:
                samples.append(items[item] if item not in faults else _read_otherwise(items, faults[item]))
            except ItemError as error:
                errors.append((item, error.cause, _without_path(error.message, request), error.uri))
            except MemoryError:
                message = "the item needs more memory than limits.memory_mb allows"
                errors.append((item, OUT_OF_MEMORY, message, ""))
    return samples, errors


def _read_otherwise(items: Items, faults: Sequence[GivenUp]) -> Sample:
    """The sample of an item that hung or crashed readers, read in the source's next way.

    Raises:
        ItemError: the item's first fault, if there is no other way, or it gives no sample.
    """
    first = faults[0]
    try:
        sample = items.read_otherwise(first.item, len(faults) - 1)
    except ItemError:
        sample = None
    if sample is None:
        raise ItemError(first.cause, first.message)
    return sample


def _without_path(message: str, request: Request[Any]) -> str:
    """Libraries name the file they failed on, which may be a temporary copy that no other run has."""
    if not isinstance(request, FileRequest) or request.path == Path():  # a synthetic source has no file
        return message
    path = str(request.path)
    return message.replace(f"'{path}'", "the file").replace(path, "the file")


def _score(
    recipe: Recipe, request: ReadUnit | RescorePart, samples: Sequence[Sample], errors: bytes, send: Send
) -> Done:
    """Write the unit's scores, with labels or instruction samples if the recipe asks for them."""
    send(Heartbeat(item=None))
    scores = _scores(samples, recipe.filters_while_reading())
    if request.taxonomy is not None:
        labelling = _labelling(json.dumps(recipe.to_json()), request.taxonomy)
        if recipe.instructions is None:
            scores = labelled(scores, samples, labelling)
        else:
            assert request.conversations is not None
            scores, made = conversations(scores, samples, labelling, recipe)
            write_table(pa.Table.from_batches([to_part(made)]), request.conversations)
    metadata = {ERRORS_KEY: errors, REPLACED_KEY: json.dumps(_replaced(samples), sort_keys=True).encode()}
    write_table(scores.replace_schema_metadata(metadata), request.scores)
    return Done()


@cache
def _labelling(recipe: str, folder: Path) -> SampleLabeller:
    return load_labelling(build_recipe(json.loads(recipe)), folder)


def _replaced(samples: Sequence[Sample]) -> dict[str, int]:
    """The number of attempts that were given up while the samples were made, by reason."""
    counts: Counter[str] = Counter()
    for sample in samples:
        for name, count in sample.measures.items():
            if name.startswith(REPLACED):
                counts[name.removeprefix(REPLACED)] += round(count)
    return dict(counts)


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
