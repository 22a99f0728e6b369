"""Ledger shards: one row per sample, kept or not."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.public_names import PublicNames
from pipelines.recipe import Recipe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from pipelines.tables.composition import COMPOSITION_FIELDS
from pipelines.tables.copies import copies_of
from pipelines.tables.labels import label_struct
from pipelines.tables.parquet import HashingFile, parquet_options
from pipelines.tables.schema import DUPLICATE, KEPT, NUM_TOKENS, SAME_CONTENT, VERDICT_FIELDS, ledger_schema
from pipelines.tables.scores import SLICE, read_scores, scores_struct
from pipelines.tables.shown import Shown
from pipelines.tables.thumbnail import thumbnail
from pipelines.tables.verdicts import read_verdicts
from pipelines.units import Slice, Unit, UnitFiles, splits_of

ROWS_PER_GROUP = 4_000  # about 4 MB, which a writer holds twice: a fingerprint alone is 1 kB
UNITS_KEY = b"vellum.units"  # in the schema's metadata: the units in their order, each as its `LedgerUnit` without rows
DECIDED = (*(name for name, _ in VERDICT_FIELDS), "split", "thumbnail")  # columns that copies of an input do not share
COPY: Mapping[str, Any] = {"verdict": DUPLICATE, "reason": SAME_CONTENT, "reasons": [SAME_CONTENT]}


class LedgerTable:
    """The ledger shards.

    Args:
        storage: the output, whose staging folder holds parts and verdicts.
        run: the run that made the verdicts.
    """

    def __init__(self, storage: Storage, recipe: Recipe, run: str):
        self._storage, self._recipe, self._run = storage, recipe, run
        self._names = recipe.score_names()
        self._public = PublicNames(recipe)
        self._schema = ledger_schema(self._names, counts_tokens=recipe.mixture is not None)

    def write(self, file: HashingFile, units: Sequence[Unit]) -> int:
        """Write the rows of `units` in their order. Gives their number."""
        shown, lengths = self._shown(units)
        entries = [(unit.source, unit.name, *unit.place[1:], n) for unit, n in zip(units, lengths, strict=True)]
        schema = self._schema.with_metadata({UNITS_KEY: json.dumps(entries, separators=(",", ":"))})
        pending: list[pa.Table] = []
        num_rows = num_pending = 0
        with pq.ParquetWriter(file, schema, **parquet_options(self._schema, "ledger")) as writer:
            for unit in units:
                rows = self._rows(unit, shown)
                pending.append(rows)
                num_pending += len(rows)
                if num_pending >= ROWS_PER_GROUP or unit is units[-1]:
                    group = pa.concat_tables(pending).combine_chunks()  # else bytes depend on where units end
                    writer.write_table(group, row_group_size=max(1, num_pending))
                    num_rows += num_pending
                    pending, num_pending = [], 0
        return num_rows

    def _rows(self, unit: Unit, shown: set[str]) -> pa.Table:
        """The rows of a unit; rows of an input with copies come once more for each copy, as duplicates."""
        scored = read_scores(self._storage, self._recipe, unit)
        verdicts = read_verdicts(self._storage, self._run, unit)
        slices = scored[SLICE].to_pylist()
        splits = splits_of(self._recipe, unit, slices, scored["locator"].to_pylist())
        shared = {
            "id": scored["id"],
            "source": [self._recipe.sources[unit.source].name] * len(scored),
            "locator": scored["locator"],
            "digest": [unit.slices[number].digest for number in slices],
            "language": scored["language"],
            "flags": scored["flags"],
            "label": label_struct(scored),
            "num_bytes": scored["num_bytes"],
            **{name: scored[name] for name, _ in COMPOSITION_FIELDS},
            **({NUM_TOKENS: scored[NUM_TOKENS]} if self._recipe.mixture else {}),
            **({"scores": scores_struct(scored, self._names)} if self._names else {}),
            "phash": scored["phash"],
            "fingerprint": scored["fingerprint"],
        }
        decided = {
            **{name: verdicts[name] for name, _ in VERDICT_FIELDS},
            "split": [
                split if verdict == KEPT else None
                for split, verdict in zip(splits, verdicts["verdict"].to_pylist(), strict=True)
            ],
            "thumbnail": self._thumbnails(unit, scored["id"].to_pylist(), shown),
        }
        names = [self._public.of(each.uri) for each in unit.slices]
        uris = pc.coalesce(scored["uri"], pa.array([names[number] for number in slices], pa.string()))
        tables = [self._table({**shared, **decided, "uri": uris})]
        for number, each in enumerate(unit.slices):
            if each.num_inputs > 1:
                is_of_slice = pc.equal(scored[SLICE], number)
                tables.append(self._copies(each, tables[0].filter(is_of_slice), scored["uri"].filter(is_of_slice)))
        return pa.concat_tables(tables)

    def _copies(self, of: Slice, rows: pa.Table, own_uris: pa.ChunkedArray) -> pa.Table:
        """The rows of a slice once more for each copy of its input, as duplicates."""
        copies = [self._public.of(uri) for uri in copies_of(of, self._storage, self._run)]
        names = pa.array(copies, pa.string())
        each_row = pa.array(np.tile(np.arange(len(rows)), len(names)))
        uris = pc.coalesce(own_uris.take(each_row), names.take(pa.array(np.repeat(np.arange(len(names)), len(rows)))))
        columns: dict[str, Any] = {"uri": uris, "duplicate_of": rows["id"].take(each_row)}
        for field in self._schema:
            if field.name in DECIDED and field.name not in columns:
                columns[field.name] = pa.repeat(pa.scalar(COPY.get(field.name), field.type), len(each_row))
            elif field.name not in columns:
                columns[field.name] = rows[field.name].take(each_row)
        return self._table(columns)

    def _table(self, columns: Mapping[str, Any]) -> pa.Table:
        arrays = [columns[field.name] for field in self._schema]
        is_arrow = [isinstance(array, pa.Array | pa.ChunkedArray) for array in arrays]
        return pa.table(
            [a if ready else pa.array(a, f.type) for a, ready, f in zip(arrays, is_arrow, self._schema, strict=True)],
            schema=self._schema,
        )

    def _shown(self, units: Iterable[Unit]) -> tuple[set[str], list[int]]:
        """Ids the report may show, and the number of samples of each unit."""
        shown = Shown(self._recipe)
        lengths = []
        for unit in units:
            verdicts = read_verdicts(self._storage, self._run, unit)
            scored = read_scores(self._storage, self._recipe, unit)
            shown.add(verdicts, [scored[f"score.{name}"] for name in self._names], self._names)
            lengths.append(len(verdicts))
        return shown.ids(), lengths

    def _thumbnails(self, unit: Unit, ids: Sequence[str], shown: set[str]) -> list[bytes | None]:
        wanted = [sample_id in shown for sample_id in ids]
        if not any(wanted):
            return [None] * len(ids)
        images = read_table(self._storage, UnitFiles.of(self._recipe, unit).rows)["images"]
        return [
            thumbnail(images[k].as_py()[0]["bytes"]) if is_wanted and len(images[k].as_py()) else None
            for k, is_wanted in enumerate(wanted)
        ]
