"""The account of a run: the sums of its counters, and which rows of the output go to which shard."""

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import apache_beam as beam

from pipelines.stages.account import BUCKETS_PER_RANGE
from pipelines.tables.manifest import DATA_TABLES
from pipelines.units import NUM_BUCKETS, PLACES_IN_BUCKET, TableRow

BUCKETS_PER_SHARD = 8  # on average, or shards are of unequal size; with fewer, ranges of places inside buckets count
RANGE_BITS = (BUCKETS_PER_RANGE * PLACES_IN_BUCKET).bit_length() - 1
MAX_PIECES = 256  # of a table in a range: 130 MB of all in the one process that plans, and enough for a million shards


@dataclass(frozen=True, slots=True)
class Plan:
    """Which places make up which shard: per table, the first place of every shard, ascending.

    A place is a bucket and a place in it, as one number.
    """

    starts: Mapping[str, tuple[int, ...]]

    def shard_of(self, table: str, bucket: int, within: int = 0) -> str:
        """The shard's key, `table-number`."""
        return f"{table}-{bisect.bisect_right(self.starts[table], place_of(bucket, within)) - 1:05d}"

    def path(self, key: str) -> str:
        """The shard's place in the output, in the hub's convention."""
        table, _, number = key.rpartition("-")
        folder = "data" if table in DATA_TABLES else table
        return f"{folder}/{table}-{number}-of-{len(self.starts[table]):05d}.parquet"

    def tasks(self, ranges: Mapping[str, Sequence[int]]) -> "Iterator[ShardTask]":
        """The shards to write.

        Args:
            ranges: ranges of places that have rows of each table, ascending.
        """
        width = BUCKETS_PER_RANGE * PLACES_IN_BUCKET
        for table, starts in self.starts.items():
            for k, (start, end) in enumerate(pairwise([*starts, NUM_BUCKETS * PLACES_IN_BUCKET])):
                first = bisect.bisect_left(ranges[table], start // width)
                last = bisect.bisect_right(ranges[table], (end - 1) // width)
                key = f"{table}-{k:05d}"
                yield ShardTask(table, self.path(key), start, end, tuple(ranges[table][first:last]))

    def paths(self) -> set[str]:
        """The places of all shards in the output."""
        keys = (f"{table}-{k:05d}" for table, starts in self.starts.items() for k in range(len(starts)))
        return set(map(self.path, keys))


class ShardTask(NamedTuple):
    """A shard to write.

    Args:
        path: its place in the output.
        start, end: the places of its rows, `end` not among them.
        ranges: the ranges whose accounts have these rows.
    """

    table: str
    path: str
    start: int
    end: int
    ranges: tuple[int, ...]


class Totals(NamedTuple):
    """The sums of all counters by name, and the plan of the shards."""

    counts: Mapping[str, int]
    plan: Plan


class _Sizes:
    """Bytes of one table by pieces of the ranges; pieces are halves of halves, as small as there is room for.

    Whatever order sizes are added and merged in, the pieces are in the end those of the finest level at which no range
    has more than `MAX_PIECES`: a part of the data has no more pieces of a level than all of it.
    """

    def __init__(self) -> None:
        self._shift = 0  # a piece is all places with the same bits above; never wider than a bucket
        self._bytes: Counter[int] = Counter()
        self._num_pieces: Counter[int] = Counter()  # by range

    def add(self, place: int, num_bytes: int) -> None:
        self._put(place >> self._shift, num_bytes)
        if self._num_pieces[place >> RANGE_BITS] > MAX_PIECES:
            self._coarsen()

    def merge(self, other: "_Sizes") -> None:
        self._widen(other._shift - self._shift)
        for number, size in other._bytes.items():
            self._put(number >> (self._shift - other._shift), size)
        self._coarsen()

    def of_places(self, shard_bytes: int) -> list[tuple[int, int]]:
        """The first place of every piece with its bytes, in order: of whole buckets where these are enough."""
        if sum(self._bytes.values()) <= NUM_BUCKETS // BUCKETS_PER_SHARD * shard_bytes:
            self._widen(PLACES_IN_BUCKET.bit_length() - 1 - self._shift)
        return [(number << self._shift, size) for number, size in sorted(self._bytes.items())]

    def _put(self, number: int, num_bytes: int) -> None:
        if number not in self._bytes:
            self._num_pieces[number >> (RANGE_BITS - self._shift)] += 1
        self._bytes[number] += num_bytes

    def _coarsen(self) -> None:
        while max(self._num_pieces.values(), default=0) > MAX_PIECES:
            self._widen(1)

    def _widen(self, bits: int) -> None:
        """Make pieces wider, by so many bits if that is more than none."""
        if bits > 0:
            before, self._bytes, self._num_pieces = self._bytes, Counter(), Counter()
            self._shift += bits
            for number, size in before.items():
                self._put(number >> bits, size)


class _Sums(NamedTuple):
    counts: Counter[str]
    sizes: dict[str, _Sizes]  # by table


class RangeSums(NamedTuple):
    """The sums of a range.

    Args:
        counters: those that the last step has added.
    """

    number: int
    sums: _Sums
    counters: Mapping[str, int]


class SumUp(beam.CombineFn):
    """The account, TableRows and mappings of counters, to its Totals, in one step of the graph.

    Neighbouring places are joined until a shard has the bytes asked for.
    """

    def __init__(self, shard_mb: float):
        self._shard_bytes = int(shard_mb * 1_000_000)

    @classmethod
    def of(cls, entries: Iterable[TableRow | Mapping[str, int]]) -> _Sums:
        """The sums of some entries."""
        combine = cls(1)  # the size of shards counts at the end
        sums = combine.create_accumulator()
        for entry in entries:
            sums = combine.add_input(sums, entry)
        return sums

    def create_accumulator(self) -> _Sums:
        return _Sums(Counter(), {})

    def add_input(self, accumulator: _Sums, entry: TableRow | Mapping[str, int]) -> _Sums:
        if isinstance(entry, TableRow):
            sizes = accumulator.sizes.setdefault(entry.table, _Sizes())
            sizes.add(place_of(entry.bucket, entry.within), entry.num_bytes)
        else:
            accumulator.counts.update(entry)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Sums]) -> _Sums:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.counts.update(accumulator.counts)
            for table, sizes in accumulator.sizes.items():
                merged.sizes.setdefault(table, _Sizes()).merge(sizes)
        return merged

    def extract_output(self, accumulator: _Sums) -> Totals:
        starts = {
            table: tuple(_starts(sizes.of_places(self._shard_bytes), self._shard_bytes))
            for table, sizes in sorted(accumulator.sizes.items())
        }
        return Totals(dict(accumulator.counts), Plan(starts))


def place_of(bucket: int, within: int) -> int:
    """A place in the output as one number."""
    return bucket * PLACES_IN_BUCKET + within


def _starts(sizes: list[tuple[int, int]], shard_bytes: int) -> list[int]:
    """First places of shards of about equal size, at most about `shard_bytes`: the last is no remnant."""
    total = sum(size for _, size in sizes)
    target = total / max(1, -(-total // shard_bytes))
    starts, filled = [0], 0
    for place, size in sizes:
        if filled and filled >= target * len(starts):
            starts.append(place)
        filled += size
    return starts
