"""Verdicts: filters judge a sample, the comparison with other samples decides the rest, and each unit has one file.

A unit's verdict file belongs to a run, because a verdict depends on every other sample of the run. It has the ledger's
columns, so that the tables join it as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from filters.filter import Filter, Scores
from pipelines.storage import STAGING, Storage
from pipelines.storage.arrow_file import SUFFIX, read_table, table_bytes
from pipelines.tables.schema import (
    CONTAMINATED,
    DUPLICATE,
    FAULT,
    KEPT,
    NOT_SCORED,
    OVER_SHARE,
    REASON,
    REJECTED,
    VERDICT_FIELDS,
)
from pipelines.units import Unit
from taxonomy.targets import BEYOND_SHARE

NO_DUPLICATE = (CONTAMINATED, BEYOND_SHARE, OVER_SHARE)  # reasons to reject that the comparison of samples gives
FOLDER = f"{STAGING}/verdicts"
SCHEMA = pa.schema([("id", pa.string()), *VERDICT_FIELDS, ("is_shown", pa.bool_())])


class Rejection(NamedTuple):
    """The result of comparing one row of a score file with other samples.

    Args:
        item: the row.
        reason: kind of duplicate, `contaminated`, `beyond_share` or `over_share`; empty for a kept sample that is only
            to be shown.
        duplicate_of: the kept sample's id, or the evaluation item's name.
        matched_words: of the evaluation item, where its text is quoted.
        is_shown: the report wants its picture.
    """

    item: int
    reason: str = ""
    duplicate_of: str | None = None
    distance: int | None = None
    similarity: float | None = None
    matched_words: str | None = None
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one sample.

    Args:
        reasons: codes of all filters that rejected it, in the recipe's order, or of the comparison; empty means kept.
        comparison: the result of the comparison, if there is one.
    """

    reasons: tuple[str, ...] = ()
    comparison: Rejection | None = None

    @property
    def is_kept(self) -> bool:
        return not self.reasons

    @property
    def name(self) -> str:
        """`kept`, `rejected` or `duplicate`."""
        if self.is_kept:
            return KEPT
        is_duplicate = self.comparison is not None and self.comparison.reason not in NO_DUPLICATE
        return DUPLICATE if is_duplicate else REJECTED


class JudgedUnit(NamedTuple):
    """A unit and what the recipe's filters decide on its samples.

    Args:
        reasons: for each sample, in the order of the part, the codes of all filters that reject it.
        first: for each sample, the first sample of the same item (`pipelines/tables/siblings.py`).
        num_hits: how often runs of the evaluation sets are in the samples (`pipelines/stages/quotes.py`).
        leaks: of the samples that filters keep, those whose text is in an evaluation set.
    """

    unit: Unit
    reasons: tuple[tuple[str, ...], ...]
    first: tuple[int, ...]
    num_hits: int = 0
    leaks: tuple[Rejection, ...] = ()

    def verdicts(self) -> list[Verdict]:
        """The filters' verdicts, before samples are compared."""
        return [Verdict(reasons) for reasons in self.reasons]


def judge(scored: pa.Table, filters: Sequence[Filter], component: str = "") -> list[tuple[str, ...]]:
    """The codes of all filters that reject each row of a score file, from its scores alone.

    Args:
        component: the component of the rows' source, which some filters do not judge.
    """
    columns = {name.removeprefix("score."): scored[name].to_pylist() for name in scored.column_names}
    none = [None] * len(scored)
    label_reasons = columns.get(REASON, none)
    judging = [f for f in filters if f.judges(component)]
    found = []
    for k in range(len(scored)):
        language = columns["language"][k]
        reasons = []
        for f in judging:
            if columns.get(FAULT + f.name, none)[k] is not None:
                reasons.append(NOT_SCORED)
                continue
            values: Mapping[str, float | None] = {name: columns[name][k] for name in f.score_names}
            reason = f.rejects(Scores(values=values, language=language))
            if reason is not None:
                reasons.append(reason)
        if label_reasons[k] is not None:
            reasons.append(label_reasons[k])
        found.append(tuple(reasons))
    return found


def decide(verdicts: Sequence[Verdict], rejections: Sequence[Rejection]) -> list[Verdict]:
    """The filters' verdicts, with the results of the comparison on the samples that they keep."""
    decided = list(verdicts)
    for row in rejections:
        before = decided[row.item]
        assert before.is_kept
        if before.comparison is not None:
            row = row._replace(is_shown=row.is_shown or before.comparison.is_shown)
        decided[row.item] = Verdict((row.reason,) if row.reason else (), row)
    return decided


def verdict_table(ids: pa.ChunkedArray, verdicts: Sequence[Verdict]) -> pa.Table:
    """Verdicts as a table of `SCHEMA`."""
    nothing = Rejection(item=-1)
    results = [verdict.comparison or nothing for verdict in verdicts]
    columns = [
        ids,
        [verdict.name for verdict in verdicts],
        [verdict.reasons[0] if verdict.reasons else None for verdict in verdicts],
        [list(verdict.reasons) for verdict in verdicts],
        [result.duplicate_of for result in results],
        [result.distance for result in results],
        [result.similarity for result in results],
        [result.matched_words for result in results],
        [result.is_shown for result in results],
    ]
    return pa.table(columns, schema=SCHEMA)


def write_verdicts(storage: Storage, run: str, unit: Unit, ids: pa.ChunkedArray, verdicts: Sequence[Verdict]) -> None:
    """Write a unit's verdict file; a retried step writes the same bytes."""
    storage.write_bytes(_path(run, unit), table_bytes(verdict_table(ids, verdicts)))


def read_verdicts(storage: Storage, run: str, unit: Unit) -> pa.Table:
    """One row per sample, in the order of the unit's part: `SCHEMA`."""
    return read_table(storage, _path(run, unit))


def _path(run: str, unit: Unit) -> str:
    return f"{FOLDER}/{run}/{unit.source}/{unit.name[:2]}/{unit.name}{SUFFIX}"
