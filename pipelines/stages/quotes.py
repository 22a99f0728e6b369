"""Quotes of evaluation sets: a first pass finds their runs and counts in how many documents, a second one decides.

judged units ─► hits of each unit ─► range by range, documents of each run ─► common runs ─► leaks of each unit
Hits, numbers of documents and common runs are files.

A run of words that many documents have is a licence, a menu or an idiom, and no sign of a leak. All samples count,
also those that filters reject, so that a refit with other bounds finds the same runs.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.duplicates.contamination import COMMON_DOCUMENTS, CORPUS_SHARE
from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.decisions import ByRange
from pipelines.stages.references import Reference, names_of, read_references
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import STAGING, Storage, fetch
from pipelines.storage.arrow_file import read_local, read_table, table_bytes, write_table
from pipelines.tables.schema import CONTAMINATED
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import with_siblings
from pipelines.tables.verdicts import JudgedUnit, Rejection
from pipelines.units import Unit, UnitFiles
from pipelines.workers.pool import readers_of
from pipelines.workers.protocol import FindHits, FindQuotes

COMMON_RUNS = f"{STAGING}/contamination/common_runs.arrow"  # stays, for a refit of the output
MERGED_AT_ONCE = 1_000_000  # rows of the counts of ranges that wait until they are added up, at least
Counts = tuple[np.ndarray, np.ndarray]  # runs, ascending, and the documents that have each: (R,) uint64 both
PAGES = "page="  # locators of samples that are parts of one document; others are documents of their own


class RunCounts(NamedTuple):
    """The documents of a range.

    Args:
        path: a file of runs of the evaluation sets, and how many of the documents have each; empty if none has any.
    """

    num_documents: int
    path: str


class Hits(ConcurrentDoFn):
    """JudgedUnit to itself with the number of its hits, which are a file if there are any."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()
        self._references = with_texts(read_references(self._storage, self._job.references))

    def work(self, judged: JudgedUnit) -> Iterator[JudgedUnit]:
        with scratch_folder(self._storage) as scratch:
            part = fetch(self._storage.path(UnitFiles.of(self._recipe, judged.unit).part), scratch / "part")
            hits = hits_in(part, self._references, self._storage, self._recipe, self._job.readers, scratch)
        if len(hits):
            self._storage.write_bytes(hits_path(self._job.run, judged.unit), table_bytes(hits))
        yield judged._replace(num_hits=len(hits))


class FindLeaks(beam.PTransform[Any, Any]):
    """(range, what is known of its units) to the same, with the leaks of the units.

    Args:
        start: a collection of one element, with which the step begins that runs once.
    """

    def __init__(self, job: Job, start: beam.pvalue.PCollection[bytes]):
        super().__init__()
        self._job, self._start = job, start

    def expand(self, by_range: beam.pvalue.PCollection[ByRange]) -> beam.pvalue.PCollection[ByRange]:
        job = self._job
        counts = by_range | "CountRuns" >> beam.ParDo(CountRuns(job))
        common = self._start | "CommonRuns" >> beam.ParDo(WriteCommonRuns(job), beam.pvalue.AsIter(counts))
        found: beam.pvalue.PCollection[ByRange]
        found = by_range | "Leaks" >> beam.ParDo(Leaks(job), beam.pvalue.AsSingleton(common))
        return found


class CountRuns(ConcurrentDoFn):
    """(range, what is known of its units) to its RunCounts.

    The pages of a document are in one range, so that numbers of documents can be added up; those of a file that is so
    long that it has several ranges are a document in each of them.
    """

    extra_threads = 0

    def work(self, element: ByRange) -> Iterator[RunCounts]:
        number, values = element
        storage, recipe = self._job.storage(), self._job.load_recipe()
        documents, runs = [np.zeros(0, np.uint64)], [np.zeros((0, 2), np.uint64)]
        for judged in values:
            if not isinstance(judged, JudgedUnit):
                continue
            of_rows = documents_of(recipe, storage, judged.unit)
            documents.append(np.unique(of_rows))
            if judged.num_hits:
                hits = read_table(storage, hits_path(self._job.run, judged.unit))
                runs.append(np.stack([hits["run"].to_numpy(), of_rows[hits["row"].to_numpy()]], axis=1))
        pairs = np.unique(np.concatenate(runs), axis=0)
        path = ""
        if len(pairs):
            path = f"{STAGING}/duplicates/{self._job.run}/runs/{number:05d}.arrow"
            found, counts = np.unique(pairs[:, 0], return_counts=True)
            storage.write_bytes(path, table_bytes(pa.table({"run": found, "documents": counts.astype(np.uint64)})))
        yield RunCounts(len(np.unique(np.concatenate(documents))), path)


