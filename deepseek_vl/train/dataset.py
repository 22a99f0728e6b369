"""Data sets of the pipeline: Parquet shards in a folder or bucket, read one row group at a time."""

import difflib
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from deepseek_vl.train.ledger import Ledger, as_bytes, is_among, names_in, selected
from deepseek_vl.train.where import Where

LEARNED = ("images", "messages", "text")  # columns that examples are made of
NAMED = ("source", "language", "split", "id")  # columns that a condition may name; it may name every score, too


class DatasetError(ValueError):
    """A data set that cannot be used. The message names it, and says what was expected."""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of a shard."""

    shard: int
    number: int
    num_rows: int


class Dataset:
    """The samples of one output of the pipeline, or of any folder of Parquet files with the same columns.

    Args:
        path: the output's folder, a folder of Parquet files, one file, or a `gs://` or `s3://` address of these.
        where: keeps only the samples for which the condition is true. Names are columns or scores of the samples, or
            columns or scores of the output's ledger.
        split: `train` or `validation`; None for all samples. It has no effect on files without a column `split`.
    Attributes:
        groups: the row groups of all shards.
        digest: changes if shards are added, removed or rewritten.
        cached_groups: number of row groups held in memory; fewer than readers use at a time are read repeatedly.
    Raises:
        DatasetError: there is nothing to read, or a column is missing.
    """

    def __init__(self, path: str, *, where: str | None = None, split: str | None = "train"):
        self.path = path
        self._where = None if where is None else Where.parse(where)
        self._split = split
        self._filesystem, self._shards, ledger = _find_shards(path)
        self.groups: list[RowGroup] = []
        digest = hashlib.sha256()
        for shard, name in enumerate(self._shards):
            metadata = self._metadata(name)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                if split is None or _may_hold(group, split):
                    self.groups.append(RowGroup(shard, number, group.num_rows))
            digest.update(f"{name.rpartition('/')[2]} {metadata.num_rows} {metadata.serialized_size}\n".encode())
        if not self.num_rows:
            raise DatasetError(f"{path}: the shards hold no sample" + (f" of the split {split}" if split else ""))
        self.cached_groups = 8
        self._recent: OrderedDict[int, _Rows] = OrderedDict()
        self._ids: np.ndarray | None = None  # the ids that the ledger chooses, sorted
        if self._where is not None:
            self._ids = self._chosen(self._where, ledger)
            digest.update(b"" if self._ids is None else self._ids.tobytes())
        self.digest = digest.hexdigest()

    @property
    def num_rows(self) -> int:
        """Number of rows before the condition and the split are applied."""
        return sum(group.num_rows for group in self.groups)

    def row(self, group: int, row: int) -> Mapping[str, Any] | None:
        """Return the columns `images`, `messages` and `text` of a row; None if the condition or split excludes it."""
        return self._rows(group).row(row)

    def place(self, group: int, row: int) -> str:
        """Return where a row is, for messages."""
        found = self.groups[group]
        return f"{self._shards[found.shard]}, row group {found.number}, row {row}"

    def _rows(self, group: int) -> "_Rows":
        rows = self._recent.get(group)
        if rows is None:
            rows = self._recent[group] = self._read(self.groups[group])
            while len(self._recent) > self.cached_groups:
                self._recent.popitem(last=False)
        self._recent.move_to_end(group)
        return rows

    def _read(self, group: RowGroup) -> "_Rows":
        name = self._shards[group.shard]
        try:
            with self._filesystem.open_input_file(name) as stream:
                file = pq.ParquetFile(stream)
                present = file.schema_arrow.names
                wanted = [column for column in (*LEARNED, *NAMED, "scores") if column in present]
                table = file.read_row_group(group.number, columns=wanted)
        except (OSError, pa.ArrowInvalid) as error:
            raise DatasetError(f"{name}: row group {group.number} cannot be read: {error}") from error
        return _Rows(table, self._included(table))

    def _included(self, table: pa.Table) -> set[int]:
        included = set(range(len(table)))
        if self._split is not None and "split" in table.column_names:
            included &= {k for k, split in enumerate(table["split"].to_pylist()) if split == self._split}
        if self._ids is not None:
            included &= set(np.flatnonzero(is_among(as_bytes(table["id"]), self._ids)).tolist())
        elif self._where is not None:
            included &= set(self._where.rows(selected(table, self._where.names)))
        return included

    def _metadata(self, name: str) -> pq.FileMetaData:
        try:
            with self._filesystem.open_input_file(name) as stream:
                file = pq.ParquetFile(stream)
                if not {"text", "messages"} & set(file.schema_arrow.names):
                    columns = ", ".join(file.schema_arrow.names)
                    raise DatasetError(f"{name}: expected a column text or messages; its columns are {columns}")
                return file.metadata
        except (OSError, pa.ArrowInvalid) as error:
            raise DatasetError(f"{name} is not a whole Parquet file: {error}") from error

    def _chosen(self, where: Where, ledger: str) -> np.ndarray | None:
        """Check a condition before samples are read; return the ids it chooses if it names what the ledger knows."""
        with self._filesystem.open_input_file(self._shards[0]) as stream:
            schema = pq.read_schema(stream)
        names = names_in(schema)
        known = [name for name in names if name in NAMED or name not in schema.names]
        unknown = [name for name in where.names if name not in known]
        beside = Ledger(self._filesystem, ledger) if unknown else None
        for name in unknown:
            assert beside is not None
            if name not in beside.names:
                possible = sorted({*known, *beside.names})
                near = difflib.get_close_matches(name, possible, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(possible)}"
                raise DatasetError(f"{self.path}: where names {name}, which is neither a column nor a score{hint}")
        try:
            if beside is None:
                where.rows(selected(schema.empty_table(), where.names))
                return None
            if "id" not in schema.names:
                raise DatasetError(f"{self.path}: where names {unknown[0]}, but without a column id no ledger fits")
            return beside.ids(where)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise DatasetError(f"{self.path}: where: {where.text!r} compares values of other types: {error}") from error


def _may_hold(group: pq.RowGroupMetaData, split: str) -> bool:
    """Return False if the statistics of a row group say that it has no row of a split."""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == "split":
            statistics = column.statistics
            has_bounds = statistics is not None and statistics.has_min_max
            return not has_bounds or bool(statistics.min <= split <= statistics.max)
    return True


class _Rows:
    """The rows of a row group that was read."""

    def __init__(self, table: pa.Table, included: set[int]):
        self._table = table.select([name for name in LEARNED if name in table.column_names])
        self._included = included

    def row(self, row: int) -> Mapping[str, Any] | None:
        if row not in self._included:
            return None
        found: dict[str, Any] = self._table.slice(row, 1).to_pylist()[0]
        return found


def _find_shards(path: str) -> tuple[pafs.FileSystem, list[str], str]:
    """Return the file system, the sorted names of the shards, and where the ledger would be."""
    try:
        if "://" in path:
            filesystem, root = pafs.FileSystem.from_uri(_with_limit(path))
        else:
            filesystem, root = pafs.LocalFileSystem(), path
        root = root.rstrip("/")
        kind = filesystem.get_file_info(root).type
        if kind == pafs.FileType.NotFound:
            raise DatasetError(f"{path} does not exist; expected an output of the pipeline, or Parquet files")
        if kind == pafs.FileType.File:
            return filesystem, [root], _ledger_of(root.rpartition("/")[0])
        for folder in (f"{root}/data", root):
            selector = pafs.FileSelector(folder, allow_not_found=True)
            names = sorted(info.path for info in filesystem.get_file_info(selector) if info.path.endswith(".parquet"))
            if names:
                return filesystem, names, _ledger_of(folder)
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    raise DatasetError(f"{path}: no Parquet file in it or in its folder data/; expected an output of the pipeline")


def _with_limit(address: str) -> str:
    """Return a `gs://` address whose requests are repeated for a minute; the library's own limit is 15 minutes."""
    is_open = address.startswith(("gs://", "gcs://")) and "?" not in address
    return f"{address}?retry_limit_seconds=60" if is_open else address


