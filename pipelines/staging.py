"""Staging: inputs to work units, units to parts (pixels, written once) and score files (light rows)."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa

from pipelines.child import ERRORS_KEY, REPLACED_KEY
from pipelines.concurrent import COUNTS, ConcurrentDoFn
from pipelines.fetching import fetch_share, opened
from pipelines.isolation import ItemFault, readers_of
from pipelines.job import STAGING
from pipelines.labels import labels_key, local_taxonomy
from pipelines.parts import SUFFIX, read_local, read_table
from pipelines.progress import progress_of
from pipelines.recipe import Recipe, part_key, scores_key
from pipelines.scratch import scratch_folder
from pipelines.storage import fetch
from pipelines.verdicts import judge
from sources.fetched import Fetched
from sources.source import InputError
from sources.synthetic import REPLACED

NUM_BUCKETS = 65_536
UNITS_PER_BUCKET = 64  # of one input: a giant file is spread over several buckets, and so over several shards
ERROR_ROW_BYTES = 300

ERRORS = "errors"  # tag of error entries
PASSING = ("changed", "not_found", "permission_denied", "unreadable")  # causes that the next run may not meet


class Input(NamedTuple):
    """One readable input.

    Args:
        state: size and modification time of a local file, so that a change during the run is noticed; else empty.
    """

    uri: str
    num_items: int
    state: str


class Unit(NamedTuple):
    """A range of items of one input; `copies` are other inputs with the same bytes."""

    source: int
    digest: str
    first: int
    last: int
    uri: str
    state: str
    copies: tuple[str, ...]


class Entry(NamedTuple):
    """Something to be written to one of the output's tables: a unit's rows, or one error row.

    Args:
        bucket: decides the shard, from content alone.
    """

    table: str
    bucket: int
    num_bytes: int
    payload: Any


class ErrorRow(NamedTuple):
    """One row of `errors/`; without a locator the whole input failed."""

    source: str
    uri: str
    locator: str | None
    cause: str
    message: str


def bucket_of(digest: str, first: int, items_per_unit: int) -> int:
    """The bucket of a unit: neighbours in a file stay together, and no file outgrows a bucket."""
    stretch = first // (UNITS_PER_BUCKET * items_per_unit)
    name = digest if stretch == 0 else hashlib.sha256(f"{digest}/{stretch}".encode()).hexdigest()
    return int(name[:4], 16)


def split_of(digest: str, validation: float) -> str:
    """`train` or `validation`, by document, so that no document stands on both sides."""
    return "validation" if int(digest[-8:], 16) < validation * 2**32 else "train"


def error_entry(row: ErrorRow) -> Entry:
    """The entry of an error row."""
    bucket = int(hashlib.sha256(row.uri.encode(errors="surrogateescape")).hexdigest()[:4], 16)
    return Entry(ERRORS, bucket, ERROR_ROW_BYTES + len(row.uri) + len(row.message), row)


@dataclass(frozen=True, slots=True)
class UnitFiles:
    """Where a unit's part and scores stand, relative to the output.

    Args:
        part: what the source gave.
        scores: what filters measured while it was read.
        by_part: what each of the recipe's expensive filters measured on the part, in their order.
        rows: what is written to `data/`: the part itself, or the conversations made of it.
    """

    part: str
    scores: str
    by_part: tuple[str, ...]
    rows: str

    @staticmethod
    def of(recipe: Recipe, unit: Unit) -> "UnitFiles":
        """Named by content and settings only, so that a changed setting or file finds nothing stale."""
        source_key = part_key(recipe.sources[unit.source])
        name = f"{unit.digest[:2]}/{unit.digest}-{unit.first:06d}-{unit.last:06d}{SUFFIX}"
        part = f"{STAGING}/parts/{source_key}/{name}"
        conversations = f"{STAGING}/conversations/{source_key}{labels_key(recipe)}/{name}"
        return UnitFiles(
            part=part,
            rows=part if recipe.instructions is None else conversations,
            scores=f"{STAGING}/scores/{source_key}-{scores_key(recipe.filters_while_reading())}{labels_key(recipe)}/{name}",
            by_part=tuple(
                f"{STAGING}/scores_by_part/{source_key}-{f.name}-{scores_key([f])}/{name}"
                for f in recipe.filters_by_part()
            ),
        )


class Inspect(ConcurrentDoFn):
    """(source index, uri) to ("source:digest", Input); failures to ERRORS, counters to COUNTS."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, element: tuple[int, str]) -> Iterator[Any]:
        source, uri = element
        progress = progress_of(self._job)
        try:
            if isinstance(self._recipe.sources[source], Fetched):
                fetch_share(self._job, self._recipe, source, uri)
            with (
                opened(self._recipe.sources[source], uri, self._storage) as (path, state),
                readers_of(self._recipe, self._job.readers).reader() as reader,
            ):
                contents = reader.ask(task="inspect", source=source, path=str(path))
        except (InputError, ItemFault) as error:
            progress.add(inputs_failed=1)
            row = ErrorRow(self._recipe.sources[source].name, uri, None, error.cause, error.message)
            yield beam.pvalue.TaggedOutput(ERRORS, error_entry(row))
            yield beam.pvalue.TaggedOutput(COUNTS, {"inputs.failed": 1, f"failures.{error.cause}": 1})
            return
        progress.add(inputs_read=1, items_found=contents["num_items"])
        yield beam.pvalue.TaggedOutput(COUNTS, {"inputs.read": 1, "items.found": contents["num_items"]})
        yield f"{source}:{contents['digest']}", Input(uri, contents["num_items"], state)


