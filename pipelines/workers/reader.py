"""The reader process: opens untrusted files, writes parts and scores. It may be killed at any moment.

It handles the requests of its parent (`pipelines/workers/protocol.py`). It imports no Beam, and so it starts in half a
second.
"""

import gc
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from filters.filter import Filter
from pipelines.duplicates.contamination import RunIndex, hits_in, quotes_in, texts_of
from pipelines.duplicates.fingerprint import fingerprints, to_arrow
from pipelines.mixture.tokens import count_tokens
from pipelines.recipe import Recipe
from pipelines.recipe_file import build_recipe
from pipelines.storage.arrow_file import read_local, write_table
from pipelines.tables.composition import composition_columns
from pipelines.tables.labels import labelled
from pipelines.tables.schema import NUM_TOKENS
from pipelines.tables.scores import ERRORS_KEY, REPLACED_KEY, SIZES_KEY, SLICE, PartError
from pipelines.taxonomy_files import load_labelling
from pipelines.workers.archive import extract, list_members, unpack
from pipelines.workers.confinement import confine
from pipelines.workers.evaluation_items import read_collection
from pipelines.workers.instruct import conversations
from pipelines.workers.lean_imports import keep_pandas_out_of_arrow
from pipelines.workers.office import convert
from pipelines.workers.parent import Parent, limit_memory
from pipelines.workers.protocol import (
    Answer,
    ConvertDocument,
    Done,
    Event,
    ExtractMember,
    Failed,
    FetchInputs,
    FileFinished,
    FileRequest,
    FindHits,
    FindQuotes,
    Gathered,
    GatherMaterial,
    GivenUp,
    Heartbeat,
    InputsFetched,
    Inspected,
    InspectInputs,
    Inspection,
    ItemsFetched,
    ListArchive,
    NotUnderstood,
    OutputFailed,
    Quoted,
    ReadCollection,
    ReadSlice,
    ReadUnit,
    Request,
    RescorePart,
    UnpackTar,
)
from sources.base.remote import RemoteSource
from sources.base.sample import Sample, from_part, to_part
from sources.base.source import InputError, ItemError, Items, Source
from sources.base.synthetic import REPLACED, SyntheticSource
from taxonomy.labelling import SampleLabeller

OUT_OF_MEMORY = "out_of_memory"
FILE_NEEDS_MEMORY = "the file needs more memory than limits.memory_mb allows"
LENGTHS_KEY = b"vellum.lengths"  # in a part's metadata: the number of samples of each slice
Send = Callable[[Event], None]


def main() -> None:
    parent = Parent()
    gc.disable()  # while modules are imported, whose objects all stay
    keep_pandas_out_of_arrow()
    recipe = build_recipe(parent.settings())
    for source in recipe.sources:
        source.load()
    gc.freeze()  # a collection looks at all objects: 2 % of the time of a page
    gc.enable()
    confine(recipe)
    costs = recipe.reading_costs()
    limit_memory(recipe.limits.memory_mb + costs.memory_mb)
    parent.ready(grace_s=int(recipe.limits.item_wall_timeout_s + costs.item_s) + 10)
    for request in parent.requests():
        parent.send(answer(recipe, request, parent.send))


def answer(recipe: Recipe, request: Request[Any], send: Send) -> Answer:
    """Handle a request. Every error that an input or a full disk can cause becomes an answer here."""
    handler = HANDLERS.get(type(request))
    if handler is None:
        return NotUnderstood(message=f"a reader does not handle {type(request).__name__}")
    at: int | None = None

    def note(event: Event) -> None:
        nonlocal at
        at = event.slice if isinstance(event, Heartbeat) else at
        send(event)

    try:
        return handler(recipe, request, note)
    except InputError as error:
        path = request.path if isinstance(request, FileRequest) else Path()
        return Failed(cause=error.cause, message=_without_path(error.message, path), slice=at)
    except MemoryError:
        return Failed(cause=OUT_OF_MEMORY, message=FILE_NEEDS_MEMORY, slice=at)
    except OSError as error:  # writing the part failed: the output's fault, not the input's
        return OutputFailed(message=f"{error.strerror or error}")


def _inspect(recipe: Recipe, request: InspectInputs, send: Send) -> Inspected:
    source = recipe.sources[request.source]
    found = []
    known = request.digests or ("",) * len(request.paths)
    for number, (path, known_digest) in enumerate(zip(request.paths, known, strict=True)):
        send(Heartbeat(slice=number, item=None))
        try:
            digest = known_digest or source.digest_of(path)
            with source.open(path, digest) as items:
                size = _size(path)
                found.append(Inspection(digest=digest, num_items=len(items), num_bytes=size, note=items.note))
        except InputError as error:
            found.append(Inspection(cause=error.cause, message=_without_path(error.message, path)))
        except MemoryError:
            found.append(Inspection(cause=OUT_OF_MEMORY, message=FILE_NEEDS_MEMORY))
    return Inspected(found=tuple(found))


