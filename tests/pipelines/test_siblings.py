"""Samples of one item: told from others, compared once, set aside together, and their picture stored once."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.mixture.cuts import Cuts, bin_of
from pipelines.stages.mix import over_share, tally
from pipelines.tables.parquet import parquet_options, stores_pictures_once
from pipelines.tables.siblings import first_rows, item_ids, one_per_item, with_siblings
from pipelines.tables.verdicts import Rejection, Verdict
from sources.base.sample import EncodedImage, Provenance, Sample, dataset_schema, sample_id, to_part

LOCATORS = ["page=a;task=text", "page=a;task=code", "page=b;task=code", "page=a;task=title", "row=1", "row=1"]
INPUTS = [0, 0, 0, 1, 0, 0]  # the fourth is of another input; rows without a task are on their own


def test_samples_of_an_item_differ_in_their_task_only() -> None:
    assert first_rows(INPUTS, LOCATORS) == (0, 0, 2, 3, 4, 5)
    table = pa.table({"id": list("uvwxyz"), "locator": LOCATORS, "slice": INPUTS})
    assert item_ids(table, "slice") == ["u", "u", "w", "x", "y", "z"]


def test_the_first_that_filters_keep_is_compared_for_all() -> None:
    first = (0, 0, 0, 3, 3)
    assert one_per_item([1, 2, 3, 4], first) == [1, 3]
    verdicts = [Verdict(("ink",)), Verdict(), Verdict(), Verdict(), Verdict()]
    found = Rejection(item=1, reason="near_duplicate", duplicate_of="w", distance=3, is_shown=True)
    shown = Rejection(item=3, is_shown=True)  # a kept sample: nothing follows from it for the others
    assert with_siblings([found, shown], verdicts, first) == [found, shown, found._replace(item=2, is_shown=False)]


def test_a_component_has_room_for_an_item_or_has_not() -> None:
    ids = ["first"] * 3 + ["other"]
    verdicts = [Verdict()] * 4
    assert len(tally(ids, [1, 2, 3, 4], verdicts, "web")) == 2
    cuts: Cuts = {"web": bin_of("first")}
    rejected = [rejection.item for rejection in over_share(ids, verdicts, "web", cuts)]
    assert rejected[:3] == [0, 1, 2]


def test_a_picture_is_stored_once() -> None:
    """As large as a photograph, so that several do not fit into a page of the file."""
    noise = [np.random.default_rng(k).bytes(300_000) for k in range(3)]
    samples = [_sample(noise[k], f"page={k};task={task}") for k in range(3) for task in ("text", "code", "title")]
    part = pa.Table.from_batches([to_part(samples)])
    schema = dataset_schema([])
    columns = [
        part[name] if name in part.column_names else pa.nulls(len(part), schema.field(name).type)
        for name in schema.names
    ]
    rows = pa.table(columns, schema=schema)

    def written(*, repeats_pictures: bool) -> bytes:
        file = io.BytesIO()
        options = parquet_options(schema, "train", repeats_pictures=repeats_pictures)
        with pq.ParquetWriter(file, schema, **options) as writer:
            writer.write_table(rows)
        return file.getvalue()

    once, each = written(repeats_pictures=True), written(repeats_pictures=False)
    assert len(once) < 3 * 300_000 + 40_000 < 8 * 300_000 < len(each)
    assert pq.read_table(io.BytesIO(once)).equals(pq.read_table(io.BytesIO(each)))
    assert stores_pictures_once(pq.ParquetFile(io.BytesIO(once)))
    assert not stores_pictures_once(pq.ParquetFile(io.BytesIO(each)))


def _sample(picture: bytes, locator: str) -> Sample:
    return Sample(
        id=sample_id("0" * 64, locator),
        source="web",
        provenance=Provenance(locator=locator, digest="0" * 64),
        images=[EncodedImage(data=picture, extension="png", width=8, height=8)],
        text="<image>",
    )
