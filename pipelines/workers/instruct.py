"""Writing instruction samples from the samples of a part."""

from collections.abc import Sequence

import pyarrow as pa

from pipelines.recipe import Recipe
from pipelines.tables.composition import composition_columns
from pipelines.tables.labels import labelled
from pipelines.tables.schema import REASON
from sources.base.sample import Sample
from taxonomy.instructions import NO_WRITER, Instructions
from taxonomy.labelling import SampleLabeller


def conversations(
    scores: pa.Table, samples: Sequence[Sample], labelling: SampleLabeller, recipe: Recipe
) -> tuple[pa.Table, list[Sample]]:
    """The instruction samples made of samples, and their labelled score rows.

    Scores and fingerprints are taken from the pages: a short answer is no page without text, and the same question
    about two pages is no duplicate. A sample that no writer can ask anything about stays what it is, and is rejected.
    """
    assert recipe.instructions is not None
    assert recipe.taxonomy is not None
    writing = Instructions(labelling.taxonomy, recipe.instructions, recipe.taxonomy.shares)
    written = writing.write(samples)
    made = [conversation or sample for conversation, sample in zip(written, samples, strict=True)]
    assert all(sample.num_marks() == len(sample.images) for sample in made)
    for name, column in (
        ("id", pa.array([s.id for s in made], pa.string())),
        ("locator", pa.array([s.provenance.locator for s in made], pa.string())),
        ("num_bytes", pa.array([sum(len(image.data) for image in s.images) for s in made], pa.int64())),
        *composition_columns(made).items(),
    ):
        scores = scores.set_column(scores.schema.get_field_index(name), name, column)
    reasons = pa.array([None if conversation else NO_WRITER for conversation in written], pa.string())
    return labelled(scores, made, labelling).append_column(REASON, reasons), made