def _size(path: Path) -> int:
    return path.stat().st_size if path != Path() else 0  # a synthetic source has no file


def _read(recipe: Recipe, request: ReadUnit, send: Send) -> Done:
    source = recipe.sources[request.source]
    samples: list[list[Sample]] = []
    errors: list[PartError] = []
    for number, each in enumerate(request.slices):
        found, failed = _read_slice(source, number, each, send)
        samples.append(found)
        errors += failed
    metadata = {
        ERRORS_KEY: json.dumps(sorted(errors), ensure_ascii=False).encode(),
        LENGTHS_KEY: json.dumps([len(found) for found in samples]).encode(),
    }
    part = pa.Table.from_batches([to_part([sample for found in samples for sample in found])])
    write_table(part.replace_schema_metadata(metadata), request.part)
    return _score(recipe, request, samples, metadata[ERRORS_KEY], send)


def _rescore(recipe: Recipe, request: RescorePart, send: Send) -> Done:
    part = read_local(request.part)
    all_samples = iter(from_part(part))
    lengths = json.loads(part.schema.metadata[LENGTHS_KEY])
    samples = [list(itertools.islice(all_samples, length)) for length in lengths]
    return _score(recipe, request, samples, part.schema.metadata[ERRORS_KEY], send)


def _fetch(recipe: Recipe, request: FetchInputs, send: Send) -> InputsFetched:
    source = recipe.sources[request.source]
    assert isinstance(source, RemoteSource)
    uses = source.fetch(
        request.paths,
        request.scratch,
        retry_failed=request.retry_failed,
        objects=dict(request.objects),
        save=lambda number, path: send(FileFinished(input=number, name=path.name)),
        beat=lambda _, done: send(ItemsFetched(num_items=done.num_items, hosts=done.hosts, failures=done.failures)),
    )
    return InputsFetched(unused=tuple(use.unused for use in uses), wanted=tuple(use.wanted for use in uses))


def _list_archive(recipe: Recipe, request: ListArchive, send: Send) -> Done:
    send(Heartbeat(item=None))
    request.out.write_text(json.dumps(list_members(request.path, request.suffixes)))
    return Done()


def _extract(recipe: Recipe, request: ExtractMember, send: Send) -> Done:
    extract(request.path, request.name, request.out, lambda: send(Heartbeat(item=None)), request.whole)
    return Done()


def _unpack(recipe: Recipe, request: UnpackTar, send: Send) -> Done:
    unpack(request.path, request.out, lambda: send(Heartbeat(item=None)))
    return Done()


def _convert(recipe: Recipe, request: ConvertDocument, send: Send) -> Done:
    convert(request.path, request.suffix, request.out, lambda: send(Heartbeat(item=None)))
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


def _find_hits(recipe: Recipe, request: FindHits, send: Send) -> Done:
    send(Heartbeat(item=None))
    indexes = [RunIndex(path) for path in request.runs]
    write_table(hits_in(texts_of(read_local(request.part)), indexes), request.out)
    return Done()


def _find_quotes(recipe: Recipe, request: FindQuotes, send: Send) -> Quoted:
    send(Heartbeat(item=None))
    common = read_local(request.common)["run"].to_numpy()
    quotes = quotes_in(read_local(request.hits), common, RunIndex(request.runs))
    return Quoted(quotes=[(row, *quote) for row, quote in quotes])


HANDLERS: Mapping[type[Request[Any]], Callable[[Recipe, Any, Send], Answer]] = {
    InspectInputs: _inspect,
    ReadUnit: _read,
    RescorePart: _rescore,
    FetchInputs: _fetch,
    ListArchive: _list_archive,
    ExtractMember: _extract,
    UnpackTar: _unpack,
    ConvertDocument: _convert,
    GatherMaterial: _gather,
    ReadCollection: _read_collection,
    FindHits: _find_hits,
    FindQuotes: _find_quotes,
}


def _read_slice(source: Source, number: int, wanted: ReadSlice, send: Send) -> tuple[list[Sample], list[PartError]]:
    """The samples of a slice, and the errors of the items that gave none. A file that cannot be opened costs all."""
    samples: list[Sample] = []
    errors = [PartError(number, each.item, each.cause, each.message, "") for each in wanted.given_up]
    given_up = {each.item for each in wanted.given_up}
    left = [item for item in range(wanted.first, wanted.last) if item not in given_up]

    def fail(item: int, cause: str, message: str, uri: str = "") -> None:
        errors.append(PartError(number, item, cause, _without_path(message, wanted.path), uri))

    if not left:
        return samples, errors
    send(Heartbeat(slice=number, item=None))
    try:
        with source.open(wanted.path, wanted.digest) as items:
            while left:
                send(Heartbeat(slice=number, item=left[0]))
                try:
                    samples += _read_item(items, left[0], wanted.faulty)
                except ItemError as error:
                    fail(left[0], error.cause, error.message, error.uri)
                except MemoryError:
                    fail(left[0], OUT_OF_MEMORY, "the item needs more memory than limits.memory_mb allows")
                left.pop(0)
    except InputError as error:
        for item in left:
            fail(item, error.cause, error.message)
    except MemoryError:
        for item in left:
            fail(item, OUT_OF_MEMORY, FILE_NEEDS_MEMORY)
    return samples, errors


