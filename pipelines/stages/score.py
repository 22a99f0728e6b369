"""Scoring by part: filters that cost more than reading run on finished parts, in separate processes.

Their scores are in separate files, one for each group of scores that a filter measures together, so that another
filter, axis, threshold or label computes nothing again. Whatever a sample does to such a process, it costs that sample
alone: its score is null, and it is rejected as `not_scored`.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from pipelines.job import Job
from pipelines.stages.progress import MEASURED, SCORING_MS, progress_of
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.shared_pool import Asks, shared
from pipelines.stages.staged_files import whole_table
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import fetch
from pipelines.storage.arrow_file import check_local, read_table, write_table
from pipelines.tables.schema import FAULT
from pipelines.tables.scores import CHOSEN, SCORE, part_errors, skip_reasons
from pipelines.units import Unit, UnitFiles
from pipelines.workers.pool import CRASHES_BEFORE_BLAME, ItemFault, program_of, scorers_of
from pipelines.workers.process import KILLED
from pipelines.workers.protocol import ScoreRows
from sources.base.source import InputError

FAILED_KEY = b"vellum.failed"  # in a score file: the unit's items that gave no sample, and so no row
GAVE_UP = "gave_up"
NOT_MEASURED = "not_measured"  # in a score file: an earlier recipe did not let the filter measure the sample


class Outcome(NamedTuple):
    """The result of scoring one sample.

    Args:
        values: in the order of the filter's score names; None where a score has no meaning, or there was a fault.
        fault: cause, if the scorer hung, died or ran out of memory on the sample, or could not measure it; else None.
        use_case: leaf of the taxonomy that the filter chose.
    """

    values: tuple[float | None, ...]
    fault: str | None
    use_case: str | None = None


Tell = Callable[[int], None]  # takes the number of further samples that are scored
Found = list[Outcome | None]  # of a group of scores, by row; None: not measured yet


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
    """Unit to itself, its score files made. Finished ones are used again.

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
        self._groups = self._filter.score_groups()

    def work(self, unit: Unit) -> Iterator[Unit]:
        files = UnitFiles.of(self._recipe, unit)
        paths = files.by_part[self._number]
        scored = read_table(self._storage, files.scores)
        skipped = [reason is not None for reason in skip_reasons(self._filter, self._recipe, unit.source, scored)]
        failed = json.dumps([(error.slice, error.item) for error in part_errors(scored)]).encode()
        found = [self._kept(path, group, failed, len(scored)) for path, group in zip(paths, self._groups, strict=True)]
        wanted = self._wanted(found, skipped)
        progress, key, done = progress_of(self._job), f"score {self._filter.name} {unit.name}", 0

        def tell(num_samples: int) -> None:
            nonlocal done
            done += num_samples
            progress.add(key, samples_scored=done)

        with scratch_folder(self._storage) as scratch:
            if wanted:
                measured = files.rows if self._filter.measures_conversations else files.part
                part = fetch(self._storage.path(measured), scratch / "part")
                if not self._storage.is_local:  # else it was checked when the unit was staged
                    check_local(part)
                for groups, rows in wanted.items():
                    self._measure(part, groups, rows, found, tell)
            changed = {group for groups in wanted for group in groups}
            for number, path in enumerate(paths):
                if number in changed or not self._storage.exists(path):
                    nothing = Outcome((None,) * len(self._groups[number]), NOT_MEASURED)
                    made = self._table_of([outcome or nothing for outcome in found[number]], self._groups[number])
                    write_table(made.replace_schema_metadata({FAILED_KEY: failed}), scratch / f"scores-{number}")
                    self._storage.publish_file(scratch / f"scores-{number}", path)
        reused = len(scored) - sum(map(len, wanted.values())) - sum(skipped)
        tell(reused + sum(skipped))
        progress.add(key, scores_reused=reused, samples_skipped=sum(skipped))
        yield unit

    def _kept(self, path: str, group: Sequence[str], failed: bytes, num_rows: int) -> Found:
        """What is in a score file, if there is one for the same rows."""
        if self._storage.exists(path):
            finished = whole_table(self._job, self._storage, path)
            if finished is None:
                return [None] * num_rows
            if CHOSEN not in finished.column_names:  # of an earlier version
                finished = finished.append_column(CHOSEN, pa.nulls(len(finished), pa.string()))
            if finished.schema.metadata[FAILED_KEY] == failed:  # else rows moved: items were read that had failed
                columns = [finished[name].to_pylist() for name in self._column_names(group)]
                outcomes = [
                    Outcome(tuple(values), fault, use_case) for *values, fault, use_case in zip(*columns, strict=True)
                ]
                return [None if outcome.fault in (NOT_MEASURED, KILLED) else outcome for outcome in outcomes]
        return [None] * num_rows

    def _wanted(self, found: Sequence[Found], skipped: Sequence[bool]) -> dict[tuple[int, ...], list[int]]:
        """The rows that have to be measured, by the groups of scores that they lack."""
        wanted: dict[tuple[int, ...], list[int]] = {}
        for row, is_skipped in enumerate(skipped):
            outcomes = [of_group[row] for of_group in found]
            lacking = tuple(
                number
                for number, outcome in enumerate(outcomes)
                if outcome is None or (self._job.retry_failed and outcome.fault is not None)
            )
            if lacking and not is_skipped:
                wanted.setdefault(lacking, []).append(row)
        return wanted

    def _measure(
        self,
        part: Path,
        groups: Sequence[int],
        rows: Sequence[int],
        found: Sequence[Found],
        tell: Tell,
    ) -> None:
        """Measure some groups of scores on rows, put the outcomes into `found` and tell how many there are."""
        names = tuple(name for number in groups for name in self._groups[number])
        for row, outcome in self._score(part, rows, names, tell):
            values = dict(zip(names, outcome.values, strict=True))
            for number in groups:
                found[number][row] = Outcome(
                    tuple(values[name] for name in self._groups[number]), outcome.fault, outcome.use_case
                )

    def _score(
        self, part: Path, rows: Sequence[int], names: tuple[str, ...], tell: Tell
    ) -> Iterator[tuple[int, Outcome]]:
        """Score rows of a part; a sample that the scorer hangs or dies on gets no score, nor do all after too many."""
        batch_size = self._how.batch_size
        pending = deque((list(rows[k : k + batch_size]), False) for k in range(0, len(rows), batch_size))
        nothing = (None,) * len(names)
        num_faults = 0
        while pending:
            batch, has_failed = pending.popleft()
            if num_faults >= self._recipe.limits.faults_per_unit:
                outcomes = [Outcome(nothing, GAVE_UP)] * len(batch)
            else:
                try:
                    # A crash over a batch is the first over each of its samples, which are asked for alone then.
                    crashes = 1 if has_failed or len(batch) > 1 else CRASHES_BEFORE_BLAME
                    answer = self._scorers().ask(ScoreRows(part=part, rows=tuple(batch), names=names), crashes)
                    spent = {f"{SCORING_MS}{self._filter.name}": round(1000 * answer.seconds)}
                    progress_of(self._job).add("", **spent, **{f"{MEASURED}{self._filter.name}": len(batch)})
                    outcomes = [
                        Outcome(tuple(values), *rest)
                        for values, *rest in zip(answer.values, answer.faults, answer.use_cases, strict=True)
                    ]
                except (ItemFault, InputError) as fault:
                    if len(batch) > 1:  # each alone shows which of them it was
                        pending.extendleft(([row], True) for row in reversed(batch))
                        continue
                    outcomes = [Outcome(nothing, fault.cause)]
                    num_faults += 1
            tell(len(batch))
            progress_of(self._job).add("", scores_made=len(batch))
            yield from zip(batch, outcomes, strict=True)

    def _scorers(self) -> Asks:
        """The scorers that this process uses."""
        program = program_of(self._recipe, self._filter)
        if self._how.processes is not None and not self._job.is_local:
            return shared(program, self._how.processes, f"{self._job.run}-{self._filter.name}")
        return scorers_of(self._recipe, self._filter, self._job.readers)

    def _table_of(self, outcomes: Sequence[Outcome], group: Sequence[str]) -> pa.Table:
        rows = [(*outcome.values, outcome.fault, outcome.use_case) for outcome in outcomes]
        types = [pa.float32()] * len(group) + [pa.string()] * 2
        arrays = [pa.array([row[k] for row in rows], kind) for k, kind in enumerate(types)]
        return pa.table(arrays, names=self._column_names(group))

    def _column_names(self, group: Sequence[str]) -> list[str]:
        return [*(SCORE + name for name in group), FAULT + self._filter.name, CHOSEN]
