"""Quotes of evaluation sets: a first pass finds their runs and counts in how many documents, a second one decides.

judged units ─► hits of each unit (a file) ─► documents of each run ─► common runs (a file) ─► leaks of each unit

A run of words that many documents have is a licence, a menu or an idiom, and no sign of a leak. All samples count,
also those that filters reject, so that a refit with other bounds finds the same runs.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.duplicates.contamination import COMMON_DOCUMENTS, CORPUS_SHARE
from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.references import Reference, names_of, read_references
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import STAGING, Storage, fetch
from pipelines.storage.arrow_file import read_local, read_table, table_bytes, write_table
from pipelines.tables.schema import CONTAMINATED
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.verdicts import JudgedUnit, Rejection
from pipelines.units import Unit, UnitFiles
from pipelines.workers.pool import readers_of
from pipelines.workers.protocol import FindHits, FindQuotes

COMMON_RUNS = f"{STAGING}/contamination/common_runs.arrow"  # stays, for a refit of the output
NUM_GROUPS = 16  # of runs, counted in parallel
ALL_DOCUMENTS = -1  # key of the documents themselves
PAGES = "page="  # locators of samples that are parts of one document; others are documents of their own


class CommonRuns(beam.PTransform[Any, Any]):
    """Judged units to the path of the common runs, once they and the hits of all units are written."""

    def __init__(self, job: Job):
        super().__init__()
        self._job = job

    def expand(self, units: beam.pvalue.PCollection[JudgedUnit]) -> beam.pvalue.PCollection[str]:
        written: beam.pvalue.PCollection[str] = (
            units
            | "Hits" >> beam.ParDo(Hits(self._job))
            | "ByRun" >> beam.GroupByKey()
            | "CountDocuments" >> beam.Map(count_documents)
            | "AllRuns" >> beam.GroupByKey()
            | "WriteCommonRuns" >> beam.ParDo(WriteCommonRuns(self._job))
        )
        return written


class Hits(ConcurrentDoFn):
    """Unit to (group of runs, (P, 2) uint64 pairs of run and document) as bytes; writes the unit's hits."""

    def work(self, judged: JudgedUnit) -> Iterator[tuple[int, bytes]]:
        storage, recipe, unit = self._job.storage(), self._job.load_recipe(), judged.unit
        references = with_texts(read_references(storage, self._job.references))
        documents = documents_of(recipe, storage, unit)
        yield ALL_DOCUMENTS, np.unique(documents).tobytes()
        with scratch_folder(storage) as scratch:
            part = fetch(storage.path(UnitFiles.of(recipe, unit).part), scratch / "part")
            hits = hits_in(part, references, storage, recipe, self._job.readers, scratch)
        if not len(hits):
            return
        storage.write_bytes(hits_path(self._job.run, unit), table_bytes(hits))
        pairs = np.stack([hits["run"].to_numpy(), documents[hits["row"].to_numpy()]], axis=1)
        groups = pairs[:, 0] % np.uint64(NUM_GROUPS)
        for group in np.unique(groups).tolist():
            yield int(group), np.unique(pairs[groups == group], axis=0).tobytes()


def count_documents(grouped: tuple[int, Iterable[bytes]]) -> tuple[None, tuple[int, bytes]]:
    """Runs that may be common, each with the number of its documents; or how many documents there are."""
    group, pieces = grouped
    values = np.frombuffer(b"".join(pieces), np.uint64)
    if group == ALL_DOCUMENTS:
        return None, (len(np.unique(values)), b"")
    runs, counts = np.unique(np.unique(values.reshape(-1, 2), axis=0)[:, 0], return_counts=True)
    some = counts >= COMMON_DOCUMENTS
    return None, (0, np.stack([runs[some], counts[some].astype(np.uint64)], axis=1).tobytes())


class WriteCommonRuns(beam.DoFn):
    """Counts of all groups to the file of the runs that enough documents have."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, element: tuple[None, Iterable[tuple[int, bytes]]]) -> Iterator[str]:
        pieces = sorted(element[1])
        counted = np.frombuffer(b"".join(data for _, data in pieces), np.uint64).reshape(-1, 2)
        is_common = counted[:, 1] >= CORPUS_SHARE * sum(number for number, _ in pieces)
        common = pa.table({"run": np.sort(counted[is_common, 0])})
        self._job.storage().write_bytes(COMMON_RUNS, table_bytes(common))
        yield COMMON_RUNS


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


def quotes_in_unit(job: Job, unit: Unit, references: Sequence[Reference]) -> list[Rejection]:
    """Contaminated texts of a unit, once all units' hits and the common runs are written."""
    storage = job.storage()
    if not storage.exists(hits_path(job.run, unit)):
        return []
    hits = read_table(storage, hits_path(job.run, unit))
    with scratch_folder(storage) as scratch:
        common = fetch(storage.path(COMMON_RUNS), scratch / "common")
        return leaks_of(hits, references, storage, common, job.load_recipe(), job.readers, scratch)


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
