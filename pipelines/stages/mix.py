"""Mixing: every component of the recipe keeps its share of the tokens, and the rest of its samples is left out."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

import apache_beam as beam

from pipelines.job import Job
from pipelines.mixture.cuts import Cuts, bin_of, cut, key_of
from pipelines.stages.balance import Quotas, beyond_share
from pipelines.stages.decisions import ByRange, verdicts_of
from pipelines.stages.step import Tally, total_of
from pipelines.tables.mixture import FOUND, SAMPLES, TOKENS
from pipelines.tables.schema import NUM_TOKENS, OVER_SHARE
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import item_ids
from pipelines.tables.verdicts import Rejection, Verdict, decide


class TallyTokens(Tally):
    """(range, its JudgedUnits and Entries) to the tokens of kept samples by component and bin."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(
        self, element: ByRange, decided: Collection[int] = (), quotas: Quotas | None = None
    ) -> Iterator[Counter[str]]:
        found: Counter[str] = Counter()
        for judged, verdicts in verdicts_of(self._job, element, decided):
            scored = read_scores(self._storage, self._recipe, judged.unit)
            if quotas is not None:
                verdicts = decide(verdicts, beyond_share(scored, verdicts, quotas))
            component = self._recipe.component_of(judged.unit.source)
            found.update(tally(item_ids(scored, SLICE), scored[NUM_TOKENS].to_pylist(), verdicts, component))
        yield found


class Cut(beam.DoFn):
    """Runs once: the tallies of all ranges to where each component is cut."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, tallies: Iterable[Counter[str]]) -> Iterator[dict[str, int]]:
        mixture = self._job.load_recipe().mixture
        assert mixture is not None
        yield cut(total_of(tallies), mixture.shares, mixture.tokens)


def tally(
    item_ids: Sequence[str], num_tokens: Sequence[int], verdicts: Sequence[Verdict], component: str
) -> Counter[str]:
    """Tokens of the kept samples of a unit, by `key_of`; the samples of an item have one key."""
    found: Counter[str] = Counter()
    for item_id, number, verdict in zip(item_ids, num_tokens, verdicts, strict=True):
        if verdict.is_kept:
            found[key_of(component, item_id)] += number
    return found


def over_share(item_ids: Sequence[str], verdicts: Sequence[Verdict], component: str, cuts: Cuts) -> list[Rejection]:
    """The kept samples that their component has no room for; the samples of an item have room together or not."""
    return [
        Rejection(row, OVER_SHARE)
        for row, (item_id, verdict) in enumerate(zip(item_ids, verdicts, strict=True))
        if verdict.is_kept and bin_of(item_id) >= cuts[component]
    ]


def counts_of(
    component: str, num_tokens: Sequence[int], before: Sequence[Verdict], after: Sequence[Verdict]
) -> Counter[str]:
    """Counters of a unit: tokens that there were before the cut, and tokens and samples after it."""
    found: Counter[str] = Counter()
    for number, was, now in zip(num_tokens, before, after, strict=True):
        found[f"{FOUND}{component}"] += number * was.is_kept
        found[f"{TOKENS}{component}"] += number * now.is_kept
        found[f"{SAMPLES}{component}"] += now.is_kept
    return found
