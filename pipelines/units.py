"""Inputs, the work units they are cut into, and rows of the output's tables on their way to a shard."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from filters.filter import Filter
from pipelines.recipe import Recipe, part_key, scores_key, tokens_key
from pipelines.storage import STAGING
from pipelines.storage.arrow_file import SUFFIX
from pipelines.taxonomy_files import labels_key

NUM_BUCKETS = 65_536
PLACES_IN_BUCKET = 2**32
UNITS_PER_BUCKET = 64  # of one input: a giant file is spread over several buckets, and so over several shards
INPUTS_PER_GROUP = 32_768  # their names and digests are some megabytes
UNITS_BETWEEN_CUTS = 4  # on average; fewer leave more units half empty, more change more of them by a new input
MAX_JOINED_BYTES = 256_000_000  # files of one unit, which a worker may have to download before it reads them
ERROR_ROW_BYTES = 300

ERRORS = "errors"  # table of error rows


class Input(NamedTuple):
    """One readable input.

    Args:
        state: size and modification time of a local file, so that a change during the run is noticed; else empty.
    """

    uri: str
    num_items: int
    num_bytes: int
    state: str


class Slice(NamedTuple):
    """A range of items of one input.

    Args:
        copies: other inputs with the same bytes.
        num_listed: more of them, whose names are in a file (`pipelines/tables/copies.py`).
    """

    digest: str
    first: int
    last: int
    uri: str
    state: str
    copies: tuple[str, ...]
    num_listed: int = 0

    @property
    def num_inputs(self) -> int:
        """The number of inputs that hold these items."""
        return 1 + len(self.copies) + self.num_listed


class Unit(NamedTuple):
    """Items that are read, stored and judged together: some of a long input, or several short inputs as a whole."""

    source: int
    slices: tuple[Slice, ...]

    @property
    def name(self) -> str:
        """A name by content, which begins with hex digits."""
        names = [f"{each.digest}-{each.first:06d}-{each.last:06d}" for each in self.slices]
        return names[0] if len(names) == 1 else hashlib.sha256("\n".join(names).encode()).hexdigest()

    @property
    def place(self) -> tuple[int, str, int]:
        """The place of its rows in a shard: source, digest and first item of the first slice."""
        return self.source, self.slices[0].digest, self.slices[0].first


class TableRow(NamedTuple):
    """Something to be written to one of the output's tables: a unit's rows, or one error row.

    Args:
        bucket, within: decide the shard, from content alone: one of `NUM_BUCKETS`, and a place in it, which counts
            where there are about as many shards as buckets.
    """

    table: str
    bucket: int
    num_bytes: int
    payload: Any
    within: int = 0


class ErrorRow(NamedTuple):
    """One row of `errors/`; without a locator the whole input failed."""

    source: str
    uri: str
    locator: str | None
    cause: str
    message: str


class LedgerUnit(NamedTuple):
    """A unit as the ledger remembers it: enough to find its part and its place in the shards.

    Args:
        digest, first: of its first slice.
        num_rows: its samples, without copies of its inputs.
    """

    source: int
    name: str
    digest: str
    first: int
    num_rows: int

    @property
    def place(self) -> tuple[int, str, int]:
        """The place of its rows in a shard, as `Unit.place`."""
        return self.source, self.digest, self.first


def bucket_of(unit: Unit | LedgerUnit, items_per_unit: int) -> int:
    """The bucket of a unit: neighbours in a file stay together, and no file outgrows a bucket."""
    return int(_stretch_name(unit, items_per_unit)[:4], 16)


def within_bucket(unit: Unit | LedgerUnit, items_per_unit: int) -> int:
    """The place of a unit in its bucket, below `PLACES_IN_BUCKET`; that of its neighbours in the file, too."""
    return int(_stretch_name(unit, items_per_unit)[4:12], 16)


def _stretch_name(unit: Unit | LedgerUnit, items_per_unit: int) -> str:
    _, digest, first = unit.place
    stretch = first // (UNITS_PER_BUCKET * items_per_unit)
    return digest if stretch == 0 else hashlib.sha256(f"{digest}/{stretch}".encode()).hexdigest()


def split_of(digest: str, validation: float) -> str:
    """`train` or `validation`, by document, so that no document is in both."""
    return "validation" if int(digest[-8:], 16) < validation * 2**32 else "train"


def splits_of(recipe: Recipe, unit: Unit, slices: Sequence[int], locators: Sequence[str]) -> list[str]:
    """The split of each sample of a unit.

    Args:
        slices: (N,) number of each sample's slice.
        locators: (N,) each sample's place in its input.
    """
    source, validation = recipe.sources[unit.source], recipe.output.validation
    return [
        split_of(source.document(unit.slices[number].digest, unit.slices[number].first, locator), validation)
        for number, locator in zip(slices, locators, strict=True)
    ]


def error_row(row: ErrorRow) -> TableRow:
    """The entry of an error row."""
    name = hashlib.sha256(row.uri.encode(errors="surrogateescape")).hexdigest()
    num_bytes = ERROR_ROW_BYTES + len(row.uri) + len(row.message)
    return TableRow(ERRORS, int(name[:4], 16), num_bytes, row, int(name[4:12], 16))


@dataclass(frozen=True, slots=True)
class UnitFiles:
    """The places of a unit's part and scores, relative to the output.

    Args:
        part: what the source gave.
        scores: what filters measured while it was read.
        by_part: what each of the recipe's expensive filters measured on the part, in their order: a file for each group
            of scores.
        rows: what is written to `data/`: the part itself, or the conversations made of it.
    """

    part: str
    scores: str
    by_part: tuple[tuple[str, ...], ...]
    rows: str

    @staticmethod
    def of(recipe: Recipe, unit: Unit | LedgerUnit) -> "UnitFiles":
        """Named by content and settings only, so that a changed setting or file finds nothing stale."""
        source_key = part_key(recipe.sources[unit.source])
        name = f"{unit.name[:2]}/{unit.name}{SUFFIX}"
        part = f"{STAGING}/parts/{source_key}/{name}"

        def measured_key(f: Filter) -> str:
            is_conversation = recipe.instructions is not None and f.measures_conversations
            return source_key + (labels_key(recipe) if is_conversation else "")

        return UnitFiles(
            part=part,
            rows=rows_path(recipe, unit),
            scores=f"{STAGING}/scores/{source_key}-{scores_key(recipe.filters_while_reading())}{labels_key(recipe)}"
            f"{tokens_key(recipe)}/{name}",
            by_part=tuple(
                tuple(
                    f"{STAGING}/scores_by_part/{measured_key(f)}-{f.name}-{scores_key([f.only(group)])}/{name}"
                    for group in f.score_groups()
                )
                for f in recipe.filters_by_part()
            ),
        )


def rows_path(recipe: Recipe, unit: Unit | LedgerUnit) -> str:
    """The file of the staging folder that a unit's rows of `data/` come from."""
    source_key = part_key(recipe.sources[unit.source])
    folder = f"parts/{source_key}"
    if recipe.instructions is not None:
        folder = f"conversations/{source_key}{labels_key(recipe)}"
    return f"{STAGING}/{folder}/{unit.name[:2]}/{unit.name}{SUFFIX}"


