"""Data shards: the kept samples."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.recipe import Recipe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from pipelines.tables.hub_features import hub_features
from pipelines.tables.labels import count_labels, label_struct
from pipelines.tables.parquet import HashingFile, parquet_options, row_groups
from pipelines.tables.schema import KEPT
from pipelines.tables.scores import SLICE, read_scores, scores_struct
from pipelines.tables.verdicts import read_verdicts
from pipelines.units import Unit, UnitFiles, splits_of
from sources.base.sample import dataset_schema


class DataTable:
    """The data shards of one split.

    Args:
        storage: the output, whose staging folder holds parts and verdicts.
        run: the run that made the verdicts.
    """

    def __init__(self, storage: Storage, recipe: Recipe, run: str, split: str):
        self._storage, self._recipe, self._run, self._split = storage, recipe, run, split
        self._names = recipe.score_names()
        self._schema = dataset_schema(self._names)

    def write(self, file: HashingFile, units: Iterable[Unit]) -> tuple[int, Counter[str]]:
        """Write the kept rows of `units` in their order. Gives the number of rows, and of rows per label."""
        metadata = {b"huggingface": json.dumps({"info": {"features": hub_features(self._schema)}}).encode()}
        schema = self._schema.with_metadata(metadata)
        limit = int(self._recipe.output.row_group_mb * 1_000_000)
        rows = 0
        labels: Counter[str] = Counter()
        with pq.ParquetWriter(file, schema, **parquet_options(self._schema, self._split)) as writer:
            for group in row_groups(self._kept(units), limit):
                writer.write_table(group, row_group_size=len(group))
                rows += len(group)
                labels.update(count_labels(group["label"]))
        return rows, labels

    def _kept(self, units: Iterable[Unit]) -> Iterator[tuple[pa.Table, list[int]]]:
        """The kept rows of each unit as the dataset has them, with their sizes in bytes."""
        for unit in units:
            scored = read_scores(self._storage, self._recipe, unit)
            part = read_table(self._storage, UnitFiles.of(self._recipe, unit).rows)
            is_kept = pc.equal(read_verdicts(self._storage, self._run, unit)["verdict"], KEPT)
            splits = splits_of(self._recipe, unit)
            if set(splits) != {self._split}:
                is_ours = pa.array([split == self._split for split in splits]).take(scored[SLICE])
                is_kept = pc.and_(is_kept, is_ours)
            if not pc.all(is_kept).as_py():  # filtering copies the images
                part, scored = part.filter(is_kept), scored.filter(is_kept)
            yield self._rows(unit, part, scored), scored["num_bytes"].to_pylist()

    def _rows(self, unit: Unit, part: pa.Table, scored: pa.Table) -> pa.Table:
        columns = {
            "language": scored["language"],
            "label": label_struct(scored),
            **({"scores": scores_struct(scored, self._names)} if self._names else {}),
            "provenance": self._provenance(unit, scored[SLICE], part["provenance"].combine_chunks()),
            "split": pa.repeat(pa.scalar(self._split, pa.string()), len(part)),
        }
        return pa.table(
            [columns.get(name, part[name] if name in part.column_names else None) for name in self._schema.names],
            schema=self._schema,
        )

    def _provenance(self, unit: Unit, slices: pa.ChunkedArray, of_samples: pa.StructArray) -> pa.StructArray:
        """Where a sample does not say otherwise, it has the URI of its input and the licence of its source."""
        fields = {field.name: of_samples.field(field.name) for field in of_samples.type}
        has_own = pc.not_equal(fields["uri"], "")
        of_inputs = pa.array([each.uri for each in unit.slices], pa.string()).take(slices.combine_chunks())
        fields["uri"] = pc.if_else(has_own, fields["uri"], of_inputs)
        of_source = pa.scalar(self._recipe.sources[unit.source].license, pa.string())
        fields["license"] = pc.coalesce(fields["license"], of_source)
        return pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
