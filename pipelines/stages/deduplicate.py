"""The search for duplicates on a Beam graph: rows of units to files, pairs by blocks of files, groups of all pairs.

units ─► index files of their rows ─► edges ─► groups ─► rejections of each range of units
All of these are files; only their names pass from step to step.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow, to_arrow
from pipelines.duplicates.groups import nearest_kept
from pipelines.duplicates.index import EVALUATION, NEW, Index, row_dtype, rows_of, write_index
from pipelines.duplicates.partition import Partition, fields_of
from pipelines.duplicates.search import EDGE, REASONS, TableSlice, find_edges
from pipelines.duplicates.settings import Dedupe
from pipelines.job import Job
from pipelines.stages.decisions import ByRange, unit_number, write_decisions
from pipelines.stages.references import Reference, names_of, read_references
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import STAGING
from pipelines.storage.arrow_file import read_table, table_bytes
from pipelines.tables.schema import CONTAMINATED
from pipelines.tables.siblings import one_per_item
from pipelines.tables.verdicts import JudgedUnit, Rejection
from pipelines.units import UnitFiles

BYTES_PER_ROW = 1_900  # of memory, in a task, imports included (`benchmarks/duplicates_scale.py`)
SLICES = 4  # tasks that the tables are dealt to, where one partition has all rows and there are enough
MIN_SLICED_ROWS = 20_000
CLUSTERS_SHOWN, SHOWN_PER_CLUSTER, DOUBTFUL_SHOWN = 12, 5, 12  # of which the report has pictures


class IndexFile(NamedTuple):
    """A file of rows, relative to the output."""

    path: str
    num_rows: int
    reference: int  # number of the reference it belongs to, -1: samples of this run
    range: int = -1  # that its units belong to, -1: not of this run


class Task(NamedTuple):
    """A partition of all rows to search in a slice of the tables."""

    partition: Partition
    tables: TableSlice


class FindDuplicates(beam.PTransform[Any, Any]):
    """(range, what is known of its units) to the ranges that have Rejections, which are files.

    Args:
        start: a collection of one element, with which the steps begin that run once.
    """

    def __init__(self, job: Job, start: beam.pvalue.PCollection[bytes]):
        super().__init__()
        self._job, self._start = job, start

    def expand(self, by_range: beam.pvalue.PCollection[ByRange]) -> beam.pvalue.PCollection[frozenset[int]]:
        job = self._job
        files = by_range | "WriteIndex" >> beam.ParDo(WriteIndex(job))
        listed = beam.pvalue.AsList(files)
        edges = files | "Pairs" >> beam.ParDo(Pairs(job), listed)
        decided: beam.pvalue.PCollection[frozenset[int]]
        decided = self._start | "Groups" >> beam.ParDo(Groups(job), beam.pvalue.AsList(edges), listed)
        return decided


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


class WriteIndex(ConcurrentDoFn):
    """(range, what is known of its units) to its IndexFile, if there are samples to compare.

    Of the samples of one item only the first is compared; what is found holds for all (`pipelines/tables/siblings.py`).
    Rows are made here, from the score files: what crosses the shuffle stays light, and so does a local run, which holds
    it in memory.
    """

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._settings = self._recipe.dedupe or Dedupe()
        self._storage = self._job.storage()

    def work(self, element: ByRange) -> Iterator[IndexFile]:
        number, values = element
        pieces = [piece for value in values if isinstance(value, JudgedUnit) and (piece := self._rows(value))]
        if pieces:
            yield write_rows(self._job, number, pieces)

    def _rows(self, judged: JudgedUnit) -> bytes:
        leaks = {leak.item for leak in judged.leaks}
        kept = [k for k, reasons in enumerate(judged.reasons) if not reasons and k not in leaks]
        wanted = np.array(one_per_item(kept, judged.first), np.int64)
        if not len(wanted):
            return b""
        scored = read_table(self._storage, UnitFiles.of(self._recipe, judged.unit).scores)
        records = from_arrow(scored["fingerprint"], FINGERPRINT)[wanted]
        ids = scored["id"].take(pa.array(wanted)).to_pylist()
        return rows_of(records, ids, wanted, self._settings, unit=unit_number(judged.unit)).tobytes()


def write_rows(job: Job, number: int, pieces: Iterable[bytes]) -> IndexFile:
    """Write the rows of a range, which are given by unit in any order."""
    settings = job.load_recipe().dedupe or Dedupe()
    rows = np.frombuffer(b"".join(sorted(pieces)), row_dtype(settings))
    path = f"{STAGING}/duplicates/{job.run}/{number:05d}.rows"
    write_index(job.storage(), path, rows)
    return IndexFile(path, len(rows), -1, number)


class Pairs(ConcurrentDoFn):
    """Index file to the files of the edges that its share of the tasks finds, if there are any.

    Tasks are dealt to the files, which are on all workers already, and not shuffled.
    """

    extra_threads = 0

    def process(self, file: IndexFile, files: list[IndexFile]) -> Iterator[Any]:
        for turn in range(SLICES):  # which run side by side: all samples may be in one file
            yield from super().process((file, turn), files)

    def work(self, element: tuple[IndexFile, int], files: list[IndexFile]) -> Iterator[str]:
        file, turn = element
        settings = self._job.load_recipe().dedupe or Dedupe()
        tasks = list(tasks_of(all_files(self._job, files), settings))
        mine = tasks[sorted(files).index(file) * SLICES + turn :: len(files) * SLICES]
        edges = np.concatenate([np.zeros(0, EDGE), *(edges for task in mine for edges in self.edges(task, files))])
        if len(edges):
            path = f"{STAGING}/duplicates/{self._job.run}/edges/{file.range:05d}-{turn}.arrow"
            self._job.storage().write_bytes(path, table_bytes(pa.table({"edge": to_arrow(edges)})))
            yield path

    def edges(self, task: Task, files: Sequence[IndexFile]) -> Iterator[np.ndarray]:
        """The edges of a task, their ends numbered through all files."""
        settings = self._job.load_recipe().dedupe or Dedupe()
        yield from edges_of(index_of(self._job, all_files(self._job, files)), task, settings)


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
    """The files of all edges to the ranges that have Rejections, written with `write_decisions`. Runs once."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, edge_files: list[str], files: list[IndexFile]) -> Iterator[frozenset[int]]:
        storage = self._job.storage()
        tables = (read_table(storage, path) for path in sorted(edge_files))
        edges = np.concatenate([np.zeros(0, EDGE), *(from_arrow(table["edge"], EDGE) for table in tables)])
        by_range: dict[int, dict[int, tuple[Rejection, ...]]] = {}
        for (number, unit), rejections in decisions_of(self._job, edges, files).items():
            by_range.setdefault(number, {})[unit] = rejections
        for number, found in by_range.items():
            write_decisions(self._job, number, found)
        yield frozenset(by_range)


