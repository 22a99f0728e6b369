"""Shards: what is planned and cut covers everything once, whatever the order."""

import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.recipe import Recipe
from pipelines.rewriting.ledger_units import Block, splits_in
from pipelines.stages import plan_shards
from pipelines.stages.plan_shards import SumUp
from pipelines.tables.parquet import row_groups
from pipelines.units import (
    NUM_BUCKETS,
    PLACES_IN_BUCKET,
    Input,
    LedgerUnit,
    Slice,
    TableRow,
    Unit,
    bucket_of,
    group_of,
    split_of,
    splits_of,
    units_of,
    within_bucket,
)
from sources.base.sample import sample_id
from sources.ocr.source import Ocr

ENTRIES = st.lists(
    st.tuples(st.sampled_from(["train", "ledger"]), st.integers(0, NUM_BUCKETS - 1), st.integers(0, 3_000_000)).map(
        lambda t: TableRow(*t, payload=None)
    ),
    min_size=1,
    max_size=60,
)


def plan_of(entries: list[TableRow], cut: int = 0):
    combine = SumUp(shard_mb=5)
    halves = []
    for half in (entries[:cut], entries[cut:]):
        accumulator = combine.create_accumulator()
        for entry in half:
            accumulator = combine.add_input(accumulator, entry)
        halves.append(accumulator)
    return combine.extract_output(combine.merge_accumulators(halves)).plan


@given(ENTRIES, st.randoms(use_true_random=False), st.integers(0, 60))
def test_a_plan_depends_on_the_entries_alone(entries: list[TableRow], chance, cut: int) -> None:
    shuffled = entries[:]
    chance.shuffle(shuffled)
    assert plan_of(entries) == plan_of(shuffled, cut)


@given(ENTRIES)
def test_shards_are_numbered_without_gaps_and_none_is_far_too_large(entries: list[TableRow]) -> None:
    plan = plan_of(entries)
    sizes: dict[str, int] = {}
    for entry in entries:
        key = plan.shard_of(entry.table, entry.bucket)
        sizes[key] = sizes.get(key, 0) + entry.num_bytes
    largest = {table: max(e.num_bytes for e in entries if e.table == table) for table in plan.starts}
    for table, starts in plan.starts.items():
        assert sorted(key for key in sizes if key.startswith(table)) == [f"{table}-{k:05d}" for k in range(len(starts))]
    for key, size in sizes.items():
        in_one_bucket = sum(e.num_bytes for e in entries if plan.shard_of(e.table, e.bucket) == key)
        assert size <= 5_000_000 + max(largest[key.split("-")[0]], in_one_bucket - size)
        assert plan.path(key).endswith(f"-of-{len(plan.starts[key.split('-')[0]]):05d}.parquet")


@given(st.lists(st.lists(st.integers(1, 50), max_size=12), max_size=12), st.integers(10, 100))
def test_row_groups_hold_every_row_once_in_order(tables: list[list[int]], limit: int) -> None:
    numbered, number = [], 0
    for sizes in tables:
        numbered.append((pa.table({"row": list(range(number, number + len(sizes))), "size": sizes}), sizes))
        number += len(sizes)
    groups = [group.to_pylist() for group in row_groups(numbered, limit)]
    assert [row["row"] for group in groups for row in group] == list(range(number))
    for group in groups:
        assert len(group) == 1 or sum(row["size"] for row in group) <= limit
    for group, following in itertools.pairwise(groups):  # as few as the order allows
        assert sum(row["size"] for row in group) + following[0]["size"] > limit


def digest_of(number: int) -> str:
    return hashlib.sha256(f"file {number}".encode()).hexdigest()


def inputs_of(lengths: Sequence[int], num_copies: int = 1) -> list[tuple[str, Input]]:
    return [
        (digest_of(number), Input(f"{name}{number}.pdf", length, 1000, ""))
        for number, length in enumerate(lengths)
        for name in "dcba"[:num_copies]
    ]


LENGTHS = st.lists(st.one_of(st.integers(0, 8), st.integers(0, 300)), max_size=200)


@given(LENGTHS, st.integers(1, 100), st.integers(1, 3), st.randoms(use_true_random=False))
def test_units_cover_every_page_of_every_file_once_in_any_order(
    lengths: list[int], items_per_unit: int, num_copies: int, chance: random.Random
) -> None:
    inputs = inputs_of(lengths, num_copies)
    units = list(units_of(0, inputs, items_per_unit))
    slices = [each for unit in units for each in unit.slices]
    pages = [(each.digest, page) for each in slices for page in range(each.first, each.last)]
    assert sorted(pages) == sorted((digest_of(k), page) for k, length in enumerate(lengths) for page in range(length))
    assert all(sum(each.last - each.first for each in unit.slices) <= items_per_unit for unit in units)
    assert all(len(unit.slices) == 1 or all(each.first == 0 for each in unit.slices) for unit in units)
    by_digest = {digest_of(number): number for number in range(len(lengths))}
    for each in slices:
        first, *others = sorted(f"{name}{by_digest[each.digest]}.pdf" for name in "dcba"[:num_copies])
        assert (each.uri, each.copies) == (first, tuple(others))
    chance.shuffle(inputs)
    assert list(units_of(0, inputs, items_per_unit)) == units


