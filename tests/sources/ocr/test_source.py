"""Samples of the OCR source: independent of each other, valid for every task, with words inside the picture."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Sample
from sources.base.source import ItemError
from sources.base.synthetic import REPLACED
from sources.ocr.source import Ocr
from taxonomy.loader import BUNDLED, load

NUM = 36


@pytest.fixture(scope="module")
def source() -> Ocr:
    return Ocr(seed=5, num_samples=NUM, side_px=768)


@pytest.fixture(scope="module")
def samples(source: Ocr) -> list[Sample]:
    with source.open() as made:
        assert len(made) == NUM
        return [made[number] for number in range(NUM)]


def test_sample_is_independent_of_other_samples(source: Ocr, samples: list[Sample]) -> None:
    for number in (7, 3, 20):
        alone = Ocr(seed=5, num_samples=1, side_px=768).make(number, source.digest)
        assert alone.images[0].data == samples[number].images[0].data
        assert (alone.text, alone.messages) == (samples[number].text, samples[number].messages)
        assert np.array_equal(alone.words.boxes, samples[number].words.boxes)


def test_another_seed_gives_other_samples(source: Ocr, samples: list[Sample]) -> None:
    other = Ocr(seed=6, side_px=768)
    made = other.make(0, other.digest)
    assert made.images[0].data != samples[0].images[0].data
    assert other.digest != source.digest


def test_words_are_inside_the_picture(samples: list[Sample]) -> None:
    for sample in samples:
        image = Image.open(io.BytesIO(sample.images[0].data))
        boxes = sample.words.boxes
        assert len(sample.words.texts) == len(boxes) > 0
        assert (boxes >= 0).all()
        assert (boxes[:, 0] < boxes[:, 2]).all()
        assert (boxes[:, 1] < boxes[:, 3]).all()
        assert (boxes[:, 2] <= image.width).all()
        assert (boxes[:, 3] <= image.height).all()


def test_a_sample_is_text_or_a_conversation_about_its_image(samples: list[Sample]) -> None:
    for sample in samples:
        assert (sample.text is None) != (sample.messages is None)
        first = sample.text if sample.messages is None else sample.messages[0].content
        assert first is not None
        assert first.startswith(IMAGE_PLACEHOLDER)
        assert first.count(IMAGE_PLACEHOLDER) == 1


def test_use_cases_are_leaves_that_the_source_declares(samples: list[Sample]) -> None:
    leaves = load(BUNDLED).leaves
    assert set(Ocr.use_cases) <= set(leaves)
    assert {sample.use_case for sample in samples} <= set(Ocr.use_cases)
    assert len({sample.use_case for sample in samples}) >= 4


def test_handwriting_formulas_and_languages_are_labelled() -> None:
    for kinds, tasks, leaf in (
        ({"note": 1.0}, {"transcription": 1.0}, "recognition/ocr_and_transcription/handwriting"),
        ({"formulas": 1.0}, {"grounding": 1.0}, "conversion/image_to_code/formula"),
        ({"bilingual": 1.0}, {"transcription": 1.0}, "recognition/ocr_and_transcription/specified_language"),
        ({"invoice": 1.0}, {"markdown": 1.0}, "recognition/ocr_and_transcription/specified_format"),
    ):
        source = Ocr(kinds=kinds, tasks=tasks, languages=("zh",), strength=0.2, side_px=768)
        sample = source.make(0, source.digest)
        assert sample.use_case == leaf


def test_an_invoice_adds_up_in_its_markdown() -> None:
    source = Ocr(kinds={"invoice": 1}, tasks={"markdown": 1}, languages=("en",), strength=0, side_px=1024)
    sample = source.make(1, source.digest)
    assert sample.messages is not None
    rows = [line.split("|")[1:-1] for line in sample.messages[1].content.split("\n") if line.startswith("| ")][2:]
    amounts = [float(row[3].replace(",", "")) for row in rows]
    for row, amount in zip(rows, amounts, strict=True):
        assert int(row[1]) * float(row[2].replace(",", "")) == pytest.approx(amount)
    subtotal = next(line for line in sample.messages[1].content.split("\n") if line.startswith("Subtotal"))
    assert float(subtotal.split()[-1].lstrip("$€£").replace(",", "")) == pytest.approx(sum(amounts))


def test_replaced_samples_are_counted_by_reason() -> None:
    source = Ocr(seed=2, side_px=768, kinds={"invoice": 1, "form": 1}, strength=1, tasks={"transcription": 1})
    made = [source.make(number, source.digest) for number in range(12)]
    counts = [value for sample in made for name, value in sample.measures.items() if name.startswith(REPLACED)]
    assert counts
    assert all(count >= 1 and count == int(count) for count in counts)


def test_sample_that_always_fails_is_an_error_with_reasons() -> None:
    source = Ocr(kinds={"note": 1}, tasks={"grounding": 1}, languages=("zh",), seed=1)
    with pytest.raises(ItemError, match="given up after") as error:
        _make_with_passages(source, "\u9fa5\u3400\u4dae" * 8)
    assert error.value.cause == "missing_glyph"


def test_kind_without_text_is_an_error() -> None:
    source = Ocr(kinds={"vertical": 1}, seed=1)
    with pytest.raises(ItemError) as error:
        _make_with_passages(source, "", language="en")
    assert error.value.cause == "no_text"


def _make_with_passages(source: Ocr, text: str, language: str = "zh") -> Sample:
    class Passages:
        def languages(self) -> tuple[str, ...]:
            return (language,)

        def count(self, requested: str) -> int:
            return int(requested == language)

        def paragraph(self, requested: str, number: int) -> str:
            return text

        def title(self, requested: str, number: int) -> str:
            return ""

        def num_blocks(self, requested: str) -> int:
            return 0

        def block(self, requested: str, number: int) -> tuple[str, str]:
            raise IndexError(number)

    return source.make_of(Passages(), 0, source.digest)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"languages": ("xx",)}, "languages must be some of en, de"),
        ({"languages": ("ar",)}, "there is no bundled text in ar"),
        ({"kinds": {"poster": 1}}, "kinds must be some of article"),
        ({"kinds": {"vertical": 1}, "languages": ("en",)}, "there is no vertical page in en"),
        ({"tasks": {"text": 0}}, "not all 0"),
        ({"tasks": {"text": float("nan")}}, "finite weights"),
        ({"strength": 1.5}, "strength must be between 0 and 1"),
        ({"side_px": 100}, "side_px must be between 512 and 2048"),
        ({"engine": "word"}, "engine must be story or chromium"),
        ({"format": "gif"}, "format must be png, jpeg or webp"),
        ({"quality": 0}, "quality must be between 1 and 100"),
    ],
)
def test_invalid_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ocr(**settings)


def test_the_material_is_part_of_the_digest(tmp_path: Path) -> None:
    source = Ocr(input=("a.txt",))
    digests = set()
    for content in (b"one", b"two"):
        path = tmp_path / "corpus"
        path.write_bytes(content)
        digests.add(source.digest_of(path))
    assert len(digests) == 2
