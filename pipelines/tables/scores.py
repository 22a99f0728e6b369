"""Scores of a unit as one table: measured while it was read, and by each expensive filter on its part."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from filters.filter import Filter
from pipelines.recipe import Recipe
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_table
from pipelines.tables.labels import COLUMN
from pipelines.tables.schema import FAULT
from pipelines.tables.verdicts import judge
from pipelines.units import Unit, UnitFiles
from taxonomy.tree import UNLABELLED

ERRORS_KEY = b"vellum.errors"  # in a score file's metadata: the items that gave no sample
SLICE = "slice"  # column of a score file: the row's slice of the unit
SIZES_KEY = b"vellum.sizes"  # of the unit's other files in bytes: its part, and what its rows of `data/` come from
REPLACED_KEY = b"vellum.replaced"
SCORE = "score."  # prefix of columns of score files
OTHER_COMPONENT = "not_asked"  # why a filter measures no sample of a component that it does not judge
USE_CASE = "use_case"  # score of a filter that chooses a use case: its confidence
CHOSEN = "chosen_use_case"  # column of an expensive filter's score file


def read_scores(storage: Storage, recipe: Recipe, unit: Unit) -> pa.Table:
    """One light row a sample, in the order of the unit's part, with the scores of all filters.

    A filter that failed on a sample leaves a null, its column `fault.NAME` says why, and so do the sample's flags. A
    sample that the recipe does not let a filter measure has a null and a flag, even if an earlier run has measured it.
    """
    files = UnitFiles.of(recipe, unit)
    while_reading = scored = read_table(storage, files.scores)
    flags = scored["flags"].to_pylist()
    for f, paths in zip(recipe.filters_by_part(), files.by_part, strict=True):
        skipped = skip_reasons(f, recipe, unit.source, while_reading)
        is_measured = pa.array([reason is None for reason in skipped], pa.bool_())
        faults: list[str | None] = [None] * len(scored)
        for path in paths:
            measured = read_table(storage, path)
            for name in measured.column_names:
                if name.startswith(SCORE):
                    column = pc.if_else(is_measured, measured[name], pa.scalar(None, measured[name].type))
                    scored = scored.append_column(name, column)
            names = measured.column_names
            if CHOSEN in names and SCORE + USE_CASE in names and measured[CHOSEN].null_count < len(measured):
                chosen = [
                    None if reason else leaf for reason, leaf in zip(skipped, measured[CHOSEN].to_pylist(), strict=True)
                ]
                scored = with_chosen(scored, chosen, measured[SCORE + USE_CASE].to_pylist(), f.name, recipe)
            of_group = measured[FAULT + f.name].to_pylist()
            faults = [first or second for first, second in zip(faults, of_group, strict=True)]
        for k, (reason, fault) in enumerate(zip(skipped, faults, strict=True)):
            if reason is not None:
                faults[k] = None
            if reason or fault:
                flags[k] = [*flags[k], f"{f.name}_{reason or fault}"]
        scored = scored.append_column(FAULT + f.name, pa.array(faults, pa.string()))
    place = scored.schema.get_field_index("flags")
    return scored.set_column(place, scored.schema.field(place), pa.array(flags, scored.schema.field(place).type))


def with_chosen(
    scored: pa.Table, chosen: Sequence[str | None], confidences: Sequence[float], labeller: str, recipe: Recipe
) -> pa.Table:
    """The score rows with a filter's choice as the label of samples that have none yet, where it is sure enough."""
    if COLUMN + "use_case" not in scored.column_names or recipe.taxonomy is None:
        return scored
    columns = {name: scored[COLUMN + name].to_pylist() for name in ("use_case", "confidence", "labeller")}
    for k, (leaf, confidence) in enumerate(zip(chosen, confidences, strict=True)):
        is_free = columns["use_case"][k] in (None, UNLABELLED)
        if leaf is not None and is_free and confidence >= recipe.taxonomy.threshold:
            columns["use_case"][k], columns["confidence"][k], columns["labeller"][k] = leaf, confidence, labeller
    for name, values in columns.items():
        place = scored.schema.get_field_index(COLUMN + name)
        kind = scored.schema.field(place)
        scored = scored.set_column(place, kind, pa.array(values, kind.type))
    return scored


def skip_reasons(f: Filter, recipe: Recipe, source: int, while_reading: pa.Table) -> list[str | None]:
    """For each sample of a unit why the recipe does not let an expensive filter measure it; None if it does.

    Args:
        source: index of the unit's source.
        while_reading: the scores measured while the unit was read.
    """
    component = recipe.component_of(source)
    if not f.judges(component):
        return [OTHER_COMPONENT] * len(while_reading)
    reasons = judge(while_reading, recipe.filters_while_reading(), component)
    ids = while_reading["id"].to_pylist()
    return [f.skips(sample_id, bool(of_sample)) for sample_id, of_sample in zip(ids, reasons, strict=True)]


def scores_struct(scored: pa.Table, names: Sequence[str]) -> pa.Array:
    """The score columns as one struct column."""
    return pa.StructArray.from_arrays(
        [scored[SCORE + name].combine_chunks() if len(scored) else pa.array([], pa.float32()) for name in names],
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


def file_sizes(scored: pa.Table) -> tuple[int, int]:
    """Sizes of the unit's part and of its file of rows, in bytes."""
    part, rows = json.loads((scored.schema.metadata or {})[SIZES_KEY])
    return part, rows


def part_replaced(scored: pa.Table) -> dict[str, int]:
    """How often an attempt at one of the unit's samples was given up and replaced, by reason."""
    replaced: dict[str, int] = json.loads((scored.schema.metadata or {}).get(REPLACED_KEY, b"{}"))
    return replaced
