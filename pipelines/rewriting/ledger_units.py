"""The units of a finished output, read from its ledger with what was decided on their samples."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.recipe import Recipe, UsageError
from pipelines.storage import Storage
from pipelines.tables.ledger import UNITS_KEY
from pipelines.tables.manifest import AccountingError, paths
from pipelines.tables.schema import KEPT, SAME_CONTENT
from pipelines.units import LedgerUnit, split_of


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one unit in a ledger file: its samples, then copies of its inputs.

    Args:
        start: the first row, counted in the file.
        num_copies: rows after the samples.
    """

    unit: LedgerUnit
    path: str
    start: int
    num_copies: int

    @property
    def end(self) -> int:
        """The row after the last one."""
        return self.start + self.unit.num_rows + self.num_copies


def read_blocks(storage: Storage, path: str) -> list[Block]:
    """The blocks of a ledger file, in their order.

    Raises:
        UsageError: the ledger was written by an earlier version, which did not record them.
        AccountingError: its rows are not those that it records.
    """
    with storage.open(path) as file:
        ledger = pq.ParquetFile(file)
        recorded = (ledger.schema_arrow.metadata or {}).get(UNITS_KEY)
        if recorded is None:
            raise UsageError("the output was made by an earlier version of Vellum; run its recipe again to refit it")
        is_copy = pc.equal(ledger.read(columns=["reason"])["reason"], SAME_CONTENT).fill_null(False)
    copies = is_copy.to_numpy()
    blocks: list[Block] = []
    start = 0
    for source, name, digest, first, num_rows in json.loads(recorded):
        unit = LedgerUnit(source, name, digest, first, num_rows)
        end = start + num_rows
        if end > len(copies) or copies[start:end].any():
            break
        others = np.flatnonzero(~copies[end:])
        num_copies = int(others[0]) if len(others) else len(copies) - end
        blocks.append(Block(unit, path, start, num_copies))
        start = blocks[-1].end
    if start != len(copies) or len(blocks) != len(json.loads(recorded)):
        raise AccountingError(f"{path} is damaged: its rows are not those of the units that it records")
    return blocks


def all_blocks(storage: Storage, manifest: Mapping[str, Any]) -> list[Block]:
    """The blocks of all ledger files. Raises as `read_blocks`."""
    return [block for path in paths(manifest, "ledger") for block in read_blocks(storage, path)]


def read_rows(storage: Storage, blocks: Sequence[Block], columns: list[str]) -> Iterator[tuple[Block, pa.Table]]:
    """Each block with the rows of its samples; one row group is in memory at a time."""
    by_path: dict[str, list[Block]] = {}
    for block in blocks:
        by_path.setdefault(block.path, []).append(block)
    for path, some in by_path.items():
        for table, inside in read_groups(storage, path, some, columns):
            first = inside[0].start
            for block in inside:
                yield block, table.slice(block.start - first, block.unit.num_rows)


def read_groups(
    storage: Storage, path: str, blocks: Sequence[Block], columns: list[str] | None = None
) -> Iterator[tuple[pa.Table, list[Block]]]:
    """The row groups of a ledger file, each with its blocks: none is in two of them. Raises AccountingError."""
    pending = list(blocks)
    with storage.open(path) as file:
        ledger = pq.ParquetFile(file)
        end = 0
        for k in range(ledger.num_row_groups):
            table = ledger.read_row_group(k, columns=columns)
            end += len(table)
            number = next((n for n, block in enumerate(pending) if block.end > end), len(pending))
            inside, pending = pending[:number], pending[number:]
            if not inside or inside[-1].end != end:
                raise AccountingError(f"{path} is damaged: a row group ends inside a unit")
            yield table.combine_chunks(), inside


def splits_in(recipe: Recipe, block: Block, rows: pa.Table) -> list[str]:
    """The split of each sample of a block, from the digests of their inputs and their places in these."""
    source, validation = recipe.sources[block.unit.source], recipe.output.validation
    found = []
    for digest, locator in zip(rows["digest"].to_pylist(), rows["locator"].to_pylist(), strict=True):
        first = block.unit.first if digest == block.unit.digest else 0  # inputs that share a unit are in it as a whole
        found.append(split_of(source.document(digest, first, locator), validation))
    return found


def is_kept(rows: pa.Table) -> np.ndarray:
    """(N,) bool: whether the ledger has each sample as kept."""
    kept: np.ndarray = pc.equal(rows["verdict"], KEPT).to_numpy()
    return kept
