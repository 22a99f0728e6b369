"""A unit on whose samples everything is decided: what shards are written from."""

from typing import NamedTuple

import pyarrow as pa

from pipelines.recipe import Recipe
from pipelines.scores import read_scores
from pipelines.staging import Unit
from pipelines.storage import Storage
from pipelines.verdicts import SetAside, Verdict, judge, settle


class Settled(NamedTuple):
    """A unit, and which of its samples the comparison set aside."""

    unit: Unit
    set_aside: tuple[SetAside, ...]

    def verdicts(self, storage: Storage, recipe: Recipe) -> tuple[pa.Table, list[Verdict]]:
        """The unit's scores, and the verdict on each of its samples, in the order of its part."""
        scored = read_scores(storage, recipe, self.unit)
        return scored, settle(judge(scored, recipe.filters), self.set_aside)
