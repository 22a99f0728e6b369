"""Deciding: filters and comparison together, written once per unit as its verdict file, and counted."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from pipelines.mixture.cuts import Cuts
from pipelines.stages.account import Account, Entry
from pipelines.stages.balance import Quotas, beyond_share
from pipelines.stages.decisions import ByRange, verdicts_of
from pipelines.stages.mix import counts_of, over_share
from pipelines.stages.plan_shards import RangeSums, SumUp
from pipelines.stages.progress import progress_of
from pipelines.stages.step import ConcurrentDoFn
from pipelines.tables.schema import DUPLICATE, NUM_TOKENS, REJECTED, SAME_CONTENT
from pipelines.tables.scores import SLICE, read_scores
from pipelines.tables.siblings import item_ids
from pipelines.tables.verdicts import JudgedUnit, Verdict, decide, write_verdicts
from pipelines.units import TableRow, bucket_of, splits_of, within_bucket

LEDGER_ROW_BYTES = 700  # a ledger row's size, for planning shards


class Decide(ConcurrentDoFn):
    """(range, its JudgedUnits and Entries) to the sums of the range, whose account is written.

    The only step that makes verdicts: it writes the units' verdict files, which the tables are then written from.
    """

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def counters(self, output: RangeSums) -> Mapping[str, int]:
        """The counters of this step."""
        return output.counters

    def work(
        self, element: ByRange, decided: Collection[int] = (), quotas: Quotas | None = None, cuts: Cuts | None = None
    ) -> Iterator[RangeSums]:
        number, values = element[0], list(element[1])
        rows: list[TableRow] = []
        earlier: Counter[str] = Counter()  # of other steps, which have shown them
        units, errors = [], []
        for value in values:
            if isinstance(value, Entry):
                if isinstance(value.content, TableRow):
                    rows.append(value.content)
                    errors.append(value.content.payload)
                else:
                    earlier.update(value.content)
        counters: Counter[str] = Counter()
        for judged, verdicts in verdicts_of(self._job, (number, values), decided):
            made, counts = self._decided(judged, verdicts, quotas, cuts)
            units.append((judged.unit, [row.table for row in made]))
            rows += made
            counters.update(counts)
        Account(units, errors).write(self._storage, self._job.run, number)
        sums = SumUp.of([*rows, earlier, counters])
        yield RangeSums(number, sums, dict(counters))

    def _decided(
        self, judged: JudgedUnit, verdicts: list[Verdict], quotas: Quotas | None, cuts: Cuts | None
    ) -> tuple[list[TableRow], Counter[str]]:
        """The rows of a unit in the tables, and its counters."""
        unit = judged.unit
        scored = read_scores(self._storage, self._recipe, unit)
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
        rows = [TableRow(split, bucket, num_bytes, unit, within) for split, num_bytes in sorted(kept_bytes.items())]
        if verdicts:
            num_bytes = LEDGER_ROW_BYTES * (len(verdicts) + num_copies)
            rows.append(TableRow("ledger", bucket, num_bytes, unit, within))
        counts["samples.kept"] = num_kept
        counts[f"duplicates.{SAME_CONTENT}"] = num_copies
        for verdict in verdicts:
            if not verdict.is_kept:
                group = "duplicates" if verdict.name == DUPLICATE else "rejected"
                counts[f"{group}.{verdict.reasons[0]}"] += 1
        num_kept_before = sum(not reasons for reasons in judged.reasons)
        progress_of(self._job).add(
            f"decide {unit.name}",
            samples_kept=num_kept - num_kept_before,
            samples_rejected=num_kept_before - num_kept - names[DUPLICATE],
            samples_duplicate=names[DUPLICATE],
        )
        return rows, +counts
