"""The account of a run: counters and rows of the output's tables, by ranges of places in the output.

A row or counter that a step has made travels with the units of its range as an `Entry`, so that every step has one
output: on a cluster each further one is a task more. When a range is decided, its account is a file of the staging
folder, which shards are written from, and only sums go on.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.storage import STAGING, Storage
from pipelines.units import ERRORS, NUM_BUCKETS, ErrorRow, Slice, TableRow, Unit, bucket_of, error_row, within_bucket

NUM_RANGES = 4096  # of places in the output: at 1 billion samples one has 250,000, whose rows of the search are 220 MB
BUCKETS_PER_RANGE = NUM_BUCKETS // NUM_RANGES
FOLDER = f"{STAGING}/account"


class Entry(NamedTuple):
    """A row of a table, or counters, on its way to the account of a range."""

    range: int
    content: TableRow | Mapping[str, int]


def range_of(bucket: int) -> int:
    """The range that a bucket belongs to."""
    return bucket // BUCKETS_PER_RANGE


def entry_of(row: ErrorRow) -> Entry:
    """An error row as an entry."""
    made = error_row(row)
    return Entry(range_of(made.bucket), made)


@dataclass(frozen=True, slots=True)
class Account:
    """The rows that a range has in the output's tables.

    Args:
        units: with the tables that they have rows in.
    """

    units: Sequence[tuple[Unit, Sequence[str]]]
    errors: Sequence[ErrorRow]

    def rows(self, table: str, items_per_unit: Sequence[int]) -> Iterator[tuple[int, int, Any]]:
        """Bucket, place in the bucket and payload of every row of a table.

        Args:
            items_per_unit: of each source.
        """
        if table == ERRORS:
            for row in self.errors:
                made = error_row(row)
                yield made.bucket, made.within, row
            return
        for unit, tables in self.units:
            if table in tables:
                length = items_per_unit[unit.source]
                yield bucket_of(unit, length), within_bucket(unit, length), unit

    def write(self, storage: Storage, run: str, number: int) -> None:
        """Write it as the account of a range."""
        content = {"units": self.units, "errors": self.errors}
        storage.write_bytes(_path(run, number), json.dumps(content).encode())

    @staticmethod
    def read(storage: Storage, run: str, number: int) -> "Account":
        """The account of a range."""
        content = json.loads(storage.read_bytes(_path(run, number)))
        return Account(
            [(unit_from_json(unit), tables) for unit, tables in content["units"]],
            [ErrorRow(*row) for row in content["errors"]],
        )


def unit_from_json(content: Sequence[Any]) -> Unit:
    """The unit that was written to a JSON file as the tuple that it is."""
    source, slices = content
    return Unit(source, tuple(Slice._make([*row[:5], tuple(row[5]), *row[6:]]) for row in slices))


def write_counts(storage: Storage, run: str, counts: Mapping[str, int]) -> None:
    """Write the sums of all counters of a run."""
    storage.write_bytes(f"{FOLDER}/{run}/counts.json", json.dumps(counts).encode())


def read_counts(storage: Storage, run: str) -> Counter[str]:
    """The sums of all counters of a run."""
    return Counter(json.loads(storage.read_bytes(f"{FOLDER}/{run}/counts.json")))


def _path(run: str, number: int) -> str:
    return f"{FOLDER}/{run}/{number:05d}.json"