def _ledger_of(folder: str) -> str:
    return f"{folder.removesuffix('/data')}/ledger"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the endless order in which a lane reads a data set: the n-th row of an epoch."""

    epoch: int = 0
    row: int = 0


class LaneOrder:
    """The order in which one of several lanes reads a data set, epoch after epoch.

    Lanes divide the rows among themselves, the same in every epoch, so that all lanes together read every row exactly
    once an epoch. A lane reads its row groups in random order, several at a time as a block whose rows are shuffled.
    Every order is a function of seed, lane and epoch: a position is all the state there is.

    Args:
        rows_per_block: least rows of a block; more mix better and take more memory.
    """

    def __init__(self, groups: Sequence[RowGroup], *, lane: int, num_lanes: int, rows_per_block: int, seed: str):
        self._rows_per_block, self._seed = rows_per_block, f"{seed}/{lane}"
        if len(groups) >= 4 * num_lanes:
            self._rows = {k: np.arange(groups[k].num_rows) for k in range(lane, len(groups), num_lanes)}
        else:  # a small data set: every lane takes some rows of each row group
            shares = {k: np.arange((lane - k) % num_lanes, group.num_rows, num_lanes) for k, group in enumerate(groups)}
            self._rows = {k: rows for k, rows in shares.items() if len(rows)}
        self.num_rows = sum(map(len, self._rows.values()))
        self._epoch = -1
        self._blocks: list[list[int]] = []
        self._ends = np.zeros(0, np.int64)
        self._block = -1
        self._shuffled = np.zeros((0, 2), np.int64)

    def at(self, position: Position) -> tuple[int, int]:
        """Return the row group and the row at a position, which is below `num_rows`."""
        if position.epoch != self._epoch:
            self._begin_epoch(position.epoch)
        block = int(np.searchsorted(self._ends, position.row, side="right"))
        if block != self._block:
            self._begin_block(block)
        start = 0 if block == 0 else int(self._ends[block - 1])
        group, row = self._shuffled[position.row - start]
        return int(group), int(row)

    def next(self, position: Position) -> Position:
        """Return the position after a position."""
        if position.row + 1 < self.num_rows:
            return Position(position.epoch, position.row + 1)
        return Position(position.epoch + 1, 0)

    def _begin_epoch(self, epoch: int) -> None:
        order = random_generator(f"{self._seed}/{epoch}").permutation(list(self._rows))
        self._blocks, counts = [[]], [0]
        for group in order.tolist():
            if counts[-1] >= self._rows_per_block:
                self._blocks.append([])
                counts.append(0)
            self._blocks[-1].append(group)
            counts[-1] += len(self._rows[group])
        self._ends = np.cumsum(counts)
        self._epoch, self._block = epoch, -1

    def _begin_block(self, block: int) -> None:
        places = [np.stack([np.full_like(self._rows[k], k), self._rows[k]], 1) for k in self._blocks[block]]
        self._shuffled = random_generator(f"{self._seed}/{self._epoch}/{block}").permutation(np.concatenate(places))
        self._block = block


def random_generator(name: str) -> np.random.Generator:
    """Return the generator of random numbers that belongs to a name."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little"))
