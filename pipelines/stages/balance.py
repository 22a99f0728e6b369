"""Balance: every use case keeps at most its share of the samples asked for, the ones whose ids hash lowest.

Only a histogram of hashes by use case crosses a shuffle, so that memory does not grow with the data. A use case may
end a little below its share, by what one bin of the histogram holds: one sample in 16,384 of that use case.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import apache_beam as beam
import pyarrow as pa

from pipelines.job import Job
from pipelines.stages.decisions import ByRange, verdicts_of
from pipelines.stages.step import Tally, total_of
from pipelines.tables.labels import COLUMN
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import item_ids
from pipelines.tables.verdicts import Rejection, Verdict
from pipelines.taxonomy_files import targets_of
from taxonomy.targets import BEYOND_SHARE

NUM_BINS = 16_384
Quotas = Mapping[str, int]  # by use case, the first bin whose samples are left out


class TallyUseCases(Tally):
    """(range, its JudgedUnits and Entries) to the number of kept samples by `use case#bin`."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, element: ByRange, decided: Collection[int] = ()) -> Iterator[Counter[str]]:
        found: Counter[str] = Counter()
        for judged, verdicts in verdicts_of(self._job, element, decided):
            scored = read_scores(self._storage, self._recipe, judged.unit)
            found.update(f"{use_case}#{bin_of(item_id)}" for _, item_id, use_case in _kept(scored, verdicts))
        yield found


class Quota(beam.DoFn):
    """Runs once: the tallies of all ranges to where each use case is cut."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, tallies: Iterable[Counter[str]]) -> Iterator[dict[str, int]]:
        recipe = self._job.load_recipe()
        targets = targets_of(recipe, self._job.storage())
        assert targets is not None
        assert recipe.taxonomy is not None
        assert recipe.taxonomy.samples is not None
        yield cuts(total_of(tallies), targets, recipe.taxonomy.samples)


def cuts(tally: Mapping[str, int], targets: Mapping[str, float], num_samples: int) -> dict[str, int]:
    """Where to cut each use case, from the tally of all units.

    Args:
        tally: kept samples by `use case#bin`.
        targets: share of every use case; one without a share keeps nothing.
        num_samples: what the shares are shares of.
    """
    bins: dict[str, Counter[int]] = {}
    for key, count in tally.items():
        use_case, _, number = key.rpartition("#")
        bins.setdefault(use_case, Counter())[int(number)] += count
    found = {}
    for use_case, counts in bins.items():
        room = round(targets.get(use_case, 0.0) * num_samples)
        cut = NUM_BINS
        for bin_number in sorted(counts):
            room -= counts[bin_number]
            if room < 0:
                cut = bin_number
                break
        found[use_case] = cut
    return found


def beyond_share(scored: pa.Table, verdicts: Sequence[Verdict], cut: Quotas) -> list[Rejection]:
    """The kept rows of a score file that their use case has no room for."""
    return [
        Rejection(row, BEYOND_SHARE)
        for row, item_id, use_case in _kept(scored, verdicts)
        if bin_of(item_id) >= cut[use_case]
    ]


def bin_of(sample_id: str) -> int:
    """The bin of a sample: of its id's hash, so that it depends on nothing else."""
    return int.from_bytes(hashlib.sha256(f"{sample_id}/mix".encode()).digest()[:8], "big") % NUM_BINS


def _kept(scored: pa.Table, verdicts: Sequence[Verdict]) -> Iterator[tuple[int, str, str]]:
    """(row, id of the first sample of its item, use case) of the kept rows."""
    ids, use_cases = item_ids(scored, SLICE), scored[COLUMN + "use_case"].to_pylist()
    for row, verdict in enumerate(verdicts):
        if verdict.is_kept:
            yield row, ids[row], use_cases[row]
