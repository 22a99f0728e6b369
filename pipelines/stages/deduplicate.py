"""The search for duplicates on a Beam graph: rows of units to files, pairs by blocks of files, groups of all pairs.

units ─► rows ─► row files ─► tasks ─► edges ─► groups ─► rejections of each unit
Only arrays cross a shuffle: the rows of a unit, the edges of a task, the decisions on a unit.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.groups import nearest_kept
from pipelines.duplicates.index import EVALUATION, NEW, Index, row_dtype, rows_of, write_index
from pipelines.duplicates.partition import Partition, fields_of
from pipelines.duplicates.search import EDGE, REASONS, TableSlice, find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.job import Job
from pipelines.stages.quotes import CommonRuns, quotes_in_unit, with_texts
from pipelines.stages.references import Reference, names_of, read_references
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import STAGING
from pipelines.tables.schema import CONTAMINATED
from pipelines.tables.scores import read_scores
from pipelines.tables.siblings import one_per_item, with_siblings
from pipelines.tables.verdicts import JudgedUnit, Rejection
from pipelines.units import LedgerUnit, Unit

NUM_FILES = 4096  # of rows: at 1 billion rows one holds 93 MB, which its writer sorts
BYTES_PER_ROW = 1_900  # of memory, in a task, imports included (`benchmarks/duplicates_scale.py`)
SLICES = 4  # tasks that the tables are dealt to, where one partition has all rows and there are enough
MIN_SLICED_ROWS = 20_000
DECISIONS = "decisions"  # tag of what is decided before the search
CLUSTERS_SHOWN, SHOWN_PER_CLUSTER, DOUBTFUL_SHOWN = 12, 5, 12  # of which the report has pictures


class IndexFile(NamedTuple):
    """A file of rows, relative to the output."""

    path: str
    num_rows: int
    reference: int  # number of the reference it belongs to, -1: samples of this run


class Task(NamedTuple):
    """A partition of all rows to search in a slice of the tables."""

    partition: Partition
    tables: TableSlice


class FindDuplicates(beam.PTransform[Any, Any]):
    """Units to (unit number, Rejections of that unit)."""

    def __init__(self, job: Job):
        super().__init__()
        self._job = job

    def expand(
        self, units: beam.pvalue.PCollection[JudgedUnit]
    ) -> beam.pvalue.PCollection[tuple[int, tuple[Rejection, ...]]]:
        job = self._job
        settings = job.load_recipe().dedupe or Dedupe()
        sides = []
        if with_texts(read_references(job.storage(), job.references)):
            sides.append(beam.pvalue.AsList(units | "CommonRuns" >> CommonRuns(job)))
        rows = units | "UnitRows" >> beam.ParDo(UnitRows(job), *sides).with_outputs(DECISIONS, main="rows")
        files = (
            rows.rows
            | "ByFile" >> beam.GroupByKey()
            | "WriteIndex" >> beam.ParDo(WriteIndex(job))
        )  # fmt: skip
        listed = beam.pvalue.AsList(files)
        edges = (
            files
            | "InOneList" >> beam.Map(lambda file: (None, file))
            | "AllFiles" >> beam.GroupByKey()
            | "Tasks" >> beam.FlatMap(lambda found: tasks_of(all_files(job, list(found[1])), settings))
            | "SpreadTasks" >> beam.Reshuffle()
            | "Pairs" >> beam.ParDo(Pairs(job), listed)
            | "Together" >> beam.GroupByKey()
        )
        decided: beam.pvalue.PCollection[tuple[int, tuple[Rejection, ...]]]
        decided = edges | "Groups" >> beam.ParDo(Groups(job), listed)
        if not job.load_recipe().decontaminate:
            return decided
        all_decisions: beam.pvalue.PCollection[tuple[int, tuple[Rejection, ...]]]
        all_decisions = (decided, rows[DECISIONS]) | "AllDecisions" >> beam.Flatten()
        return all_decisions


def unit_number(unit: Unit | LedgerUnit) -> int:
    """A 63-bit number for a unit, from its content."""
    name = f"{unit.source}/{unit.name}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def all_files(job: Job, files: Sequence[IndexFile]) -> list[IndexFile]:
    """Row files of the references, then of this run's samples, in an order that no worker changes."""
    references = read_references(job.storage(), job.references)
    return [IndexFile(r.rows, r.num_items, k) for k, r in enumerate(references)] + sorted(files)


