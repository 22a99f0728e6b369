"""Keys and values of forms, invoices and receipts: exactly what is printed."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.ocr.records import Record
from sources.ocr.source import Ocr
from sources.ocr.templates.registry import RECORDED
from sources.ocr.vocabulary import label
from sources.text.fonts import fonts_for

NUM = 2
SAMPLES = pytest.mark.parametrize(("kind", "language"), [(k, name) for k in sorted(RECORDED) for name in ("en", "zh")])


def _samples(kind: str, language: str) -> list[Sample]:
    source = Ocr(seed=8, kinds={kind: 1}, languages=(language,), tasks={"json": 1}, strength=0)
    return [source.make(number, source.digest) for number in range(NUM)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, content in value.items():
            yield key
            yield from _texts(content)
    else:
        for content in value:
            yield from _texts(content)


@SAMPLES
def test_every_key_and_value_is_printed_or_named_in_the_question(kind: str, language: str) -> None:
    for sample in _samples(kind, language):
        assert sample.messages is not None
        question, answer = (message.content for message in sample.messages)
        assert sample.use_case == "recognition/ocr_and_transcription/specified_format"
        record = json.loads(answer)
        printed = "".join(sample.words.texts)
        unlabelled = [key for key in record if f'"{key}"' in question]
        assert unlabelled == list(record)[: len(unlabelled)]
        covered = ""
        for key, value in record.items():
            for text in (*_texts(value), *((key,) if key not in unlabelled else ())):
                assert "".join(text.split()) in printed
                covered += "".join(text.split())
        signs = dict.fromkeys("_:：[]x", "")
        assert len(covered.translate(str.maketrans(signs))) >= 0.9 * len(printed.translate(str.maketrans(signs)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_amounts_of_an_invoice_add_up_as_printed(language: str) -> None:
    item, quantity, price, amount = (label(name, language) for name in ("item", "quantity", "price", "amount"))
    for sample in _samples("invoice", language):
        assert sample.messages is not None
        record = json.loads(sample.messages[1].content)
        rows = record["items"]
        assert len(rows) >= 3
        assert all(list(row) == [item, quantity, price, amount] for row in rows)
        assert all(_number(row[quantity]) * _number(row[price]) == _number(row[amount]) for row in rows)
        assert sum(_number(row[amount]) for row in rows) == _number(record[label("subtotal", language)])


def _number(text: str) -> Decimal:
    return Decimal(text.strip("$€£¥").replace(",", ""))


def test_only_recorded_kinds_have_the_task() -> None:
    source = Ocr(seed=2, tasks={"json": 1}, strength=0)
    samples = [source.make(number, source.digest) for number in range(6)]
    assert {sample.flags[0] for sample in samples} <= RECORDED
    with pytest.raises(ValueError, match="only form, invoice, receipt have the task json, and only statement"):
        Ocr(tasks={"json": 1}, kinds={"letter": 1})


def test_texts_are_as_a_reader_reads_them() -> None:
    record = Record(labelled={"Name  of": "a ______ b", "Rows": [{"A": ""}]}, unlabelled={"title": "T"})
    assert json.loads(record.to_json()) == {"title": "T", "Name of": "a ____ b", "Rows": [{"A": ""}]}
    assert record.names == '"title"'


@pytest.mark.parametrize(
    ("kind", "languages"), [("form", ("en",)), ("form", ("zh",)), ("letter", ("en",)), ("bilingual", ())]
)
def test_pages_are_filled(kind: str, languages: tuple[str, ...]) -> None:
    source = Ocr(seed=4, kinds={kind: 1}, languages=languages, tasks={"grounding": 1}, strength=0)
    ends = []
    for number in range(3):
        sample = source.make(number, source.digest)
        ends.append(float(sample.words.boxes[:, 3].max()) / source.side_px)
    assert float(np.median(ends)) > 0.75  # the margin below takes up to a tenth


LAYOUT = """title: Loan of a bicycle
fields:
  - [Borrower, person]
  - [Colour, [red, green]]
consents: [The brakes have been tested.]
"""


def test_forms_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "bicycle.yaml").write_text(LAYOUT)
    source = Ocr(layouts=str(tmp_path), kinds={"form": 1}, languages=("en",), tasks={"json": 1}, strength=0)
    source.check()
    records = [json.loads((source.make(k, source.digest).messages or ())[1].content) for k in range(6)]
    for record in records:
        assert set(record) == {"title", "No.", "Borrower", "Colour", "The brakes have been tested."}
        assert record["title"] == "Loan of a bicycle"
        assert record["Colour"] in ("", "red", "green")
    assert len({record["Borrower"] for record in records}) >= 4
    (tmp_path / "bicycle.yaml").write_text(LAYOUT + "note: Bring it back.\n")
    assert Ocr(layouts=f"{tmp_path}/", kinds={"form": 1}, languages=("en",)).digest != source.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "1: expected a mapping with title and fields"),
        ("title: x", "fields: Field required"),
        ("title: x\nfields: []", "fields must have 1 to 30 entries"),
        ("title: x\nfields:\n  - [A, colour]", "field 'A' has the type 'colour'; expected address, amount"),
        ("title: x\nfields:\n  - [A, []]", "field 'A' has an empty list of values"),
        ("title: x\nfields:\n  - [A, town]\n  - [A, town]", "two fields have the same label"),
        ("title: x\nlanguage: xx\nfields:\n  - [A, town]", "language must be one of en, zh"),
        ("title: x\ncolor: red\nfields:\n  - [A, town]", "color: Unexpected keyword argument"),
        (f"title: {'x' * 50}\nfields:\n  - [A, town]", "has 50 characters; at most 40 fit"),
        ("title: [", "form.yaml:"),
    ],
)
def test_mistakes_in_a_form_are_sentences_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "form.yaml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        Ocr(layouts=str(tmp_path)).check()
    assert "form.yaml:" in str(caught.value)


def test_a_folder_without_forms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no YAML files"):
        Ocr(layouts=str(tmp_path)).check()
    with pytest.raises(ValueError, match="there is no folder"):
        Ocr(layouts=str(tmp_path / "none")).check()


def test_forms_are_filled_in_by_hand() -> None:
    """What is written by hand is in the record and in the words, each with ink in its box."""
    if not fonts_for("en", ("handwriting",)):
        pytest.skip("no handwriting font")
    source = Ocr(
        seed=4, kinds={"form": 1}, languages=("en",), handwriting=1, tasks={"json": 1}, strength=0, side_px=768
    )
    sample = source.make(0, source.digest)
    assert sample.messages is not None
    assert "handwriting" in sample.flags
    record = json.loads(sample.messages[1].content)
    entries = [value for key, value in record.items() if key not in ("title", "note", "No.") and value[:1] != "["]
    written = [word for value in entries for word in value.split()]
    assert len(written) > 5
    assert not Counter(written) - Counter(sample.words.texts)
    grey = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("L"))
    for word in set(written):
        x0, y0, x1, y1 = sample.words.boxes[sample.words.texts.index(word)].astype(int)
        assert grey[y0:y1, x0:x1].min() < 160
    printed = Ocr(seed=4, kinds={"form": 1}, languages=("en",), handwriting=0, strength=0)
    assert "handwriting" not in printed.make(0, printed.digest).flags
