"""Data sets: conditions, and an order in which lanes read every row once an epoch."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepseek_vl.train.dataset import Dataset, DatasetError, LaneOrder, Position, RowGroup
from tests.deepseek_vl.train.data_files import text_row, write


def texts(dataset: Dataset) -> list[str]:
    found = [dataset.row(k, row) for k, group in enumerate(dataset.groups) for row in range(group.num_rows)]
    return [row["text"] for row in found if row is not None]


@pytest.mark.parametrize(("num_groups", "lanes"), [(3, 4), (40, 4), (7, 1), (1, 8)])
def test_lanes_read_every_row_once_in_every_epoch(num_groups: int, lanes: int) -> None:
    groups = [RowGroup(0, k, 5 + k % 3) for k in range(num_groups)]
    orders = [LaneOrder(groups, lane=k, num_lanes=lanes, rows_per_block=12, seed="s") for k in range(lanes)]
    for epoch in range(2):
        seen = Counter(order.at(Position(epoch, row)) for order in orders for row in range(order.num_rows))
        assert seen == Counter((k, row) for k, group in enumerate(groups) for row in range(group.num_rows))


def test_every_epoch_has_another_order_and_any_position_can_be_read_first() -> None:
    groups = [RowGroup(0, k, 10) for k in range(8)]

    def order() -> LaneOrder:
        return LaneOrder(groups, lane=0, num_lanes=1, rows_per_block=20, seed="s")

    one = order()
    first = [one.at(Position(0, row)) for row in range(80)]
    second = [one.at(Position(1, row)) for row in range(80)]
    assert first != second
    assert sorted(first) == sorted(second)
    assert order().at(Position(1, 57)) == second[57]
    assert first != sorted(first)


def test_a_condition_keeps_the_rows_for_which_it_is_true(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", [text_row(k) for k in range(30)], shards=2)
    assert len(texts(Dataset(str(folder)))) == 30
    kept = texts(Dataset(str(folder), where='agreement >= 0.5 and num_words < 20 and language == "en"'))
    assert kept == [text_row(k)["text"] for k in range(20) if k % 10 >= 5]
    assert texts(Dataset(str(folder), where="not (num_words > 2) or num_words in (5.0, 7.0)")) == [
        text_row(k)["text"] for k in (0, 1, 2, 5, 7)
    ]


def with_ledger(folder: Path, verdicts: list[str]) -> Path:
    """Write a ledger beside data: a sample of it in each line, then one that was not kept."""
    (folder / "ledger").mkdir()
    rows = [
        {"id": f"{k:08d}", "num_bytes": k * 100, "verdict": verdict, "language": "en", "scores": {"legibility": k / 10}}
        for k, verdict in enumerate(verdicts)
    ]
    for shard in range(2):  # not in the order of the data
        table = pa.Table.from_pylist(rows[shard::2][::-1])
        pq.write_table(table, folder / "ledger" / f"ledger-{shard:05d}-of-00002.parquet")
    return folder


def test_a_condition_may_name_what_only_the_ledger_knows(tmp_path: Path) -> None:
    folder = with_ledger(write(tmp_path / "out", [text_row(k) for k in range(10)], shards=3), ["kept"] * 12)
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    for where, kept in (
        ("legibility >= 0.75", [8, 9]),
        ('num_bytes < 200 and language == "en"', [0, 1]),
        ("legibility > 5", []),
    ):
        assert texts(Dataset(str(folder), where=where)) == [text_row(k)["text"] for k in kept]
    assert texts(Dataset(str(folder / "data"), where="legibility > 0.85")) == [text_row(9)["text"]]
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before
    with pytest.raises(DatasetError, match="did you mean legibility"):
        Dataset(str(folder), where="legiblity > 0.5")
    with pytest.raises(DatasetError, match="compares values of other types"):
        Dataset(str(folder), where='num_bytes > "many"')


def test_samples_chosen_by_another_ledger_are_another_data_set(tmp_path: Path) -> None:
    digests = set()
    for verdict in ("kept", "rejected"):
        folder = write(tmp_path / verdict, [text_row(k) for k in range(4)])
        with_ledger(folder, ["kept", "kept", verdict, "kept"])
        digests.add(Dataset(str(folder), where='verdict == "kept"').digest)
    assert len(digests) == 2


def test_row_groups_without_the_split_are_left_out(tmp_path: Path) -> None:
    rows = [{**text_row(k), "split": "validation" if k >= 20 else "train"} for k in range(30)]
    folder = write(tmp_path / "out", rows, rows_per_group=10)
    assert [len(Dataset(str(folder), split=split).groups) for split in ("train", "validation", None)] == [2, 1, 3]
    with pytest.raises(DatasetError, match="no sample of the split test"):
        Dataset(str(folder), split="test")


def test_only_the_split_is_read(tmp_path: Path) -> None:
    rows = [{**text_row(k), "split": "validation" if k == 3 else "train"} for k in range(6)]
    folder = write(tmp_path / "out", rows)
    assert texts(Dataset(str(folder), split="validation")) == [text_row(3)["text"]]
    assert len(texts(Dataset(str(folder), split="train"))) == 5
    assert len(texts(Dataset(str(folder), split=None))) == 6


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("agrement > 1", "did you mean agreement"),
        ("agreement >", "is not a condition"),
        ("agreement", "is not a condition"),
        ("open('x') == 1", "neither a name nor a value"),
        ("agreement is 1", "does not compare"),
        ("language > 3", "compares values of other types"),
        ("images == 1", "neither a column nor a score"),
        ('language in "en"', "must be a list"),
    ],
)
def test_a_wrong_condition_is_an_error_before_anything_is_read(tmp_path: Path, where: str, message: str) -> None:
    folder = write(tmp_path / "out", [text_row(0)])
    with pytest.raises(ValueError, match=message):
        Dataset(str(folder), where=where)


def test_what_is_no_data_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing does not exist"):
        Dataset(str(tmp_path / "nothing"))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DatasetError, match="no Parquet file"):
        Dataset(str(tmp_path / "nothing"))
    folder = write(tmp_path / "out", [text_row(0)])
    shard = next((folder / "data").iterdir())
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="not a whole Parquet file"):
        Dataset(str(folder))
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"caption": ["a"], "image": [b""]}), other)
    with pytest.raises(DatasetError, match="expected a column text or messages; its columns are caption, image"):
        Dataset(str(other))
