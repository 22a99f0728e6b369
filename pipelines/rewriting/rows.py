"""Rows of the dataset for a refit: from the data shards that are there, or from the parts in the staging folder."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.recipe import Recipe
from pipelines.rewriting.redecide import Decided
from pipelines.rewriting.row_groups import RowGroups
from pipelines.stages.plan_shards import SumUp
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from pipelines.tables.data import data_rows
from pipelines.tables.manifest import AccountingError
from pipelines.units import TableRow, bucket_of, rows_path, within_bucket

LEDGER_COLUMNS = ["id", "language", "label", "uri"]
Layout = Mapping[str, tuple[str, list[tuple[int, np.ndarray]]]]


def layout(recipe: Recipe, units: Sequence[Decided], *, before: bool) -> Layout:
    """The data shards of an output: path to split and (index of unit, its rows), in the order of their rows.

    Args:
        before: as the output is now; else as it is to be.
    """
    combine = SumUp(recipe.output.shard_mb)
    accumulator = combine.create_accumulator()
    found: list[tuple[str, int, int, int, np.ndarray]] = []
    for index, unit in enumerate(units):
        splits = np.array(unit.old_splits if before else unit.splits)
        kept = unit.was_kept if before else unit.kept
        items_per_unit = recipe.sources[unit.block.unit.source].items_per_unit
        bucket, within = bucket_of(unit.block.unit, items_per_unit), within_bucket(unit.block.unit, items_per_unit)
        for split in sorted(set(splits[kept].tolist())):
            rows = np.flatnonzero(kept & (splits == split))
            found.append((split, bucket, within, index, rows))
            combine.add_input(accumulator, TableRow(split, bucket, int(unit.num_bytes[rows].sum()), None, within))
    plan = combine.extract_output(accumulator).plan
    shards: dict[str, tuple[str, list[tuple[int, np.ndarray]]]] = {}
    for split, bucket, within, index, rows in sorted(found, key=lambda entry: units[entry[3]].block.unit.place):
        path = plan.path(plan.shard_of(split, bucket, within))
        shards.setdefault(path, (split, []))[1].append((index, rows))
    return dict(sorted(shards.items()))


class Rows:
    """The rows of samples as the dataset has them.

    Args:
        units: all units of the output.
        old, new: the recipes.
    """

    def __init__(self, storage: Storage, units: Sequence[Decided], old: Recipe, new: Recipe):
        self._storage, self._units, self._new = storage, units, new
        self._data = RowGroups(storage)
        self._ledger = RowGroups(storage, [*LEDGER_COLUMNS, *(["scores"] if new.score_names() else [])])
        self.old_layout = layout(old, units, before=True)
        self._places: dict[tuple[int, str], tuple[str, int]] = {}
        for path, (split, entries) in self.old_layout.items():
            start = 0
            for index, rows in entries:
                self._places[index, split] = path, start
                start += len(rows)

    def close(self) -> None:
        """Close all files."""
        self._data.close()
        self._ledger.close()

    def check(self, files: Mapping[str, int]) -> None:
        """Check that the data shards are those that the ledger keeps samples for. Raises AccountingError.

        Args:
            files: rows of each data shard in the manifest.
        """
        expected = {path: sum(len(rows) for _, rows in entries) for path, (_, entries) in self.old_layout.items()}
        for path in sorted(expected.keys() | files.keys()):
            if expected.get(path) != files.get(path):
                told = f"{files.get(path, 0):,} rows in the manifest, {expected.get(path, 0):,} by the ledger"
                raise AccountingError(f"{path} is not as this version writes it: {told}; run the recipe again")

    def missing(self) -> list[tuple[int, int]]:
        """(index of unit, row) of every sample that is kept now, was not before, and whose part is not there."""
        found = []
        for index, unit in enumerate(self._units):
            wanted = np.flatnonzero(unit.kept & ~unit.was_kept).tolist()
            if wanted and not self._storage.exists(rows_path(self._new, unit.block.unit)):
                found += [(index, row) for row in wanted]
        return found

    def take(self, index: int, rows: np.ndarray, split: str) -> pa.Table:
        """Rows of a unit, in their order, for a split."""
        unit = self._units[index]
        splits = np.array(unit.old_splits)
        tables, order = [], []
        for old_split in sorted(set(splits[unit.was_kept].tolist())):
            there = np.flatnonzero(unit.was_kept & (splits == old_split))
            wanted = np.flatnonzero(np.isin(there, rows))
            if len(wanted):
                tables.append(_picked(self._kept_rows(index, old_split, there), wanted))
                order.append(there[wanted])
        others = rows[~unit.was_kept[rows]]
        if len(others):
            tables.append(self._staged_rows(index, others, split))
            order.append(others)
        table = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
        places = np.argsort(np.concatenate(order))
        if (places[1:] < places[:-1]).any():
            table = table.take(pa.array(places))
        number = table.schema.get_field_index("split")
        return table.set_column(
            number, table.schema.field(number), pa.repeat(pa.scalar(split, pa.string()), len(table))
        )

    def image(self, index: int, row: int) -> bytes | None:
        """The first image of a sample; None if it has none, or if it is neither kept nor staged."""
        unit = self._units[index]
        if unit.was_kept[row]:
            split = unit.old_splits[row]
            there = np.flatnonzero(unit.was_kept & (np.array(unit.old_splits) == split))
            images = self._kept_rows(index, split, there)["images"][int(np.searchsorted(there, row))].as_py()
        else:
            path = rows_path(self._new, unit.block.unit)
            if not self._storage.exists(path):
                return None
            images = read_table(self._storage, path)["images"][row].as_py()
        return images[0]["bytes"] if images else None

    def _kept_rows(self, index: int, split: str, there: np.ndarray) -> pa.Table:
        path, start = self._places[index, split]
        table = self._data.take(path, start, len(there))
        self._check_ids(index, there, table["id"], path)
        return table

    def _staged_rows(self, index: int, rows: np.ndarray, split: str) -> pa.Table:
        """Rows of a unit's part with what the ledger knows of them."""
        block = self._units[index].block
        path = rows_path(self._new, block.unit)
        part = read_table(self._storage, path)
        known = self._ledger.take(block.path, block.start, block.unit.num_rows)
        if part["id"].to_pylist() != known["id"].to_pylist():
            raise AccountingError(f"{path} is damaged: it holds other samples than the ledger")
        part, known = part.take(pa.array(rows)), known.take(pa.array(rows)).combine_chunks()
        columns: dict[str, Any] = {
            name: known[name] for name in ("language", "label", "scores") if name in known.schema.names
        }
        return data_rows(self._new, block.unit.source, part, columns, known["uri"].combine_chunks(), split)

    def _check_ids(self, index: int, rows: np.ndarray, found: pa.ChunkedArray, path: str) -> None:
        block = self._units[index].block
        known = self._ledger.take(block.path, block.start, block.unit.num_rows)["id"].take(pa.array(rows))
        if known.to_pylist() != found.to_pylist():
            raise AccountingError(f"{path} is damaged: it holds other samples than the ledger keeps")


def _picked(table: pa.Table, places: np.ndarray) -> pa.Table:
    return table if len(places) == len(table) else table.take(pa.array(places))
