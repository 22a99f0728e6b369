"""Verdicts: what filters and the comparison with other samples decide on each sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from filters.filter import Filter, Scores
from pipelines.recipe import Recipe
from pipelines.storage import Storage
from pipelines.tables.schema import CONTAMINATED, DUPLICATE, FAULT, KEPT, NOT_SCORED, REASON, REJECTED
from pipelines.tables.scores import read_scores
from pipelines.units import Unit
from taxonomy.targets import BEYOND_SHARE


class Rejection(NamedTuple):
    """What the comparison with other samples says of one row of a score file.

    Args:
        item: the row.
        reason: kind of duplicate, `contaminated` or `beyond_share`; empty for a kept sample that is only to be shown.
        duplicate_of: the kept sample's id, or the evaluation item's name.
        is_shown: the report wants its picture.
    """

    item: int
    reason: str = ""
    duplicate_of: str | None = None
    distance: int | None = None
    similarity: float | None = None
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided on one sample.

    Args:
        reasons: codes of all filters that rejected, in the recipe's order, or of what it repeats; empty means kept.
        repeats: what it was compared with, if something was found.
    """

    reasons: tuple[str, ...] = ()
    repeats: Rejection | None = None

    @property
    def is_kept(self) -> bool:
        return not self.reasons

    @property
    def name(self) -> str:
        """`kept`, `rejected` or `duplicate`."""
        if self.is_kept:
            return KEPT
        is_repeated = self.repeats is not None and self.repeats.reason not in (CONTAMINATED, BEYOND_SHARE)
        return DUPLICATE if is_repeated else REJECTED


def settle(verdicts: Sequence[Verdict], set_aside: Sequence[Rejection]) -> list[Verdict]:
    """The filters' verdicts, and on what they keep those of the comparison."""
    settled = list(verdicts)
    for row in set_aside:
        if row.reason:
            assert settled[row.item].is_kept
            settled[row.item] = Verdict((row.reason,), row)
    return settled


def judge(scored: pa.Table, filters: Sequence[Filter]) -> list[Verdict]:
    """The verdict on every row of a score file, from its scores alone."""
    columns = {name.removeprefix("score."): scored[name].to_pylist() for name in scored.column_names}
    verdicts = []
    none = [None] * len(scored)
    label_reasons = columns.get(REASON, none)
    for k in range(len(scored)):
        language = columns["language"][k]
        reasons = []
        for f in filters:
            if columns.get(FAULT + f.name, none)[k] is not None:
                reasons.append(NOT_SCORED)
                continue
            values: Mapping[str, float | None] = {name: columns[name][k] for name in f.score_names}
            reason = f.rejects(Scores(values=values, language=language))
            if reason is not None:
                reasons.append(reason)
        if label_reasons[k] is not None:
            reasons.append(label_reasons[k])
        verdicts.append(Verdict(tuple(reasons)))
    return verdicts


class Settled(NamedTuple):
    """A unit, and which of its samples the comparison set aside."""

    unit: Unit
    set_aside: tuple[Rejection, ...]

    def verdicts(self, storage: Storage, recipe: Recipe) -> tuple[pa.Table, list[Verdict]]:
        """The unit's scores, and the verdict on each of its samples, in the order of its part."""
        scored = read_scores(storage, recipe, self.unit)
        return scored, settle(judge(scored, recipe.filters), self.set_aside)
