"""Settling: what filters and comparison decided on a unit's samples, as entries of the output's tables and counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam

from pipelines.concurrent import COUNTS, ConcurrentDoFn
from pipelines.ledger import DUPLICATE, REJECTED, SAME_CONTENT, SetAside, judge, settle
from pipelines.mixing import Cuts, beyond_share
from pipelines.parts import read_table
from pipelines.progress import progress_of
from pipelines.staging import Entry, Unit, UnitFiles, bucket_of, split_of

LEDGER_ROW_BYTES = 700  # a ledger row's size, for planning shards


class Settled(NamedTuple):
    """A unit, and which of its samples the comparison set aside."""

    unit: Unit
    set_aside: tuple[SetAside, ...]


class Settle(ConcurrentDoFn):
    """(unit number, {"units", "decisions"}) to the entries of the unit's tables; counters to COUNTS."""

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, element: tuple[int, Mapping[str, Iterable[Any]]], cut: Cuts | None = None) -> Iterator[Any]:
        (unit,) = element[1]["units"]  # two units of one number would be an accident in 10^12 runs
        set_aside = tuple(sorted((row for rows in element[1]["decisions"] for row in rows), key=lambda row: row.item))
        scored = read_table(self._storage, UnitFiles.of(self._recipe, unit).scores)
        verdicts = settle(judge(scored, self._recipe.filters), set_aside)
        if cut is not None:
            beyond = beyond_share(scored, verdicts, cut)
            verdicts = settle(verdicts, beyond)
            set_aside = tuple(sorted((*set_aside, *beyond), key=lambda row: row.item))
        sizes = scored["num_bytes"].to_pylist()
        bucket = bucket_of(unit.digest, unit.first, self._recipe.sources[unit.source].items_per_unit)
        settled = Settled(unit, set_aside)
        names = Counter(verdict.name for verdict in verdicts)
        num_kept = len(verdicts) - names[REJECTED] - names[DUPLICATE]
        if num_kept:
            kept_bytes = sum(size for size, verdict in zip(sizes, verdicts, strict=True) if verdict.is_kept)
            document = self._recipe.sources[unit.source].document(unit.digest, unit.first)
            yield Entry(split_of(document, self._recipe.output.validation), bucket, kept_bytes, settled)
        if verdicts:
            yield Entry("ledger", bucket, LEDGER_ROW_BYTES * len(verdicts) * (1 + len(unit.copies)), settled)
        counts: Counter[str] = Counter()
        counts["samples.kept"] = num_kept
        counts[f"duplicates.{SAME_CONTENT}"] = len(verdicts) * len(unit.copies)
        for verdict in verdicts:
            if not verdict.is_kept:
                group = "duplicates" if verdict.name == DUPLICATE else "rejected"
                counts[f"{group}.{verdict.reasons[0]}"] += 1
        yield beam.pvalue.TaggedOutput(COUNTS, dict(+counts))
        num_leaks = sum(verdict.repeats is not None for verdict in verdicts) - names[DUPLICATE]
        progress_of(self._job).add(
            samples_kept=-names[DUPLICATE] - num_leaks, samples_rejected=num_leaks, samples_duplicate=names[DUPLICATE]
        )
