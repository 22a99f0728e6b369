"""An unusable vocabulary is rejected with one sentence and its line."""

from pathlib import Path

import pytest

from sources.base.source import ItemError
from sources.charts import Charts
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.config_file import ConfigFileError


def _change(folder: Path, old: str, new: str) -> Path:
    text = BUNDLED.read_text(encoding="utf-8")
    assert old in text
    path = folder / "mine.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def _line_of(text: str) -> int:
    return BUNDLED.read_text(encoding="utf-8").split(text)[0].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        (
            "low: 80, high: 950",
            "low: 950, high: 80",
            "low: 80, high: 950",
            "low must be below high, got 950.0 and 80.0",
        ),
        ("low: 80, high: 950", "low: .nan, high: 950", "low: 80, high: 950", "must be finite, got nan"),
        ("low: 80, high: 950", "low: 80, high: 1e300", "low: 80, high: 950", "must be between -1e12 and 1e12"),
        ("[Feb, 2月]", f"[{'F' * 50}, 2月]", "noun: [Month", "has 50 characters; at most 40 fit into a picture"),
        ("low: 80, high: 950", "low: 80, high: .inf", "low: 80, high: 950", "must be finite"),
        (
            "by: [drinks, cities]",
            "by: [drinks, towns]",
            "by: [drinks, cities]",
            "no list 'towns'; expected one of months",
        ),
        ("[Feb, 2月]", "[Jan, 2月]", "noun: [Month", "'Jan' is there twice"),
        ("[Feb, 2月]", "[Feb]", "[Feb, 2月]", "field required"),
        ("[Feb, 2月]", "[Feb, '']", "noun: [Month", "must all have a text in zh"),
        ("low: -14, high: 34", "low: -14, high: 34, additive: true", "title: [Mean temperature", "cannot be negative"),
        ("shapes: [season]", "shapes: [tides]", "title: [Mean temperature", "shapes must be some of growth"),
        ("correlation: 0.8", "correlation: 8", "title: [Study time", "between -1 and 1"),
        ("otherwise: 6", "otherwise: 60", "title: [Handling", "leads to step 60"),
        ("noun: [Month, 月份]", "noun: [Month, 月份]\n    colour: red", "noun: [Month", "colour"),
        ("after: [1, 2]", "after: [1, 8]", "title: [Baking bread", "may stand after step 7 at most, got 8"),
        ("ways: [go_on", "ways: [jump", "ask: ['Dough", "ways must be some of go_on, back, repeat, end"),
        ("where: [schools, cities]", "where: [towns]", "title: [Study time", "no list 'towns'"),
    ],
)
def test_error_has_the_line_of_the_mistake(tmp_path: Path, old: str, new: str, where: str, message: str) -> None:
    path = _change(tmp_path, old, new)
    with pytest.raises(ConfigFileError) as caught:
        load_vocabulary(path)
    text = str(caught.value)
    assert message in text.replace("Field", "field")
    assert "\n" not in text
    line = int(text.removeprefix(f"{path}:").split(":")[0])
    assert abs(line - _line_of(where)) <= 3, text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "1: is empty; expected a mapping with lists, topics"),
        ("[]", "1: expected a mapping with lists, topics"),
        ("[1, 2]", "1: expected a mapping with lists, topics"),
        ("lists: {}\ntopics: []\nlists: {}", "3: 'lists' is here a second time; the first is on line 1"),
        ("lists: {}", "topics: field required"),
        ("lists: {a: &x {noun: [a, b]}, b: *x}", "1: &x is a YAML anchor"),
        ("lists: [", "is not valid YAML"),
        ("\x00", "1: holds the character"),
        ("? {a: b}\n: c", "1: a key must be a text"),
    ],
)
def test_file_without_a_vocabulary_is_rejected(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        Charts(vocabulary=str(path))


def test_empty_section_is_rejected(tmp_path: Path) -> None:
    text = BUNDLED.read_text(encoding="utf-8")
    head, _, rest = text.partition("\nfunnels:")
    path = tmp_path / "mine.yaml"
    path.write_text(head + "\nfunnels: []\n\nprojects:" + rest.partition("\nprojects:")[2], encoding="utf-8")
    with pytest.raises(ConfigFileError, match="funnels is empty"):
        load_vocabulary(path)


def test_another_vocabulary_gives_other_charts(tmp_path: Path) -> None:
    path = _change(tmp_path, "title: [Drinks sold, 饮品销量]", "title: [Cups poured, 售出杯数]")
    mine, bundled = Charts(vocabulary=str(path)), Charts()
    assert mine.digest != bundled.digest
    titles = {mine.specify(item)[0].title.split(":")[0] for item in range(400)}
    assert {"Cups poured", "售出杯数"} & titles
    assert "Drinks sold" not in titles


def test_character_without_a_font_is_an_error_row(tmp_path: Path) -> None:
    path = _change(tmp_path, "noun: [Month, 月份]", 'noun: ["Month \\uE000", "月份\\uE000"]')
    charts = Charts(vocabulary=str(path), kinds=("line", "bar"))
    errors = []
    with charts.open() as samples:
        for item in range(12):
            try:
                assert samples[item].images
            except ItemError as error:
                errors.append(error)
    assert errors
    assert {error.cause for error in errors} == {"missing_glyph"}
    assert "U+E000" in errors[0].message


def test_kind_without_a_suitable_topic_is_an_error_row(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(BUNDLED.read_text(encoding="utf-8").replace(", additive: true", ""), encoding="utf-8")
    charts = Charts(vocabulary=str(path), kinds=("stacked_bar", "pie", "percent_bar"))
    for item in range(6):
        with pytest.raises(ItemError, match="the vocabulary has no") as error:
            charts.make(item, charts.digest)
        assert error.value.cause == "unfit_vocabulary"
