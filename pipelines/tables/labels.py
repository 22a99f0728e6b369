"""The label columns of score files, ledger and data."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sources.base.sample import LABEL, Sample
from taxonomy.labelling import Label, SampleLabeller

COLUMN = "label."  # prefix of the label's fields in score files


def labelled(scores: pa.Table, samples: Sequence[Sample], labelling: SampleLabeller) -> pa.Table:
    """Score rows with the labels of their samples."""
    for name, column in _columns(labelling.label_samples(samples)).items():
        scores = scores.append_column(name, column)
    return scores


def label_array(labels: Sequence[Label | None]) -> pa.StructArray:
    """Labels as a `label` column."""
    columns = _columns([label or Label("", 0.0, "") for label in labels])
    is_missing = pa.array([label is None for label in labels])
    return pa.StructArray.from_arrays(list(columns.values()), fields=list(LABEL), mask=is_missing)


def _columns(labels: Sequence[Label]) -> dict[str, pa.Array]:
    values = {
        "use_case": [label.use_case for label in labels],
        "confidence": [label.confidence for label in labels],
        "labeller": [label.labeller for label in labels],
        "secondary": [" ".join(label.secondary) or None for label in labels],
    }
    return {COLUMN + field.name: pa.array(values[field.name], field.type) for field in LABEL}


def count_labels(labels: pa.ChunkedArray) -> Counter[str]:
    """Rows of a `label` column by use case; none where there are no labels."""
    counted = pc.value_counts(pc.struct_field(labels, "use_case").drop_null()).to_pylist()
    return Counter({entry["values"]: entry["counts"] for entry in counted})


def label_struct(scored: pa.Table) -> pa.Array:
    """The `label` column of rows of a score file; null without labels."""
    if COLUMN + "use_case" not in scored.column_names:
        return pa.nulls(len(scored), LABEL)
    if not len(scored):
        return pa.array([], LABEL)
    arrays = [scored[COLUMN + field.name].combine_chunks() for field in LABEL]
    return pa.StructArray.from_arrays(arrays, fields=list(LABEL))
