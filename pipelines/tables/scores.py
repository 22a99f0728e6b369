"""Scores of a unit as one table: measured while it was read, and by each expensive filter on its part."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from pipelines.recipe import Recipe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from pipelines.tables.schema import FAULT
from pipelines.units import Unit, UnitFiles

ERRORS_KEY = b"vellum.errors"  # in a score file's metadata: the items that gave no sample
SLICE = "slice"  # column of a score file: the row's slice of the unit
REPLACED_KEY = b"vellum.replaced"


def read_scores(storage: Storage, recipe: Recipe, unit: Unit) -> pa.Table:
    """One light row a sample, in the order of the unit's part, with the scores of all filters.

    A filter that failed on a sample leaves a null, its column `fault.NAME` says why, and so do the sample's flags.
    """
    files = UnitFiles.of(recipe, unit)
    scored = read_table(storage, files.scores)
    flags = scored["flags"].to_pylist()
    for f, path in zip(recipe.filters_by_part(), files.by_part, strict=True):
        measured = read_table(storage, path)
        for name in measured.column_names:
            scored = scored.append_column(name, measured[name])
        for k, fault in enumerate(measured[FAULT + f.name].to_pylist()):
            if fault is not None:
                flags[k] = [*flags[k], f"{f.name}_{fault}"]
    place = scored.schema.get_field_index("flags")
    return scored.set_column(place, scored.schema.field(place), pa.array(flags, scored.schema.field(place).type))


def scores_struct(scored: pa.Table, names: Sequence[str]) -> pa.Array:
    """The score columns as one struct column."""
    return pa.StructArray.from_arrays(
        [scored[f"score.{name}"].combine_chunks() if len(scored) else pa.array([], pa.float32()) for name in names],
        names=names,
    )


class PartError(NamedTuple):
    """An item of a unit that gave no sample; `uri` is its own address, or empty."""

    slice: int
    item: int
    cause: str
    message: str
    uri: str


def part_errors(scored: pa.Table) -> list[PartError]:
    """Every item of the unit that gave no sample."""
    return [PartError(*row) for row in json.loads((scored.schema.metadata or {})[ERRORS_KEY])]


def part_replaced(scored: pa.Table) -> dict[str, int]:
    """How often an attempt at one of the unit's samples was given up and replaced, by reason."""
    replaced: dict[str, int] = json.loads((scored.schema.metadata or {}).get(REPLACED_KEY, b"{}"))
    return replaced