class WriteCommonRuns(beam.DoFn):
    """Runs once: the counts of all ranges to the path of the runs that enough documents have, once they are written."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, ranges: Iterable[RunCounts]) -> Iterator[str]:
        storage = self._job.storage()
        ranges = sorted(ranges)
        runs, counts = added_up(read_table(storage, each.path) for each in ranges if each.path)
        least = max(COMMON_DOCUMENTS, CORPUS_SHARE * sum(each.num_documents for each in ranges))
        storage.write_bytes(COMMON_RUNS, table_bytes(pa.table({"run": runs[counts >= least]})))
        yield COMMON_RUNS


def added_up(tables: Iterable[pa.Table]) -> Counts:
    """The sums of tables of runs and documents. Memory: 16 bytes a run, some times."""
    total = np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    waiting: list[Counts] = []
    for table in tables:
        waiting.append((table["run"].to_numpy(), table["documents"].to_numpy()))
        if sum(len(runs) for runs, _ in waiting) > max(MERGED_AT_ONCE, len(total[0])):
            total, waiting = _sums([total, *waiting]), []
    return _sums([total, *waiting])


def _sums(counts: Sequence[Counts]) -> Counts:
    runs, places = np.unique(np.concatenate([each for each, _ in counts]), return_inverse=True)
    sums = np.zeros(len(runs), np.uint64)
    np.add.at(sums, places, np.concatenate([each for _, each in counts]))
    return runs, sums


class Leaks(ConcurrentDoFn):
    """(range, what is known of its units) to the same with the leaks of the units, of the samples that filters keep."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()
        self._references = with_texts(read_references(self._storage, self._job.references))

    def work(self, element: ByRange, common: str) -> Iterator[ByRange]:
        """Find the leaks of a range.

        Args:
            common: path of the runs that do not count.
        """
        number, values = element
        yield number, [self._with_leaks(each, common) if _has_hits(each) else each for each in values]

    def _with_leaks(self, judged: JudgedUnit, common: str) -> JudgedUnit:
        storage = self._storage
        hits = read_table(storage, hits_path(self._job.run, judged.unit))
        with scratch_folder(storage) as scratch:
            runs = fetch(storage.path(common), scratch / "common")
            found = leaks_of(hits, self._references, storage, runs, self._recipe, self._job.readers, scratch)
        leaks = [leak for leak in found if not judged.reasons[leak.item]]
        return judged._replace(leaks=tuple(with_siblings(leaks, judged.verdicts(), judged.first)))


def _has_hits(value: Any) -> bool:
    return isinstance(value, JudgedUnit) and value.num_hits > 0


def with_texts(references: Sequence[Reference]) -> list[Reference]:
    """The references that have texts to be quoted."""
    return [reference for reference in references if reference.runs]


def documents_of(recipe: Recipe, storage: Storage, unit: Unit) -> np.ndarray:
    """(N,) uint64: a number for the document of each sample of a unit. Copies of an input count once."""
    scored = read_scores(storage, recipe, unit)
    source = recipe.sources[unit.source]
    numbers = []
    for number, locator in zip(scored[SLICE].to_pylist(), scored["locator"].to_pylist(), strict=True):
        piece = unit.slices[number]
        name = source.document(piece.digest, piece.first, locator)
        name += "" if locator.startswith(PAGES) else f"#{locator}"
        numbers.append(hashlib.blake2b(name.encode(), digest_size=8).digest())
    return np.frombuffer(b"".join(numbers), "<u8")


def hits_path(run: str, unit: Unit) -> str:
    """The file of a unit's hits, relative to the output; there is none if no sample has any."""
    return f"{STAGING}/duplicates/{run}/hits/{unit.source}-{unit.name}.arrow"


def hits_in(
    part: Path, references: Sequence[Reference], storage: Storage, recipe: Recipe, num_readers: int, scratch: Path
) -> pa.Table:
    """Runs of the references' texts in the samples of a part: row, run, words of the run, number of the reference.

    Args:
        storage: has the files of the references.
    """
    runs = [fetch(storage.path(each.runs), scratch / f"runs-{number}") for number, each in enumerate(references)]
    with readers_of(recipe, num_readers).reader() as reader:
        reader.ask(FindHits(part=part, runs=runs, out=scratch / "hits"))
    return read_local(scratch / "hits")


def leaks_of(
    hits: pa.Table, references: Sequence[Reference], storage: Storage, common: Path, recipe: Recipe, num_readers: int,
    scratch: Path,
) -> list[Rejection]:  # fmt: skip
    """Contaminated texts of a part, the first reference that is quoted for each.

    Args:
        hits: as `hits_in` found them.
        storage: has the files of the references.
        common: local file of the runs that do not count.
    """
    found: dict[int, Rejection] = {}
    for number, reference in enumerate(references):
        mine = hits.filter(pc.equal(hits["reference"], number)).combine_chunks()
        if not len(mine):
            continue
        write_table(mine, scratch / "hits")
        runs = fetch(storage.path(reference.runs), scratch / "runs")
        with readers_of(recipe, num_readers).reader() as reader:
            quotes = reader.ask(FindQuotes(hits=scratch / "hits", runs=runs, common=common)).quotes
        names = names_of(storage, reference) if quotes else []
        for row, item, share, words in quotes:
            leak = Rejection(
                item=row, reason=CONTAMINATED, duplicate_of=names[item], similarity=share, matched_words=words
            )
            found.setdefault(row, leak)
    return list(found.values())