def test_short_files_fill_units_and_a_new_file_changes_few_of_them() -> None:
    lengths = [1 + k * k % 7 for k in range(4000)]
    before = [unit.name for unit in units_of(0, inputs_of(lengths), 64)]
    assert sum(lengths) / len(before) > 48  # of 64 items; units that begin at a cut end the one before them early
    changed = [
        len(set(before) - {unit.name for unit in units_of(0, inputs_of([*lengths, *[0] * k, 3]), 64)})
        for k in range(50)
    ]
    assert max(changed) <= 24
    assert sum(changed) / len(changed) < 4


def test_large_files_are_not_joined_without_end() -> None:
    inputs = [(digest_of(k), Input(f"{k}.pdf", 1, 100_000_000, "")) for k in range(64)]
    assert max(len(unit.slices) for unit in units_of(0, inputs, 64)) == 2


@given(st.integers(1, 10**9))
def test_a_group_holds_some_ten_thousand_inputs_and_its_border_is_a_digest(num_inputs: int) -> None:
    groups = group_of("ff" * 32, num_inputs) + 1
    assert groups == 1 or 16_384 <= num_inputs / groups <= 32_768
    assert group_of("00" * 32, num_inputs) == 0
    assert group_of("8" + "0" * 63, num_inputs) == groups // 2


def test_neighbours_share_a_bucket_and_giants_are_spread() -> None:
    units = list(units_of(0, [("0123" + "ab" * 30, Input("a.pdf", 100_000, 1, ""))], 64))
    buckets = {unit.place[2]: bucket_of(unit, 64) for unit in units}
    assert buckets[0] == buckets[4032] == 0x0123
    assert len(set(buckets.values())) > 20


@given(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=50))
def test_a_document_is_in_validation_for_every_larger_share(digests: list[str]) -> None:
    for digest in digests:
        sides = [split_of(digest, share) for share in (0, 0.25, 0.5, 0.75, 1)]
        assert sides == sorted(sides)  # train before validation
        assert sides[0] == "train"
        assert sides[-1] == "validation"


@pytest.mark.parametrize("items_per_unit", [12, 64, 2000])
def test_each_synthesized_sample_has_its_own_split(items_per_unit: int) -> None:
    source = Ocr(items_per_unit=items_per_unit)
    recipe = Recipe(name="pages", filters=(), sources=(source,))
    made = Input(source.uri, source.num_samples, 0, "")
    held_out: set[str] = set()
    for unit in units_of(0, [(source.digest, made)], items_per_unit):
        locators = [source.locator(number) for each in unit.slices for number in range(each.first, each.last)]
        splits = splits_of(recipe, unit, [0] * len(locators), locators)
        held_out |= {locator for locator, split in zip(locators, splits, strict=True) if split == "validation"}
        block = Block(LedgerUnit(0, unit.name, *unit.place[1:], len(locators)), "", 0, 0)
        rows = pa.table({"digest": [source.digest] * len(locators), "locator": locators})
        assert splits_in(recipe, block, rows) == splits
    share = recipe.output.validation
    wanted = {
        source.locator(number)
        for number in range(source.num_samples)
        if split_of(sample_id(source.digest, source.locator(number)), share) == "validation"
    }
    assert held_out == wanted
    assert share / 2 < len(wanted) / source.num_samples < share * 2  # 1,000 samples have some


@given(st.lists(st.tuples(st.integers(0, 31), st.integers(0, 255)), min_size=1, max_size=200), st.integers(0, 200))
def test_the_pieces_of_ranges_are_those_of_the_finest_level_with_room(places: list[tuple[int, int]], cut: int) -> None:
    entries = [TableRow("train", bucket, 3, None, within << 24) for bucket, within in places]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_shards, "MAX_PIECES", 16)
        patch.setattr(plan_shards, "BUCKETS_PER_SHARD", NUM_BUCKETS * 1000)  # no output is small
        plan = plan_of(entries, cut)
        assert plan == plan_of(entries[::-1])
        sizes = plan_shards._Sizes()
        for entry in entries:
            sizes.add(entry.bucket * PLACES_IN_BUCKET + entry.within, 1)
        pieces = {place for place, _ in sizes.of_places(1)}
    whole = {bucket << 32 | within << 24 for bucket, within in places}

    def most(shift: int) -> int:
        return max(Counter(piece << shift >> 36 for piece in {place >> shift for place in whole}).values())

    shift = next(s for s in range(33) if most(s) <= 16)
    assert pieces == {place >> shift << shift for place in whole}
    assert sizes._shift == shift


def test_a_bucket_is_cut_where_there_are_more_shards_than_buckets() -> None:
    digests = [digest_of(number) for number in range(200)]
    units = [Unit(0, (Slice("0123" + digest[4:], 0, 64, "", "", ()),)) for digest in digests]
    entries = [TableRow("train", bucket_of(u, 64), 60_000, u, within_bucket(u, 64)) for u in units]
    combine = SumUp(shard_mb=0.12)
    few = combine.extract_output(_added(combine, entries)).plan
    assert len(few.starts["train"]) == 1  # 12 MB: an output that small is cut between buckets only, as ever
    many = SumUp(shard_mb=0.001)
    plan = many.extract_output(_added(many, entries)).plan
    sizes = Counter(plan.shard_of(entry.table, entry.bucket, entry.within) for entry in entries)
    assert len(sizes) == 200
    assert set(sizes.values()) == {1}


def _added(combine: SumUp, entries: list[TableRow]):
    accumulator = combine.create_accumulator()
    for entry in entries:
        accumulator = combine.add_input(accumulator, entry)
    return accumulator
