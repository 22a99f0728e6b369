"""Calibration: corruptions that depend on the id alone, curves against plain counts, and the command on an output."""

import dataclasses
import io
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from filters.calibration.corruptions import CORRUPTIONS, corrupted
from filters.calibration.curves import auc, loosest, points
from filters.calibration.measure import Trial, measure
from filters.garbled_text import MaxGarbledShare
from filters.text_length import TextLength
from pipelines.commands.calibrate import main
from pipelines.commands.recipe_file import with_setting
from pipelines.recipe import UsageError
from pipelines.report import card
from pipelines.storage import Storage
from sources.base.sample import EncodedImage, Message, Provenance, Sample, Words
from tests.filters.judging import write_model
from tests.pipelines import small_output

LINES = ["In 2024 the river rose by 31 cm.", "Nobody had seen it coming.", "The 7 mills stood still."]


def page(name: str, lines: list[str] = LINES, size: tuple[int, int] = (200, 160)) -> Sample:
    """A page with a word box for each word, and a picture with something to see."""
    pixels = np.random.default_rng(len(name)).integers(0, 255, size[::-1], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    words = [word for line in lines for word in line.split()]
    boxes = [
        (10 + 30 * k, 10 + 20 * n, 35 + 30 * k, 22 + 20 * n)
        for n, line in enumerate(lines)
        for k in range(len(line.split()))
    ]
    return Sample(
        id=name,
        source="pdfs",
        provenance=Provenance(locator="page=1", digest="d"),
        images=[EncodedImage(data=buffer.getvalue(), extension="png", width=size[0], height=size[1])],
        text="<image>\n" + "\n".join(lines),
        words=Words(texts=words, boxes=np.array(boxes, np.float32), images=np.zeros(len(words), np.int32)),
    )


def chat(name: str, *answers: str) -> Sample:
    turns = [
        m for a in answers for m in (Message(role="user", content="How much?"), Message(role="assistant", content=a))
    ]
    return dataclasses.replace(page(name), text=None, messages=turns, words=Words())


OTHER = page("other", ["Quite another page", "with other words on it."])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_depends_on_the_id_alone_and_changes_something(name: str) -> None:
    sample = chat("c", "5", "6") if name == "swapped_answer" else page("a")
    spoilt = corrupted(sample, name, [OTHER])
    assert spoilt is not None
    same = corrupted(sample, name, [OTHER])
    assert repr(spoilt) == repr(same)
    assert repr(dataclasses.replace(spoilt, measures={})) != repr(sample)
    assert (spoilt.id, len(spoilt.images)) == (sample.id, 1)


def test_texts_are_spoilt_as_they_are_described() -> None:
    sample = page("a")
    spoilt = {name: corrupted(sample, name, [OTHER]) for name in CORRUPTIONS}
    assert spoilt["other_page"].text == "<image>\n" + OTHER.plain_text()
    assert list(spoilt["other_page"].words.texts) == list(OTHER.words.texts)
    shuffled = spoilt["shuffled_words"].text
    assert shuffled.startswith("<image>\n")
    assert sorted(shuffled.split()) == sorted(sample.text.split())
    digits = spoilt["changed_digits"]
    assert re.sub(r"\d", "0", digits.text) == re.sub(r"\d", "0", sample.text)
    assert digits.text.split()[1:] == list(digits.words.texts), "text and words are changed alike"
    letters = spoilt["shuffled_letters"]
    changed = [(a, b) for a, b in zip(sample.text.split(), letters.text.split(), strict=True) if a != b]
    assert changed
    assert all(sorted(a) == sorted(b) for a, b in changed)
    assert letters.text.split()[1:] == list(letters.words.texts)
    fewer = spoilt["missing_word"]
    assert fewer.text.startswith("<image>\n")
    assert fewer.text.split()[1:] == list(fewer.words.texts)
    assert len(fewer.words.texts) == len(sample.words.texts) - 1
    missing = spoilt["missing_line"]
    (line,) = (line for line in LINES if line not in missing.text)
    assert len(missing.words.texts) == len(sample.words.texts) - len(line.split())
    boxes = spoilt["wrong_box"].words.boxes
    assert not (boxes == sample.words.boxes).all(axis=1).any()
    assert sorted(map(tuple, boxes)) == sorted(map(tuple, sample.words.boxes))


def test_pictures_are_spoilt_as_they_are_described() -> None:
    sample = page("a")
    spoilt = {
        name: Image.open(io.BytesIO(corrupted(sample, name, []).images[0].data)) for name in ("blur", "cut", "rotation")
    }
    assert spoilt["cut"].size in ((130, 160), (200, 104))
    assert np.asarray(spoilt["blur"]).std() < 0.7 * np.asarray(Image.open(io.BytesIO(sample.images[0].data))).std()
    large = dataclasses.replace(
        sample, words=dataclasses.replace(sample.words, boxes=sample.words.boxes * np.array([1, 1, 1, 3], np.float32))
    )
    deviations = [
        np.asarray(Image.open(io.BytesIO(corrupted(s, "blur", []).images[0].data))).std() for s in (sample, large)
    ]
    assert deviations[1] < 0.7 * deviations[0], "large letters are blurred more"
    turned = {corrupted(page(f"p{k}"), "rotation", []).images[0].width for k in range(12)}
    assert turned == {160, 200}


def test_what_does_not_apply_is_skipped() -> None:
    plain = dataclasses.replace(page("a"), images=[], words=Words(), text="no number, one line")
    applicable = ("shuffled_words", "shuffled_letters", "missing_word")
    assert all(corrupted(plain, name, []) is None for name in CORRUPTIONS if name not in applicable)
    word = dataclasses.replace(plain, text="<image>\n77")
    assert all(corrupted(word, name, []) is None for name in CORRUPTIONS if name != "changed_digits")
    assert corrupted(chat("c", "5"), "swapped_answer", [chat("d", "5")]) is None
    assert corrupted(chat("c", "5"), "swapped_answer", [chat("d", "6")]).messages[1].content == "6"
    chinese = dataclasses.replace(page("z"), text="这一页的文字没有空格但是可以打乱顺序", words=Words())
    shuffled = corrupted(chinese, "shuffled_words", []).text
    assert sorted(shuffled) == sorted(chinese.text)
    assert shuffled != chinese.text


scores = st.lists(st.integers(0, 6), min_size=2, max_size=12)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_the_auc_is_the_share_of_pairs_that_are_in_order(pairs: list[tuple[int, int]]) -> None:
    good, spoilt = np.array(pairs, float).T
    found = auc(good, spoilt)
    others = [(g > s) + 0.5 * (g == s) for i, g in enumerate(good) for j, s in enumerate(spoilt) if i != j]
    assert found.value == pytest.approx(np.mean(others))
    assert 0 <= found.low <= found.high <= 1


@given(scores, scores, st.booleans())
def test_precision_and_recall_are_those_of_a_plain_count(good: list[int], spoilt: list[int], higher: bool) -> None:
    for point in points(np.array(good, float), {"x": np.array(spoilt, float)}, higher_is_better=higher):
        kept = [
            [(v >= point.threshold) if higher else (v <= point.threshold) for v in group] for group in (good, spoilt)
        ]
        recall, false = (np.mean(group) for group in kept)
        assert point.recall == pytest.approx(recall)
        assert point.precision == pytest.approx(recall / (recall + false))


def test_the_threshold_keeps_most_with_the_wanted_precision() -> None:
    curve = points(np.array([1, 2, 3, 4.0]), {"x": np.array([0, 0, 1, 3.0])}, higher_is_better=True)
    assert loosest(curve, 0.75).threshold == 2
    assert loosest(curve, 0.99).threshold == 4
    assert loosest(points(np.array([1.0]), {"x": np.array([2.0])}, higher_is_better=True), 0.9) is None


def test_scores_are_compared_on_the_same_samples() -> None:
    trials = [Trial(page(f"a{k}"), [OTHER]) for k in range(6)] + [Trial(chat("c", "5"), [])]
    (length,) = measure(trials, TextLength(), {"num_chars": True})
    assert length.corruptions["missing_line"].auc.value > 0.9
    assert length.corruptions["changed_digits"].auc.value == 0.5
    assert length.corruptions["wrong_box"].not_applicable == 1
    (garbled,) = measure(trials, MaxGarbledShare(), {"garbled_share": False}, ["blur"])
    assert garbled.corruptions["blur"].auc.num_pairs == 7


RECIPE = """\
# my recipe
filters:
  - {type: min_ink, share: 0.001}   # in one line
  - type: text_length
    max_chars: 9000  # long ones out
  - type: deepseek_vl
    min_scores:
      agreement: 0.5
"""


def test_one_value_of_a_recipe_is_changed_and_all_else_stays() -> None:
    assert with_setting(RECIPE, "min_ink", "share", 0.25) == RECIPE.replace("0.001", "0.25")
    assert with_setting(RECIPE, "text_length", "max_chars", 80) == RECIPE.replace("9000", "80")
    added = with_setting(RECIPE, "text_length", "min_chars", 12)
    assert added == RECIPE.replace("text_length\n", "text_length\n    min_chars: 12\n")
    assert with_setting(RECIPE, "min_ink", "other", 1) == RECIPE.replace("0.001}", "0.001, other: 1}")
    assert with_setting(RECIPE, "deepseek_vl", "min_scores.agreement", 0.75) == RECIPE.replace("0.5\n", "0.75\n")
    nested = with_setting(RECIPE, "text_length", "min_scores.x", 0.5)
    assert "    min_scores: {x: 0.5}\n" in nested
    with pytest.raises(UsageError, match="no filter of the type language"):
        with_setting(RECIPE, "language", "min_confidence", 0.5)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("calibrated") / "out"
    small_output.build(root, small_output.example_pdfs())
    card.export(Storage(str(root)))
    return root


def test_the_command_measures_writes_and_is_told_by_the_card(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "my.yaml"
    recipe.write_text("sources: [{type: pdfs}]\nfilters:\n  - type: text_length  # mine\n    min_chars: 5\n")
    arguments = [str(out), "--axis", "num_chars", "--precision", "0.51", "--recipe", str(recipe)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    result = json.loads((out / "calibration/num_chars.json").read_text())
    threshold = result["wanted"]["threshold"]
    assert (
        recipe.read_text()
        == f"sources: [{{type: pdfs}}]\nfilters:\n  - type: text_length  # mine\n    min_chars: {threshold}\n"
    )
    assert f"--set text_length.min_chars={threshold}" in printed
    assert result["samples"] == pq.read_table(out / "data").num_rows
    assert result["corruptions"]["missing_line"]["auc"] > 0.5
    ElementTree.fromstring((out / "calibration/num_chars.svg").read_text())
    assert "| a line of the text is missing |" in (out / "README.md").read_text()
    first = (out / "calibration/num_chars.json").read_bytes()
    assert main(arguments) == 0
    assert (out / "calibration/num_chars.json").read_bytes() == first
    assert main([*arguments[:-2]]) == 0
    assert "written to a new file" in capsys.readouterr().out
    assert f"min_chars: {threshold}" in (out / "calibration/recipe.yaml").read_text()


def test_wrong_usage_of_the_command_is_one_sentence(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(*arguments: str, code: int = 2) -> str:
        assert main(list(arguments)) == code
        return capsys.readouterr().err.strip().splitlines()[-1]

    assert "no such score" in error(str(out), "--axis", "agreement")
    assert "above 0.5" in error(str(out), "--axis", "num_chars", "--precision", "3")
    assert "for one score" in error(str(out), "--axis", "num_chars", "ink", "--precision", "0.9")
    assert "no threshold has a precision of 0.99" in error(str(out), "--axis", "garbled_share", "--precision", "0.99")
    measured_while_reading = error(
        str(out), "--axis", "render_similarity", "--set", "render_similarity.min_similarity=0.9"
    )
    assert "none of the" in measured_while_reading
    assert "the source measures it while it reads" in measured_while_reading
    assert "cannot be read" in error(
        str(out), "--axis", "ink", "--precision", "0.9", "--recipe", str(tmp_path / "missing.yaml")
    )
    assert "holds no manifest.json" in error(str(tmp_path), "--axis", "ink", code=1)


@pytest.mark.slow
def test_an_axis_of_a_model_gets_its_first_threshold(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    model = write_model(tmp_path / "model")
    arguments = [str(copy), "--axis", "agreement", "--corruption", "other_page", "shuffled_words", "--samples", "12"]
    settings = ["--set", f"deepseek_vl.model={model}", "--set", "deepseek_vl.threads=1"]
    assert main([*arguments, *settings, "--precision", "0.51"]) == 0
    found = json.loads((copy / "calibration/agreement.json").read_text())
    assert found["corruptions"]["other_page"]["samples"] > 1
    threshold = found["wanted"]["threshold"]
    assert threshold < 0, "a mean log probability"
    recipe = yaml.safe_load((copy / "calibration/recipe.yaml").read_text())
    (judge,) = (entry for entry in recipe["filters"] if entry["type"] == "deepseek_vl")
    assert judge["min_scores"] == {"agreement": threshold}
    mine = tmp_path / "mine.yaml"
    mine.write_text("sources: [{type: pdfs}]\n")
    capsys.readouterr()
    assert main([*arguments, *settings, "--precision", "0.51", "--recipe", str(mine)]) == 2
    assert "the recipe has no filter of the type deepseek_vl" in capsys.readouterr().err
