"""Data shards: the kept samples."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.public_names import PublicNames
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
from sources.base.sample import HTML, dataset_schema


class DataTable:
    """The data shards of one split.

    Args:
        storage: the output, whose staging folder holds parts and verdicts.
        run: the run that made the verdicts.
    """

    def __init__(self, storage: Storage, recipe: Recipe, run: str, split: str):
        self._storage, self._recipe, self._run, self._split = storage, recipe, run, split
        self._names = recipe.score_names()
        self._public = PublicNames(recipe)

    def write(self, file: HashingFile, units: Iterable[Unit]) -> tuple[int, Counter[str]]:
        """Write the kept rows of `units` in their order. Gives the number of rows, and of rows per label."""
        return write_data(file, self._kept(units), self._recipe, self._split)

    def _kept(self, units: Iterable[Unit]) -> Iterator[tuple[pa.Table, list[int]]]:
        """The kept rows of each unit as the dataset has them, with their sizes in bytes."""
        for unit in units:
            scored = read_scores(self._storage, self._recipe, unit)
            part = read_table(self._storage, UnitFiles.of(self._recipe, unit).rows)
            is_kept = pc.equal(read_verdicts(self._storage, self._run, unit)["verdict"], KEPT)
            splits = splits_of(self._recipe, unit, scored[SLICE].to_pylist(), scored["locator"].to_pylist())
            if set(splits) != {self._split}:
                is_kept = pc.and_(is_kept, pa.array([split == self._split for split in splits], pa.bool_()))
            if not pc.all(is_kept).as_py():  # filtering copies the images
                part, scored = part.filter(is_kept), scored.filter(is_kept)
            yield self._rows(unit, part, scored), scored["num_bytes"].to_pylist()

    def _rows(self, unit: Unit, part: pa.Table, scored: pa.Table) -> pa.Table:
        columns = {
            "language": scored["language"],
            "label": label_struct(scored),
            **({"scores": scores_struct(scored, self._names)} if self._names else {}),
        }
        of_inputs = pa.array([self._public.of(each.uri) for each in unit.slices], pa.string()).take(
            scored[SLICE].combine_chunks()
        )
        return data_rows(self._recipe, unit.source, part, columns, of_inputs, self._split)


def data_rows(
    recipe: Recipe, source: int, part: pa.Table, scored: Mapping[str, Any], uris: Any, split: str
) -> pa.Table:
    """Rows of a part as the dataset has them.

    Args:
        scored: the columns `language`, `label` and, if there are scores, `scores`.
        uris: (N,) names of the rows' inputs.
    """
    schema = dataset_schema(recipe.score_names(), keeps_html=recipe.keeps_html())
    columns = {
        **scored,
        "provenance": _provenance(recipe, source, part["provenance"].combine_chunks(), uris),
        "split": pa.repeat(pa.scalar(split, pa.string()), len(part)),
    }
    if schema.get_field_index(HTML.name) >= 0 and HTML.name not in part.column_names:
        columns[HTML.name] = pa.nulls(len(part), HTML.type)
    return pa.table([columns.get(n, part[n] if n in part.column_names else None) for n in schema.names], schema=schema)


def write_data(
    file: HashingFile, tables: Iterable[tuple[pa.Table, list[int]]], recipe: Recipe, split: str
) -> tuple[int, Counter[str]]:
    """Write rows of the dataset, cut to row groups. Gives the number of rows, and of rows per label.

    Args:
        tables: pairs of rows and the size of each row in bytes.
    """
    plain = dataset_schema(recipe.score_names(), keeps_html=recipe.keeps_html())
    metadata = {b"huggingface": json.dumps({"info": {"features": hub_features(plain)}}).encode()}
    rows = 0
    labels: Counter[str] = Counter()
    options = parquet_options(plain, split, repeats_pictures=recipe.repeats_pictures())
    with pq.ParquetWriter(file, plain.with_metadata(metadata), **options) as writer:
        for group in row_groups(tables, int(recipe.output.row_group_mb * 1_000_000)):
            # In one piece: the bytes of a Parquet file tell where pieces end, and a refit's are not units.
            writer.write_table(group.combine_chunks(), row_group_size=len(group))
            rows += len(group)
            labels.update(count_labels(group["label"]))
    return rows, labels


def _provenance(recipe: Recipe, source: int, of_samples: pa.StructArray, uris: Any) -> pa.StructArray:
    """Where a sample does not say otherwise, it has the URI of its input and the licence of its source."""
    fields = {field.name: of_samples.field(field.name) for field in of_samples.type}
    fields["uri"] = pc.if_else(pc.not_equal(fields["uri"], ""), fields["uri"], uris)
    fields["license"] = pc.coalesce(fields["license"], pa.scalar(recipe.sources[source].license, pa.string()))
    return pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