def tasks_of(files: Sequence[IndexFile], settings: Dedupe) -> Iterator[Task]:
    """All partitions; the slices of the tables where there is only one."""
    num_rows = sum(file.num_rows for file in files)
    partitions = Partition.all_of(num_rows, rows_per_task(settings), settings)
    num_slices = SLICES if len(partitions) == 1 and num_rows >= MIN_SLICED_ROWS else 1
    for partition in partitions:
        for number in range(num_slices):
            yield Task(partition, TableSlice(number, num_slices))


def rows_per_task(settings: Dedupe) -> int:
    """How many rows a task may hold in memory."""
    return settings.memory_mb * 1_000_000 // BYTES_PER_ROW


class UnitRows(ConcurrentDoFn):
    """Unit to (file number, rows of its samples that the filters keep), as bytes; leaks by text to DECISIONS.

    Of the samples of one item only the first is compared; what is found holds for all (`pipelines/tables/siblings.py`).
    """

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._settings = self._recipe.dedupe or Dedupe()
        self._storage = self._job.storage()
        self._references = with_texts(read_references(self._storage, self._job.references))

    def work(self, judged: JudgedUnit, common: Sequence[str] = ()) -> Iterator[Any]:
        """Decide on a unit.

        Args:
            common: the path of the runs that do not count; none without evaluation sets.
        """
        unit = judged.unit
        scored = read_scores(self._storage, self._recipe, unit)
        wanted = np.flatnonzero([not reasons for reasons in judged.reasons])
        number = unit_number(unit)
        if self._references and len(wanted):
            kept = set(wanted.tolist())
            leaks = [leak for leak in quotes_in_unit(self._job, unit, self._references) if leak.item in kept]
            leaks = with_siblings(leaks, judged.verdicts(), judged.first)
            if leaks:
                yield beam.pvalue.TaggedOutput(DECISIONS, (number, tuple(leaks)))
                wanted = np.setdiff1d(wanted, [leak.item for leak in leaks])
        wanted = np.array(one_per_item(wanted.tolist(), judged.first), np.int64)
        if len(wanted):
            records = from_arrow(scored["fingerprint"], FINGERPRINT)[wanted]
            ids = scored["id"].take(wanted).to_pylist()
            rows = rows_of(records, ids, wanted, self._settings, unit=number)
            yield number % NUM_FILES, rows.tobytes()


