"""The samples of a ledger shard that the report may show, which have a thumbnail in the ledger.

They are the same whatever the order of work: per reason the smallest ids, groups of duplicates, and the samples whose
scores are nearest to each threshold, kept ones and ones that nothing else rejects.
"""

import heapq
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.recipe import Recipe
from pipelines.tables.bounds import bounds_of, nearest, only_here
from pipelines.tables.schema import KEPT

NEAREST_SHOWN = 4  # samples on each side of a threshold
DECIDED = ("id", "verdict", "reason", "reasons", "is_shown")


class Shown:
    """Collects the light columns of one ledger shard, unit by unit.

    Args:
        recipe: its thresholds, and how many pictures a reason has.
    """

    def __init__(self, recipe: Recipe):
        self._number = recipe.output.thumbnails
        self._bounds = bounds_of(recipe.to_json())
        self._units: list[pa.Table] = []

    def add(self, verdicts: pa.Table, scores: Sequence[pa.ChunkedArray | pa.Array], names: Sequence[str]) -> None:
        """Add the samples of a unit.

        Args:
            verdicts: has the columns `DECIDED`.
            scores: a column for each of `names`.
        """
        if self._number:
            columns = dict(zip(names, scores, strict=True))
            wanted = {bound.score: columns[bound.score] for bound in self._bounds}
            self._units.append(pa.table({**{name: verdicts[name] for name in DECIDED}, **wanted}))

    def ids(self) -> set[str]:
        """The ids of the samples to be shown."""
        if not self._units:
            return set()
        rows = pa.concat_tables(self._units).combine_chunks()
        found = set(rows["id"].filter(rows["is_shown"]).to_pylist())
        reasons = rows["reason"].fill_null(KEPT)
        for reason in pc.unique(reasons).to_pylist():
            found.update(heapq.nsmallest(self._number, rows["id"].filter(pc.equal(reasons, reason)).to_pylist()))
        kept = pc.equal(rows["verdict"], KEPT).to_numpy(zero_copy_only=False)
        for bound in self._bounds:
            values = rows[bound.score].to_numpy(zero_copy_only=False)
            for wanted in (kept, only_here(rows["reasons"], bound)):
                places = nearest(values, rows["id"], wanted, bound, NEAREST_SHOWN)
                found.update(rows["id"].take(pa.array(places, pa.int64())).to_pylist())
        return found