def group_of(digest: str, num_inputs: int) -> int:
    """The group of inputs among which units are made: a range of digests, wider the fewer inputs there are."""
    bits = max(0, (num_inputs // INPUTS_PER_GROUP).bit_length())
    return int(digest[:8], 16) >> (32 - bits)


def units_of(source: int, inputs: Iterable[tuple[str, Input]], items_per_unit: int) -> Iterator[Unit]:
    """The work units of a group of inputs.

    Inputs with the same bytes are read once, the others are recorded as copies. A long input is cut every
    `items_per_unit` items. Short ones are joined in the order of their digests.

    Args:
        inputs: (digest, input), in any order.
    """
    same: dict[str, list[Input]] = {}
    for digest, each in inputs:
        same.setdefault(digest, []).append(each)
    short: list[tuple[Slice, int]] = []
    for digest in sorted(same):
        named, *others = sorted(same[digest])
        copies = tuple(other.uri for other in others)
        ranges = [
            Slice(digest, first, min(first + items_per_unit, named.num_items), named.uri, named.state, copies)
            for first in range(0, named.num_items, items_per_unit)
        ]
        if named.num_items < items_per_unit:
            short += [(each, named.num_bytes) for each in ranges]
        else:
            yield from (Unit(source, (each,)) for each in ranges)
    yield from (Unit(source, slices) for slices in _joined(short, items_per_unit))


def _joined(short: Iterable[tuple[Slice, int]], items_per_unit: int) -> Iterator[tuple[Slice, ...]]:
    """Short inputs joined to at most `items_per_unit` items.

    Some digests begin a new unit whatever comes before them, one in about `UNITS_BETWEEN_CUTS` units: an input that is
    added or removed changes the units up to the next of these, and no others.

    Args:
        short: slices and the size of their files in bytes, in the order of their digests.
    """
    joined: list[Slice] = []
    num_items = num_bytes = 0
    for each, size in short:
        length = each.last - each.first
        is_cut = int(each.digest[-16:-8], 16) % (UNITS_BETWEEN_CUTS * items_per_unit) < length
        is_full = num_items + length > items_per_unit or num_bytes + size > MAX_JOINED_BYTES
        if joined and (is_cut or is_full):
            yield tuple(joined)
            joined, num_items, num_bytes = [], 0, 0
        joined.append(each)
        num_items, num_bytes = num_items + length, num_bytes + size
    if joined:
        yield tuple(joined)
