"""Deciding: filters and comparison together, written once per unit as its verdict file, and counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam

from pipelines.mixture.cuts import Cuts
from pipelines.stages.balance import Quotas, beyond_share
from pipelines.stages.mix import counts_of, over_share
from pipelines.stages.progress import progress_of
from pipelines.stages.step import ACCOUNT, ConcurrentDoFn
from pipelines.tables.schema import DUPLICATE, NUM_TOKENS, REJECTED, SAME_CONTENT
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import decided, item_ids
from pipelines.tables.verdicts import JudgedUnit, decide, write_verdicts
from pipelines.units import TableRow, bucket_of, splits_of, within_bucket

LEDGER_ROW_BYTES = 700  # a ledger row's size, for planning shards


class Decide(ConcurrentDoFn):
    """(unit number, {"units", "decisions"}) to the unit's TableRows and counters, all of them to ACCOUNT.

    The only step that makes verdicts: it writes the unit's verdict file, which the tables are then written from.
    """

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(
        self, element: tuple[int, Mapping[str, Iterable[Any]]], quotas: Quotas | None = None, cuts: Cuts | None = None
    ) -> Iterator[Any]:
        judged: JudgedUnit
        (judged,) = element[1]["units"]  # two units of one number would be an accident in 10^12 runs
        unit = judged.unit
        scored = read_scores(self._storage, self._recipe, unit)
        verdicts = decided(judged, element[1]["decisions"])
        if quotas is not None:
            verdicts = decide(verdicts, beyond_share(scored, verdicts, quotas))
        counts: Counter[str] = Counter()
        if cuts is not None:
            component, before = self._recipe.component_of(unit.source), verdicts
            verdicts = decide(verdicts, over_share(item_ids(scored, SLICE), verdicts, component, cuts))
            counts += counts_of(component, scored[NUM_TOKENS].to_pylist(), before, verdicts)
        write_verdicts(self._storage, self._job.run, unit, scored["id"], verdicts)
        items_per_unit = self._recipe.sources[unit.source].items_per_unit
        bucket, within = bucket_of(unit, items_per_unit), within_bucket(unit, items_per_unit)
        names = Counter(verdict.name for verdict in verdicts)
        num_kept = len(verdicts) - names[REJECTED] - names[DUPLICATE]
        slices = scored[SLICE].to_pylist()
        splits = splits_of(self._recipe, unit, slices, scored["locator"].to_pylist())
        kept_bytes: Counter[str] = Counter()
        num_copies = 0
        for number, split, size, verdict in zip(slices, splits, scored["num_bytes"].to_pylist(), verdicts, strict=True):
            num_copies += unit.slices[number].num_inputs - 1
            if verdict.is_kept:
                kept_bytes[split] += size
        for split, num_bytes in sorted(kept_bytes.items()):
            yield beam.pvalue.TaggedOutput(ACCOUNT, TableRow(split, bucket, num_bytes, unit, within))
        if verdicts:
            num_bytes = LEDGER_ROW_BYTES * (len(verdicts) + num_copies)
            yield beam.pvalue.TaggedOutput(ACCOUNT, TableRow("ledger", bucket, num_bytes, unit, within))
        counts["samples.kept"] = num_kept
        counts[f"duplicates.{SAME_CONTENT}"] = num_copies
        for verdict in verdicts:
            if not verdict.is_kept:
                group = "duplicates" if verdict.name == DUPLICATE else "rejected"
                counts[f"{group}.{verdict.reasons[0]}"] += 1
        yield beam.pvalue.TaggedOutput(ACCOUNT, dict(+counts))
        num_kept_before = sum(not reasons for reasons in judged.reasons)
        progress_of(self._job).add(
            f"decide {unit.name}",
            samples_kept=num_kept - num_kept_before,
            samples_rejected=num_kept_before - num_kept - names[DUPLICATE],
            samples_duplicate=names[DUPLICATE],
        )
