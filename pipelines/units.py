"""Inputs, the work units they are cut into, and rows of the output's tables on their way to a shard."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.recipe import Recipe, part_key, scores_key
from pipelines.storage import STAGING
from pipelines.storage.arrow_file import SUFFIX
from pipelines.taxonomy_files import labels_key

NUM_BUCKETS = 65_536
UNITS_PER_BUCKET = 64  # of one input: a giant file is spread over several buckets, and so over several shards
ERROR_ROW_BYTES = 300

ERRORS = "errors"  # tag of error entries


class Input(NamedTuple):
    """One readable input.

    Args:
        state: size and modification time of a local file, so that a change during the run is noticed; else empty.
    """

    uri: str
    num_items: int
    state: str


class Unit(NamedTuple):
    """A range of items of one input; `copies` are other inputs with the same bytes."""

    source: int
    digest: str
    first: int
    last: int
    uri: str
    state: str
    copies: tuple[str, ...]


class TableRow(NamedTuple):
    """Something to be written to one of the output's tables: a unit's rows, or one error row.

    Args:
        bucket: decides the shard, from content alone.
    """

    table: str
    bucket: int
    num_bytes: int
    payload: Any


class ErrorRow(NamedTuple):
    """One row of `errors/`; without a locator the whole input failed."""

    source: str
    uri: str
    locator: str | None
    cause: str
    message: str


def bucket_of(digest: str, first: int, items_per_unit: int) -> int:
    """The bucket of a unit: neighbours in a file stay together, and no file outgrows a bucket."""
    stretch = first // (UNITS_PER_BUCKET * items_per_unit)
    name = digest if stretch == 0 else hashlib.sha256(f"{digest}/{stretch}".encode()).hexdigest()
    return int(name[:4], 16)


def split_of(digest: str, validation: float) -> str:
    """`train` or `validation`, by document, so that no document is in both."""
    return "validation" if int(digest[-8:], 16) < validation * 2**32 else "train"


def error_row(row: ErrorRow) -> TableRow:
    """The entry of an error row."""
    bucket = int(hashlib.sha256(row.uri.encode(errors="surrogateescape")).hexdigest()[:4], 16)
    return TableRow(ERRORS, bucket, ERROR_ROW_BYTES + len(row.uri) + len(row.message), row)


@dataclass(frozen=True, slots=True)
class UnitFiles:
    """The places of a unit's part and scores, relative to the output.

    Args:
        part: what the source gave.
        scores: what filters measured while it was read.
        by_part: what each of the recipe's expensive filters measured on the part, in their order.
        rows: what is written to `data/`: the part itself, or the conversations made of it.
    """

    part: str
    scores: str
    by_part: tuple[str, ...]
    rows: str

    @staticmethod
    def of(recipe: Recipe, unit: Unit) -> "UnitFiles":
        """Named by content and settings only, so that a changed setting or file finds nothing stale."""
        source_key = part_key(recipe.sources[unit.source])
        name = f"{unit.digest[:2]}/{unit.digest}-{unit.first:06d}-{unit.last:06d}{SUFFIX}"
        part = f"{STAGING}/parts/{source_key}/{name}"
        conversations = f"{STAGING}/conversations/{source_key}{labels_key(recipe)}/{name}"
        return UnitFiles(
            part=part,
            rows=part if recipe.instructions is None else conversations,
            scores=f"{STAGING}/scores/{source_key}-{scores_key(recipe.filters_while_reading())}{labels_key(recipe)}/{name}",
            by_part=tuple(
                f"{STAGING}/scores_by_part/{source_key}-{f.name}-{scores_key([f])}/{name}"
                for f in recipe.filters_by_part()
            ),
        )


def units_of(element: tuple[str, Iterable[Input]], items_per_unit: tuple[int, ...]) -> Iterator[Unit]:
    """The work units of all inputs with the same bytes: read once, the others recorded as copies.

    Args:
        items_per_unit: one number per source.
    """
    source_digest, inputs = element
    name, _, digest = source_digest.partition(":")
    source = int(name)
    ordered = sorted(inputs)
    for first in range(0, ordered[0].num_items, items_per_unit[source]):
        yield Unit(
            source=source,
            digest=digest,
            first=first,
            last=min(first + items_per_unit[source], ordered[0].num_items),
            uri=ordered[0].uri,
            state=ordered[0].state,
            copies=tuple(other.uri for other in ordered[1:]),
        )
