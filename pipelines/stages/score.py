"""Scoring by part: filters that cost more than reading run on finished parts, in separate processes.

Their scores are in separate files, so that another filter, threshold or label computes nothing again. Whatever a
sample does to such a process, it costs that sample alone: its score is null, and it is rejected as `not_scored`.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from filters.filter import Filter
from pipelines.job import Job
from pipelines.stages.progress import progress_of
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import fetch
from pipelines.storage.arrow_file import read_table, write_table
from pipelines.tables.schema import FAULT
from pipelines.tables.scores import part_errors
from pipelines.units import Unit, UnitFiles
from pipelines.workers.pool import ItemFault, Program, ReaderPool, pool_of
from pipelines.workers.protocol import ScoreRows
from sources.base.source import InputError

FAILED_KEY = b"vellum.failed"  # in a score file: the unit's items that gave no sample, and so no row
GAVE_UP = "gave_up"


class Outcome(NamedTuple):
    """The result of scoring one sample.

    Args:
        values: in the order of the filter's score names; None where a score has no meaning, or there was a fault.
        fault: cause, if the scorer hung, died or ran out of memory on the sample; else None.
    """

    values: tuple[float | None, ...]
    fault: str | None


class ScoreAll(beam.PTransform[PCollection[Unit], PCollection[Unit]]):
    """Units to themselves, after all expensive filters of the recipe have scored them."""

    def __init__(self, job: Job):
        super().__init__()
        self._job = job

    def expand(self, units: PCollection[Unit]) -> PCollection[Unit]:
        for number, f in enumerate(self._job.load_recipe().filters_by_part()):
            how = f.worker()
            assert how is not None
            hints = {"min_ram": how.min_ram, "accelerator": how.accelerator}
            units = (
                units
                | f"Spread {f.name}" >> beam.Reshuffle()  # a cluster may have other machines for this
                | f"Score {f.name}"
                >> beam.ParDo(ScoreByPart(self._job, number)).with_resource_hints(
                    **{name: value for name, value in hints.items() if value is not None}
                )
            )
        return units


class ScoreByPart(ConcurrentDoFn):
    """Unit to itself, its score file made. Finished ones are used again.

    Args:
        number: index of the filter among the recipe's expensive ones.
    """

    def __init__(self, job: Job, number: int):
        super().__init__(job)
        self._number = number

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()
        self._filter = self._recipe.filters_by_part()[self._number]
        how = self._filter.worker()
        assert how is not None
        self._how = how

    def work(self, unit: Unit) -> Iterator[Unit]:
        files = UnitFiles.of(self._recipe, unit)
        path = files.by_part[self._number]
        scored = read_table(self._storage, files.scores)
        found: list[Outcome | None] = [None] * len(scored)
        failed = json.dumps([(error.slice, error.item) for error in part_errors(scored)]).encode()
        if self._storage.exists(path):
            finished = read_table(self._storage, path)
            if finished.schema.metadata[FAILED_KEY] == failed:  # else rows moved: items were read that had failed
                found = list(_outcomes_in(finished, self._filter))
        rows = [
            row
            for row, outcome in enumerate(found)
            if outcome is None or (self._job.retry_failed and outcome.fault is not None)
        ]
        if rows:
            with scratch_folder(self._storage) as scratch:
                part = fetch(self._storage.path(files.part), scratch / "part")
                for row, outcome in self._score(part, rows):
                    found[row] = outcome
                made = _table_of([outcome for outcome in found if outcome is not None], self._filter)
                write_table(made.replace_schema_metadata({FAILED_KEY: failed}), scratch / "scores")
                self._storage.publish_file(scratch / "scores", path)
        reused = len(found) - len(rows)
        progress_of(self._job).add(scores_reused=reused, samples_scored=reused)
        yield unit

    def _score(self, part: Path, rows: Sequence[int]) -> Iterator[tuple[int, Outcome]]:
        """Score rows of a part; a sample that the scorer hangs or dies on gets no score, nor do all after too many."""
        batch_size = self._how.batch_size
        pending = deque(list(rows[k : k + batch_size]) for k in range(0, len(rows), batch_size))
        nothing = (None,) * len(self._filter.score_names)
        num_faults = 0
        while pending:
            batch = pending.popleft()
            if num_faults >= self._recipe.limits.faults_per_unit:
                outcomes = [Outcome(nothing, GAVE_UP)] * len(batch)
            else:
                try:
                    with self._scorers().reader() as scorer:
                        answer = scorer.ask(ScoreRows(part=part, rows=tuple(batch)))
                    outcomes = [Outcome(tuple(values), None) for values in answer.values]
                except (ItemFault, InputError) as fault:
                    if len(batch) > 1:  # each alone shows which of them it was
                        pending.extendleft([row] for row in reversed(batch))
                        continue
                    outcomes = [Outcome(nothing, fault.cause)]
                    num_faults += 1
            progress_of(self._job).add(samples_scored=len(batch), scores_made=len(batch))
            yield from zip(batch, outcomes, strict=True)

    def _scorers(self) -> ReaderPool:
        """This process's scorers: as many as readers, but one where they would share an accelerator."""
        program = Program(
            module="pipelines.workers.scorer",
            settings=json.dumps({"recipe": self._recipe.to_json(secrets=True), "filter": self._filter.name}),
            timeout_s=self._how.timeout_s,
            start_timeout_s=self._how.start_timeout_s,
            recycle_requests=max(1, self._how.recycle_samples // self._how.batch_size),
            recycle_mb=self._how.recycle_mb,
        )
        return pool_of(program, 1 if self._how.accelerator else self._job.readers)


def _outcomes_in(scored: pa.Table, f: Filter) -> list[Outcome]:
    columns = [scored[name].to_pylist() for name in _column_names(f)]
    return [Outcome(tuple(values), fault) for *values, fault in zip(*columns, strict=True)]


def _table_of(outcomes: Sequence[Outcome], f: Filter) -> pa.Table:
    rows = [(*outcome.values, outcome.fault) for outcome in outcomes]
    types = [pa.float32()] * len(f.score_names) + [pa.string()]
    arrays = [pa.array([row[k] for row in rows], kind) for k, kind in enumerate(types)]
    return pa.table(arrays, names=_column_names(f))


def _column_names(f: Filter) -> list[str]:
    return [*(f"score.{name}" for name in f.score_names), FAULT + f.name]
