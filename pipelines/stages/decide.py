"""Settling: what filters and comparison decided on a unit's samples, as entries of the output's tables and counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam

from pipelines.stages.balance import Quotas, beyond_share
from pipelines.stages.progress import progress_of
from pipelines.stages.step import COUNTS, ConcurrentDoFn
from pipelines.tables.schema import DUPLICATE, REJECTED, SAME_CONTENT
from pipelines.tables.verdicts import Settled, judge, settle
from pipelines.units import TableRow, bucket_of, split_of

LEDGER_ROW_BYTES = 700  # a ledger row's size, for planning shards


class Decide(ConcurrentDoFn):
    """(unit number, {"units", "decisions"}) to the entries of the unit's tables; counters to COUNTS."""

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, element: tuple[int, Mapping[str, Iterable[Any]]], cut: Quotas | None = None) -> Iterator[Any]:
        (unit,) = element[1]["units"]  # two units of one number would be an accident in 10^12 runs
        set_aside = tuple(sorted((row for rows in element[1]["decisions"] for row in rows), key=lambda row: row.item))
        settled = Settled(unit, set_aside)
        scored, verdicts = settled.verdicts(self._storage, self._recipe)
        if cut is not None:
            beyond = beyond_share(scored, verdicts, cut)
            verdicts = settle(verdicts, beyond)
            settled = Settled(unit, tuple(sorted((*set_aside, *beyond), key=lambda row: row.item)))
        sizes = scored["num_bytes"].to_pylist()
        bucket = bucket_of(unit.digest, unit.first, self._recipe.sources[unit.source].items_per_unit)
        names = Counter(verdict.name for verdict in verdicts)
        num_kept = len(verdicts) - names[REJECTED] - names[DUPLICATE]
        if num_kept:
            kept_bytes = sum(size for size, verdict in zip(sizes, verdicts, strict=True) if verdict.is_kept)
            document = self._recipe.sources[unit.source].document(unit.digest, unit.first)
            yield TableRow(split_of(document, self._recipe.output.validation), bucket, kept_bytes, settled)
        if verdicts:
            yield TableRow("ledger", bucket, LEDGER_ROW_BYTES * len(verdicts) * (1 + len(unit.copies)), settled)
        counts: Counter[str] = Counter()
        counts["samples.kept"] = num_kept
        counts[f"duplicates.{SAME_CONTENT}"] = len(verdicts) * len(unit.copies)
        for verdict in verdicts:
            if not verdict.is_kept:
                group = "duplicates" if verdict.name == DUPLICATE else "rejected"
                counts[f"{group}.{verdict.reasons[0]}"] += 1
        yield beam.pvalue.TaggedOutput(COUNTS, dict(+counts))
        num_kept_before = sum(verdict.is_kept for verdict in judge(scored, self._recipe.filters_while_reading()))
        progress_of(self._job).add(
            samples_kept=num_kept - num_kept_before,
            samples_rejected=num_kept_before - num_kept - names[DUPLICATE],
            samples_duplicate=names[DUPLICATE],
        )