def _read_item(items: Items, item: int, faulty: Sequence[GivenUp]) -> list[Sample]:
    """The samples of an item; one that hung or crashed readers is read in the source's next other way.

    Raises:
        ItemError: the item gives no sample; for a faulty one, its first fault.
    """
    faults = [fault for fault in faulty if fault.item == item]
    if not faults:
        return [_checked(sample) for sample in items.samples(item)]
    try:
        sample = items.read_otherwise(item, len(faults) - 1)
    except ItemError:
        sample = None
    if sample is None:
        raise ItemError(faults[0].cause, faults[0].message)
    return [_checked(sample)]


def _checked(sample: Sample) -> Sample:
    """Return the sample if it marks each of its images, once. Raises ItemError: no trainer can read another one."""
    if sample.num_marks() != len(sample.images):
        marks, images = sample.num_marks(), len(sample.images)
        raise ItemError("image_count", f"the text marks {marks} images, the sample has {images}")
    return sample


def _without_path(message: str, path: Path) -> str:
    """Libraries name the file they failed on, which may be a temporary copy that no other run has."""
    if path == Path():  # a synthetic source has no file
        return message
    return message.replace(f"'{path}'", "the file").replace(str(path), "the file")


def _score(
    recipe: Recipe, request: ReadUnit | RescorePart, slices: Sequence[Sequence[Sample]], errors: bytes, send: Send
) -> Done:
    """Write the unit's scores, with labels or instruction samples if the recipe asks for them.

    Args:
        slices: the samples of each slice.
    """
    numbered = [(number, sample) for number, samples in enumerate(slices) for sample in samples]
    groups: dict[int | None, list[tuple[int, Sample]]] = {None: numbered}
    if request.apart:
        groups = {number: [(number, sample) for sample in samples] for number, samples in enumerate(slices)}
    tables, rows = [], []
    for number, group in groups.items():
        send(Heartbeat(slice=number, item=None))
        samples, made = [sample for _, sample in group], None
        scores = _scores(samples, recipe.filters_while_reading())
        scores = scores.append_column(SLICE, pa.array([k for k, _ in group], pa.int32()))
        if request.taxonomy is not None:
            labelling = _labelling(json.dumps(recipe.to_json()), request.taxonomy)
            if recipe.instructions is None:
                scores = labelled(scores, samples, labelling)
            else:
                scores, made = conversations(scores, samples, labelling, recipe)
                rows += made
        if recipe.mixture is not None:
            counted = made if made is not None else samples
            num_tokens = count_tokens(counted, recipe.mixture.tokenizer)
            scores = scores.append_column(NUM_TOKENS, pa.array(num_tokens, pa.int64()))
        tables.append(scores)
    rows_file = request.part
    if request.taxonomy is not None and recipe.instructions is not None:
        assert request.conversations is not None
        rows_file = request.conversations
        write_table(pa.Table.from_batches([to_part(rows)]), rows_file)
    replaced = _replaced([sample for _, sample in numbered])
    metadata = {
        ERRORS_KEY: errors,
        REPLACED_KEY: json.dumps(replaced, sort_keys=True).encode(),
        SIZES_KEY: json.dumps([path.stat().st_size for path in (request.part, rows_file)]).encode(),
    }
    write_table(pa.concat_tables(tables).combine_chunks().replace_schema_metadata(metadata), request.scores)
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
                [sum(len(image.data) for image in s.images) + _num_chars(s) for s in samples], pa.int64()
            ),
            "language": pa.array(languages, pa.string()),
            "flags": pa.array([list(s.flags) for s in samples], pa.list_(pa.string())),
            "phash": pa.array([s.phash for s in samples], pa.binary(32)),
            "fingerprint": to_arrow(fingerprints(samples)),
            **composition_columns(samples),
            **{f"score.{name}": pa.array(column, pa.float32()) for name, column in values.items()},
        }
    )


def _num_chars(sample: Sample) -> int:
    return (
        len(sample.text or "") + len(sample.html or "") + sum(len(message.content) for message in sample.messages or ())
    )


if __name__ == "__main__":
    main()
