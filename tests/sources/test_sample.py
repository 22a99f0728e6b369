"""The sample and its Arrow form: parts store it without loss."""

import io

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sources.base.sample import (
    PART_SCHEMA,
    EncodedImage,
    Message,
    Provenance,
    Sample,
    Words,
    dataset_schema,
    from_part,
    sample_id,
    to_part,
)
from sources.images.encoding import encode, luma
from sources.images.fingerprint import PICTURE, picture_fingerprint
from sources.images.ink import ink

TEXT = st.text(max_size=30)
IMAGES = st.builds(
    EncodedImage,
    data=st.binary(max_size=60),
    extension=st.sampled_from(["png", "jpg", "webp"]),
    width=st.integers(1, 10_000),
    height=st.integers(1, 10_000),
)
PROVENANCE = st.builds(
    Provenance,
    locator=TEXT,
    digest=st.binary(min_size=32, max_size=32).map(bytes.hex),
    uri=TEXT,
    license=st.none() | TEXT,
    fetched_at=st.none() | TEXT,
)


@st.composite
def words(draw: st.DrawFn) -> Words:
    texts = draw(st.lists(TEXT, max_size=6))
    numbers = st.floats(0, 8192, width=32)
    boxes = np.array([[draw(numbers) for _ in range(4)] for _ in texts], np.float32).reshape(-1, 4)
    images = np.array([draw(st.integers(0, 9)) for _ in texts], np.int32)
    return Words(texts=texts, boxes=boxes, images=images)


SAMPLES = st.builds(
    Sample,
    id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    source=st.sampled_from(["pdfs", "web"]),
    provenance=PROVENANCE,
    images=st.lists(IMAGES, max_size=3),
    messages=st.none() | st.lists(st.builds(Message, role=TEXT, content=TEXT), max_size=3),
    text=st.none() | TEXT,
    words=words(),
    flags=st.lists(TEXT, max_size=3),
    measures=st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=3),
    use_case=st.none() | st.just("recognition/style"),
    labeller=st.sampled_from(["", "writer:counting"]),
    fingerprint=st.none() | st.binary(min_size=PICTURE.itemsize, max_size=PICTURE.itemsize),
)


def same(a: Sample, b: Sample) -> bool:
    fields = (
        *("id", "source", "provenance", "images", "messages", "text", "flags", "measures", "fingerprint"),
        *("use_case", "labeller"),
    )
    return (
        all(getattr(a, name) == getattr(b, name) for name in fields)
        and list(a.words.texts) == list(b.words.texts)
        and a.words.boxes.dtype == b.words.boxes.dtype
        and np.array_equal(a.words.boxes, b.words.boxes)
        and np.array_equal(a.words.images, b.words.images)
    )


@given(st.lists(SAMPLES, max_size=4))
def test_samples_survive_a_part(samples: list[Sample]) -> None:
    batch = to_part(samples)
    assert batch.schema == PART_SCHEMA
    batch.validate(full=True)
    back = from_part(batch)
    assert len(back) == len(samples)
    assert all(same(a, b) for a, b in zip(samples, back, strict=True))


@given(st.lists(SAMPLES, min_size=1, max_size=3))
def test_samples_survive_parquet(samples: list[Sample]) -> None:
    file = io.BytesIO()
    import pyarrow as pa

    pq.write_table(pa.Table.from_batches([to_part(samples)]), file)
    file.seek(0)
    assert all(same(a, b) for a, b in zip(samples, from_part(pq.read_table(file)), strict=True))


def test_ids_depend_on_digest_and_locator_only() -> None:
    assert sample_id("ab", "page=1") == sample_id("ab", "page=1")
    assert len({sample_id(digest, f"page={k}") for digest in ("ab", "ac") for k in range(50)}) == 100
    assert len(sample_id("ab", "page=1")) == 32


def test_plain_text_has_no_placeholders() -> None:
    provenance = Provenance(locator="page=1", digest="00")
    assert Sample(id="1", source="pdfs", provenance=provenance, text="<image>\nHello").plain_text() == "Hello"
    turns = [Message(role="user", content="<image>What is it?"), Message(role="assistant", content="A page.")]
    sample = Sample(id="1", source="pdfs", provenance=provenance, messages=turns, text="ignored")
    assert sample.plain_text() == "What is it?\nA page."
    assert Sample(id="1", source="pdfs", provenance=provenance).plain_text() == ""


def test_the_dataset_has_one_column_per_score() -> None:
    schema = dataset_schema(["ink", "num_chars"])
    assert [field.name for field in schema.field("scores").type] == ["ink", "num_chars"]
    assert "measures" not in schema.names


def test_a_sample_of_a_picture_has_its_id_its_ink_and_its_fingerprint() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    grey = luma(Image.fromarray(pixels))
    provenance = Provenance(locator="page=3", digest="ab" * 32)
    for given_pixels in (pixels, grey):
        sample = Sample.of_picture(
            given_pixels, source="test", provenance=provenance, images=[encode(pixels, "png")], measures={"other": 2.0}
        )
        assert sample.id == sample_id("ab" * 32, "page=3")
        assert sample.measures == {"ink": ink(grey), "other": 2.0}
        assert sample.fingerprint == picture_fingerprint(grey)