def decisions_of(
    job: Job, edges: np.ndarray, files: Sequence[IndexFile]
) -> dict[tuple[int, int], tuple[Rejection, ...]]:
    """Rejections by range and unit number, from all edges."""
    if not len(edges):
        return {}
    everything = all_files(job, files)
    rows = index_of(job, everything)
    chosen = nearest_kept(edges, rows, dedupe=job.load_recipe().dedupe is not None)
    return decisions(chosen, rows, Names(job, everything))


class Names:
    """Names of rows: a sample's id, an evaluation item's name; and the ranges that rows belong to."""

    def __init__(self, job: Job, files: Sequence[IndexFile]):
        self._storage = job.storage()
        self._references: list[Reference] = read_references(self._storage, job.references)
        self._starts = np.cumsum([0, *(file.num_rows for file in files)])
        self._ranges = np.array([file.range for file in files])
        self._known: dict[int, list[str]] = {}

    def ranges_of(self, places: np.ndarray) -> list[int]:
        """The range that each row belongs to."""
        found: list[int] = self._ranges[np.searchsorted(self._starts, places, "right") - 1].tolist()
        return found

    def of(self, place: int, sample_id: bytes, kind: int) -> str:
        """The name of the row at `place` among all rows."""
        if kind != EVALUATION:
            return sample_id.hex()
        number = int(np.searchsorted(self._starts, place, "right")) - 1
        if number not in self._known:
            self._known[number] = names_of(self._storage, self._references[number])
        return self._known[number][place - int(self._starts[number])]


def decisions(chosen: np.ndarray, rows: Index, names: Names) -> dict[tuple[int, int], tuple[Rejection, ...]]:
    """The chosen edges as Rejections, by range and unit, and the kept samples that the report shows next to them."""
    kinds = rows.take("kind", chosen["winner"])
    losers_shown, winners_shown = _shown(chosen, kinds == NEW)
    ids = [bytes(row) for row in rows.take("id", chosen["winner"])]
    units, items = rows.take("unit", chosen["loser"]).tolist(), rows.take("item", chosen["loser"]).tolist()
    ranges = names.ranges_of(chosen["loser"])
    decided: dict[tuple[int, int], list[Rejection]] = {}
    for k, (edge, kind) in enumerate(zip(chosen.tolist(), kinds.tolist(), strict=True)):
        winner, loser, reason, distance, similarity, _ = edge
        row = Rejection(
            item=items[k],
            reason=CONTAMINATED if kind == EVALUATION else REASONS[reason],
            duplicate_of=names.of(winner, ids[k], kind),
            distance=distance if distance >= 0 else None,
            similarity=None if np.isnan(similarity) else similarity,
            is_shown=loser in losers_shown,
        )
        decided.setdefault((ranges[k], units[k]), []).append(row)
    for winner in sorted(winners_shown):
        place = np.array([winner])
        unit, item = int(rows.take("unit", place)[0]), int(rows.take("item", place)[0])
        decided.setdefault((names.ranges_of(place)[0], unit), []).append(Rejection(item=item, is_shown=True))
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