def units_of(element: tuple[str, Iterable[Input]], items_per_unit: tuple[int, ...]) -> Iterator[Unit]:
    """The work units of all inputs with the same bytes: read once, the others recorded as copies.

    Args:
        items_per_unit: of every source.
    """
    source_digest, inputs = element
    name, _, digest = source_digest.partition(":")
    source = int(name)
    ordered = sorted(inputs)
    for first in range(0, ordered[0].num_items, items_per_unit[source]):
        yield Unit(
            source=source,
            digest=digest,
            first=first,
            last=min(first + items_per_unit[source], ordered[0].num_items),
            uri=ordered[0].uri,
            state=ordered[0].state,
            copies=tuple(other.uri for other in ordered[1:]),
        )


class Stage(ConcurrentDoFn):
    """Unit to itself if it has samples, part and scores made; its errors to ERRORS, counters to COUNTS.

    Finished parts and scores are used again.
    """

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, unit: Unit) -> Iterator[Any]:
        scored, errors = self._scored(unit)
        source = self._recipe.sources[unit.source]
        num_inputs = 1 + len(unit.copies)
        if len(scored):  # else there may be no files either: what may pass is not remembered
            yield unit
        for uri in (unit.uri, *unit.copies):
            for item, cause, message, own in errors:
                row = ErrorRow(source.name, own or uri, source.locator(item), cause, message)
                yield beam.pvalue.TaggedOutput(ERRORS, error_entry(row))
        causes = Counter(cause for _, cause, *_ in errors)
        yield beam.pvalue.TaggedOutput(
            COUNTS,
            {
                "samples.total": len(scored) * num_inputs,
                "items.failed": len(errors) * num_inputs,
                **{f"failures.{cause}": number * num_inputs for cause, number in causes.items()},
                **{REPLACED + reason: number * num_inputs for reason, number in part_replaced(scored).items()},
            },
        )
        num_kept = sum(verdict.is_kept for verdict in judge(scored, self._recipe.filters_while_reading()))
        progress_of(self._job).add(
            samples_to_score=len(scored) * len(self._recipe.filters_by_part()),
            items_done=(unit.last - unit.first) * num_inputs,
            samples_kept=num_kept,
            samples_rejected=len(scored) - num_kept,
            samples_duplicate=len(scored) * len(unit.copies),
            items_failed=len(errors) * num_inputs,
        )

    def _scored(self, unit: Unit) -> tuple[pa.Table, list[tuple[int, str, str, str]]]:
        """The unit's score rows and errors, from its finished files or from the reader."""
        files = UnitFiles.of(self._recipe, unit)
        if all(self._storage.exists(path) for path in (files.scores, files.part, files.rows)):
            scored = read_table(self._storage, files.scores)
            if not (self._job.retry_failed and part_errors(scored)):
                progress_of(self._job).add(units_reused=1)
                return scored, part_errors(scored)
        taxonomy = local_taxonomy(self._recipe, self._storage)
        with scratch_folder(self._storage) as scratch:
            part, scores, rows = scratch / "part", scratch / "scores", scratch / "rows"
            if self._storage.exists(files.part) and not self._job.retry_failed:
                finished = fetch(self._storage.path(files.part), scratch / "finished")
                with readers_of(self._recipe, self._job.readers).reader() as reader:
                    reader.ask(task="score", part=str(finished), scores=str(scores), taxonomy=taxonomy, rows=str(rows))
                progress_of(self._job).add(units_rescored=1)
            else:
                self._read(unit, part, scores, rows, taxonomy)
                progress_of(self._job).add(units_read=1)
                scored = read_local(scores)
                if any(cause in PASSING for _, cause, *_ in part_errors(scored)):
                    return scored, part_errors(scored)
                self._storage.publish_file(part, files.part)
            scored = read_local(scores)
            if files.rows != files.part:
                self._storage.publish_file(rows, files.rows)
            self._storage.publish_file(scores, files.scores)
        return scored, part_errors(scored)

    def _read(self, unit: Unit, part: Path, scores: Path, rows: Path, taxonomy: str | None) -> None:
        """Let the reader write the part; items it hangs or dies on are given up one by one."""
        given_up: dict[int, dict[str, str]] = {}
        request: dict[str, Any] = {
            "task": "read",
            "source": unit.source,
            "digest": unit.digest,
            "first": unit.first,
            "last": unit.last,
        }
        request |= {"part": str(part), "scores": str(scores), "rows": str(rows), "taxonomy": taxonomy}
        everything = range(unit.first, unit.last)
        while len(given_up) < len(everything):
            try:
                with (
                    opened(self._recipe.sources[unit.source], unit.uri, self._storage) as (path, state),
                    readers_of(self._recipe, self._job.readers).reader() as reader,
                ):
                    if state != unit.state:
                        raise InputError("changed", "the file changed while the run was going on; run again")
                    reader.ask(path=str(path), given_up=given_up, **request)
                return
            except InputError as error:
                given_up = {item: {"cause": error.cause, "message": error.message} for item in everything}
            except ItemFault as fault:
                # An item below 0 is none: the file cannot be opened, or the scores cannot be made.
                lost = everything if fault.item < 0 else [fault.item]
                given_up |= {item: {"cause": fault.cause, "message": fault.message} for item in lost}
                if len(given_up) >= self._recipe.limits.faults_per_unit:
                    message = f"given up after {len(given_up)} pages before it hung or crashed the reader"
                    rest = [item for item in range(fault.item + 1, unit.last) if item not in given_up]
                    given_up |= {item: {"cause": "gave_up", "message": message} for item in rest}
        with readers_of(self._recipe, self._job.readers).reader() as reader:  # an empty part that carries the errors
            reader.ask(path="", given_up=given_up, **request)


def part_errors(scored: pa.Table) -> list[tuple[int, str, str, str]]:
    """(item, cause, message, its own address or nothing) of every item of the unit that gave no sample."""
    return [(row[0], row[1], row[2], row[3]) for row in json.loads((scored.schema.metadata or {})[ERRORS_KEY])]


def part_replaced(scored: pa.Table) -> dict[str, int]:
    """What was given up while the unit's samples were made, and made anew, by reason."""
    return json.loads((scored.schema.metadata or {}).get(REPLACED_KEY, b"{}"))
