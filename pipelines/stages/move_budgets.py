"""Moving budgets: what small inputs of a remote source leave goes to those that want more, the same on any runner.

All inputs are fetched with their own shares first. What is left is divided when all are done, and only then are the
others fetched further, so that it does not matter which input is done first.
"""

from collections.abc import Iterable, Iterator

from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.fetch import fetch_inputs
from pipelines.stages.inspect import INPUTS_PER_BATCH, Batch
from pipelines.stages.step import ConcurrentDoFn
from sources.base.remote import BudgetUse, RemoteSource

Use = tuple[int, str, int, int | None]  # source, URI, and the fields of a BudgetUse


def has_budgets(job: Job, recipe: Recipe) -> bool:
    """Return True if there are several inputs among which budgets may move."""
    return job.num_inputs > 1 and any(isinstance(source, RemoteSource) for source in recipe.sources)


class FetchShares(ConcurrentDoFn):
    """(batch, URIs) to a Use for every input of a remote source. Failures are told when it is inspected."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()

    def work(self, element: tuple[Batch, Iterable[str]]) -> Iterator[Use]:
        (source, _), names = element
        if not isinstance(self._recipe.sources[source], RemoteSource):
            return
        uris = sorted(set(names))
        for start in range(0, len(uris), INPUTS_PER_BATCH):
            chunk = uris[start : start + INPUTS_PER_BATCH]
            found = fetch_inputs(self._job, self._recipe, source, chunk, retry_failed=self._job.retry_failed)
            for uri, use in found.items():
                if isinstance(use, BudgetUse):
                    yield source, uri, use.unused, use.wanted


def grants_of(recipe: Recipe, uses: Iterable[Use]) -> dict[int, dict[str, int]]:
    """Return how many items more inputs may have, by source and URI."""
    by_source: dict[int, dict[str, BudgetUse]] = {}
    for source, uri, unused, wanted in uses:
        by_source.setdefault(source, {})[uri] = BudgetUse(unused=unused, wanted=wanted)
    grants = {}
    for index, of_source in by_source.items():
        remote = recipe.sources[index]
        assert isinstance(remote, RemoteSource)
        grants[index] = dict(remote.moved_budgets(of_source))
    return grants
