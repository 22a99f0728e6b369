"""The account of a run: the sums of its counters, and which bucket of the output goes to which shard."""

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam

from pipelines.tables.manifest import DATA_TABLES
from pipelines.units import TableRow


@dataclass(frozen=True, slots=True)
class Plan:
    """Which buckets make up which shard: per table, the first bucket of every shard, ascending."""

    starts: Mapping[str, tuple[int, ...]]

    def shard_of(self, table: str, bucket: int) -> str:
        """The shard's key, `table-number`."""
        return f"{table}-{bisect.bisect_right(self.starts[table], bucket) - 1:05d}"

    def path(self, key: str) -> str:
        """The shard's place in the output, in the hub's convention."""
        table, _, number = key.rpartition("-")
        folder = "data" if table in DATA_TABLES else table
        return f"{folder}/{table}-{number}-of-{len(self.starts[table]):05d}.parquet"


class Totals(NamedTuple):
    """The sums of all counters by name, and the plan of the shards."""

    counts: Mapping[str, int]
    plan: Plan


class _Sums(NamedTuple):
    counts: Counter[str]
    num_bytes: Counter[tuple[str, int]]  # by table and bucket


class SumUp(beam.CombineFn):
    """The account, TableRows and mappings of counters, to its Totals, in one step of the graph.

    Neighbouring buckets are joined until a shard has the bytes asked for.
    """

    def __init__(self, shard_mb: float):
        self._shard_bytes = int(shard_mb * 1_000_000)

    def create_accumulator(self) -> _Sums:
        return _Sums(Counter(), Counter())

    def add_input(self, accumulator: _Sums, entry: TableRow | Mapping[str, int]) -> _Sums:
        if isinstance(entry, TableRow):
            accumulator.num_bytes[entry.table, entry.bucket] += entry.num_bytes
        else:
            accumulator.counts.update(entry)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Sums]) -> _Sums:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.counts.update(accumulator.counts)
            merged.num_bytes.update(accumulator.num_bytes)
        return merged

    def extract_output(self, accumulator: _Sums) -> Totals:
        starts: dict[str, tuple[int, ...]] = {}
        for table in sorted({table for table, _ in accumulator.num_bytes}):
            sizes = sorted((bucket, size) for (name, bucket), size in accumulator.num_bytes.items() if name == table)
            starts[table] = tuple(_starts(sizes, self._shard_bytes))
        return Totals(dict(accumulator.counts), Plan(starts))


def by_shard(entry: TableRow | Mapping[str, int], totals: Totals) -> Iterator[tuple[str, Any]]:
    """A table row's payload under its shard's key; nothing of a mapping of counters."""
    if isinstance(entry, TableRow):
        yield totals.plan.shard_of(entry.table, entry.bucket), entry.payload


def _starts(sizes: list[tuple[int, int]], shard_bytes: int) -> list[int]:
    """First buckets of shards of about equal size, at most about `shard_bytes`: the last is no remnant."""
    total = sum(size for _, size in sizes)
    target = total / max(1, -(-total // shard_bytes))
    starts, filled = [0], 0
    for bucket, size in sizes:
        if filled and filled >= target * len(starts):
            starts.append(bucket)
        filled += size
    return starts