class WriteIndex(beam.DoFn):
    """(file number, rows of units) to a IndexFile."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[IndexFile]:
        number, pieces = element
        settings = self._job.load_recipe().dedupe or Dedupe()
        rows = np.frombuffer(b"".join(sorted(pieces)), row_dtype(settings))
        path = f"{STAGING}/duplicates/{self._job.run}/{number:05d}.rows"
        write_index(self._job.storage(), path, rows)
        yield IndexFile(path, len(rows), -1)


class Pairs(ConcurrentDoFn):
    """Task to (0, edges as bytes), their ends numbered through all files."""

    extra_threads = 0

    def work(self, task: Task, files: list[IndexFile]) -> Iterator[tuple[int, bytes]]:
        settings = self._job.load_recipe().dedupe or Dedupe()
        index = index_of(self._job, all_files(self._job, files))
        for edges in edges_of(index, task, settings):
            if len(edges):
                yield 0, edges.tobytes()


def index_of(job: Job, files: Sequence[IndexFile]) -> Index:
    """The rows of files, none of which is opened yet."""
    settings = job.load_recipe().dedupe or Dedupe()
    return Index(job.storage(), [file.path for file in files], settings, [file.num_rows for file in files])


def edges_of(index: Index, task: Task, settings: Dedupe) -> Iterator[np.ndarray]:
    """The `EDGE`s of a task, by their places in the index.

    A partition that is larger than planned, for many samples look alike, is compared by pairs of blocks.
    """
    places = np.arange(len(index), dtype=np.uint64)
    if task.partition.bits:
        members = [
            np.uint64(start) + np.flatnonzero(task.partition.members(columns, settings)).astype(np.uint64)
            for start, columns in index.files(fields_of(settings))
        ]
        places = np.concatenate(members)
    size = rows_per_task(settings)
    if len(places) > size:
        size //= 2
    blocks = [places[start : start + size] for start in range(0, len(places), size)]
    for i, first in enumerate(blocks):
        for second in (None, *blocks[i + 1 :]):
            both = first if second is None else np.concatenate([first, second])
            border = None if second is None else len(first)
            edges = find_edges(index.select(both), settings, task.tables, border=border)
            edges["winner"], edges["loser"] = both[edges["winner"]], both[edges["loser"]]
            yield edges


class Groups(beam.DoFn):
    """All edges to (unit number, Rejections). Runs once."""

    def __init__(self, job: Job):
        self._job = job

    def process(
        self, element: tuple[int, Iterable[bytes]], files: list[IndexFile]
    ) -> Iterator[tuple[int, tuple[Rejection, ...]]]:
        recipe = self._job.load_recipe()
        files = all_files(self._job, files)
        edges = np.concatenate([np.frombuffer(piece, EDGE) for piece in element[1]])
        rows = index_of(self._job, files)
        chosen = nearest_kept(edges, rows, dedupe=recipe.dedupe is not None)
        yield from decisions(chosen, rows, Names(self._job, files)).items()


class Names:
    """Names of rows: a sample's id, an evaluation item's name."""

    def __init__(self, job: Job, files: Sequence[IndexFile]):
        self._storage = job.storage()
        self._references: list[Reference] = read_references(self._storage, job.references)
        self._starts = np.cumsum([0, *(file.num_rows for file in files)])
        self._known: dict[int, list[str]] = {}

    def of(self, place: int, sample_id: bytes, kind: int) -> str:
        """The name of the row at `place` among all rows."""
        if kind != EVALUATION:
            return sample_id.hex()
        number = int(np.searchsorted(self._starts, place, "right")) - 1
        if number not in self._known:
            self._known[number] = names_of(self._storage, self._references[number])
        return self._known[number][place - int(self._starts[number])]


def decisions(chosen: np.ndarray, rows: Index, names: Names) -> dict[int, tuple[Rejection, ...]]:
    """The chosen edges as Rejections, by unit, and the kept samples that the report shows next to them."""
    kinds = rows.take("kind", chosen["winner"])
    losers_shown, winners_shown = _shown(chosen, kinds == NEW)
    ids = [bytes(row) for row in rows.take("id", chosen["winner"])]
    units, items = rows.take("unit", chosen["loser"]).tolist(), rows.take("item", chosen["loser"]).tolist()
    decided: dict[int, list[Rejection]] = {}
    for k, (edge, kind) in enumerate(zip(chosen.tolist(), kinds.tolist(), strict=True)):
        winner, loser, reason, distance, similarity = edge
        row = Rejection(
            item=items[k],
            reason=CONTAMINATED if kind == EVALUATION else REASONS[reason],
            duplicate_of=names.of(winner, ids[k], kind),
            distance=distance if distance >= 0 else None,
            similarity=None if np.isnan(similarity) else similarity,
            is_shown=loser in losers_shown,
        )
        decided.setdefault(units[k], []).append(row)
    for winner in sorted(winners_shown):
        unit, item = int(rows.take("unit", np.array([winner]))[0]), int(rows.take("item", np.array([winner]))[0])
        decided.setdefault(unit, []).append(Rejection(item=item, is_shown=True))
    return {unit: tuple(sorted(decided[unit], key=lambda row: row.item)) for unit in sorted(decided)}


def _shown(chosen: np.ndarray, is_new: np.ndarray) -> tuple[set[int], set[int]]:
    """Places of the duplicates that the report shows, and of their kept samples.

    The largest groups with their most distant members, and the pairs nearest to the limits.
    """
    order = np.lexsort([chosen["loser"], np.nan_to_num(chosen["similarity"], nan=1), -chosen["distance"]])
    order = order[is_new[order]]
    winners, sizes = np.unique(chosen["winner"][order], return_counts=True)
    largest = winners[np.lexsort([winners, -sizes])][:CLUSTERS_SHOWN].tolist()
    picked = order[:DOUBTFUL_SHOWN].tolist()
    for winner in largest:
        picked += order[chosen["winner"][order] == winner][:SHOWN_PER_CLUSTER].tolist()
    return set(chosen["loser"][picked].tolist()), set(chosen["winner"][picked].tolist())
