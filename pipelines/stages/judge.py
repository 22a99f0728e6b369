"""Judging: the recipe's thresholds, applied once to the scores of each unit."""

from collections.abc import Iterator

from pipelines.stages.progress import progress_of
from pipelines.stages.step import ConcurrentDoFn
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import first_rows
from pipelines.tables.verdicts import JudgedUnit, judge
from pipelines.units import Unit


class Judge(ConcurrentDoFn):
    """Unit to JudgedUnit. Every later step takes the filters' verdicts from it."""

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, unit: Unit) -> Iterator[JudgedUnit]:
        scored = read_scores(self._storage, self._recipe, unit)
        component = self._recipe.component_of(unit.source)
        first = first_rows(scored[SLICE].to_pylist(), scored["locator"].to_pylist())
        judged = JudgedUnit(unit, tuple(judge(scored, self._recipe.filters, component)), first)
        num_kept = sum(not reasons for reasons in judged.reasons)
        num_rejected = len(judged.reasons) - num_kept
        progress_of(self._job).add(f"judge {unit.name}", samples_kept=num_kept, samples_rejected=num_rejected)
        yield judged
