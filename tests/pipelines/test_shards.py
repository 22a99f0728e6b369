"""Shards: what is planned and cut covers everything once, whatever the order."""

import itertools

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stages.plan_shards import MakePlan
from pipelines.tables.parquet import row_groups
from pipelines.units import NUM_BUCKETS, Input, TableRow, bucket_of, split_of, units_of

ENTRIES = st.lists(
    st.tuples(st.sampled_from(["train", "ledger"]), st.integers(0, NUM_BUCKETS - 1), st.integers(1, 3_000_000)).map(
        lambda t: TableRow(*t, payload=None)
    ),
    min_size=1,
    max_size=60,
)


def plan_of(entries: list[TableRow], cut: int = 0):
    combine = MakePlan(shard_mb=5)
    halves = []
    for half in (entries[:cut], entries[cut:]):
        accumulator = combine.create_accumulator()
        for entry in half:
            accumulator = combine.add_input(accumulator, entry)
        halves.append(accumulator)
    return combine.extract_output(combine.merge_accumulators(halves))


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


@given(st.integers(1, 1000), st.integers(1, 200), st.integers(1, 4))
def test_units_cover_every_page_of_a_file_once(num_items: int, items_per_unit: int, num_copies: int) -> None:
    inputs = [Input(f"{name}.pdf", num_items, "") for name in "dcba"[:num_copies]]
    units = list(units_of((f"0:{'ab' * 32}", inputs), (items_per_unit,)))
    assert [page for unit in units for page in range(unit.first, unit.last)] == list(range(num_items))
    assert {(unit.uri, unit.copies) for unit in units} == {
        (min(inputs).uri, tuple(entry.uri for entry in sorted(inputs)[1:]))
    }


def test_neighbours_share_a_bucket_and_giants_are_spread() -> None:
    digest = "0123" + "ab" * 30
    assert bucket_of(digest, 0, 64) == bucket_of(digest, 4032, 64) == 0x0123
    assert len({bucket_of(digest, first, 64) for first in range(0, 100_000, 4096)}) > 20


@given(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=50))
def test_a_document_is_in_validation_for_every_larger_share(digests: list[str]) -> None:
    for digest in digests:
        sides = [split_of(digest, share) for share in (0, 0.25, 0.5, 0.75, 1)]
        assert sides == sorted(sides)  # train before validation
        assert sides[0] == "train"
        assert sides[-1] == "validation"
