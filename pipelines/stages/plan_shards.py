"""Which bucket of the output goes to which shard."""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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


class MakePlan(beam.CombineFn):
    """Entries to the Plan: neighbouring buckets are joined until a shard has the bytes asked for."""

    def __init__(self, shard_mb: float):
        self._shard_bytes = int(shard_mb * 1_000_000)

    def create_accumulator(self) -> dict[tuple[str, int], int]:
        return {}

    def add_input(self, accumulator: dict[tuple[str, int], int], entry: TableRow) -> dict[tuple[str, int], int]:
        key = (entry.table, entry.bucket)
        accumulator[key] = accumulator.get(key, 0) + entry.num_bytes
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[dict[tuple[str, int], int]]) -> dict[tuple[str, int], int]:
        merged: dict[tuple[str, int], int] = {}
        for accumulator in accumulators:
            for key, num_bytes in accumulator.items():
                merged[key] = merged.get(key, 0) + num_bytes
        return merged

    def extract_output(self, accumulator: dict[tuple[str, int], int]) -> Plan:
        starts: dict[str, tuple[int, ...]] = {}
        for table in sorted({table for table, _ in accumulator}):
            sizes = sorted((bucket, size) for (name, bucket), size in accumulator.items() if name == table)
            starts[table] = tuple(_starts(sizes, self._shard_bytes))
        return Plan(starts)


def _starts(sizes: list[tuple[int, int]], shard_bytes: int) -> list[int]:
    """First buckets of shards of about equal size, at most about `shard_bytes`: the last is no remnant."""
    total = sum(size for _, size in sizes)
    target = total / -(-total // shard_bytes)
    starts, filled = [0], 0
    for bucket, size in sizes:
        if filled >= target * len(starts):
            starts.append(bucket)
        filled += size
    return starts
