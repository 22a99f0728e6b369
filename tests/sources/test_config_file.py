"""YAML files that people edit: their data is what YAML says, and every error names file and line."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sources.config_file import ConfigFileError, Place, load, load_data, parse

FILE = Path("settings.yaml")
TEXTS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\ufeff"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates() | TEXTS
KEYS = st.text("abc_", min_size=1)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=9
)


@given(DATA)
def test_the_data_is_what_pyyaml_reads(data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    assert parse(text, FILE).data() == yaml.safe_load(text) == data


def test_scalars_without_quotes_have_types_and_quoted_ones_are_text() -> None:
    text = "{a: 12, b: '12', c: yes, d: 1e3, e: 0x1F, f: ~, g: '', h: 2024-02-29, i: 2024-02-31, j: 1_000, k: =, l: .5}"
    assert parse(text, FILE).data() == {
        "a": 12, "b": "12", "c": True, "d": "1e3", "e": 31, "f": None, "g": "", "h": datetime.date(2024, 2, 29),
        "i": "2024-02-31", "j": 1000, "k": "=", "l": 0.5,
    }  # fmt: skip
    assert parse("[12, yes, ~]", FILE).plain() == ["12", "yes", None]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb:\n  c: 2\n  d: 3\n  c: 4", 5, "'c' is here a second time; the first is on line 3"),
        ("a:\n  - &x 1\n  - *x", 2, "&x is a YAML anchor"),
        ("a:\n  - *x", 2, "*x is a YAML alias"),
        ("a:\nb: !!python/name:os.system", 2, "is a YAML tag"),
        ("a:\n  [1, 2]: 3", 2, "a key must be a text"),
        ("a: 1\n---\nb: 2", 2, "a second document begins"),
        ("a:\n  b: 'open", 2, "is not valid YAML"),
        ("# nothing\n", 1, "is empty; expected a mapping"),
        ("a: 1\nb: \x07", 2, "holds the character"),
    ],
)
def test_what_is_refused_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ConfigFileError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    with pytest.raises(ConfigFileError, match=r"settings.yaml:1: cannot be read: no such file"):
        load_data(path)
    path.write_bytes(b"a: 1\nb: \xff")
    with pytest.raises(ConfigFileError, match=r"settings.yaml:2: is not UTF-8 at byte 8"):
        load_data(path)
    with pytest.raises(ConfigFileError, match=r"settings.yaml:1: is 9 bytes long; expected at most 8"):
        load_data(path, max_bytes=8)


def test_a_value_that_is_not_there_has_the_line_of_the_last_that_is() -> None:
    root = parse("a:\n  b:\n    - 1\n    - c: 2\n", FILE)
    assert [root.line_of(place) for place in ([], ["a", "b"], ["a", "b", 1, "c"], ["a", "x", 0], ["a", "b", 7])] == [
        1, 2, 4, 1, 2,
    ]  # fmt: skip


def test_a_place_is_named_with_its_file_and_line_if_it_has_one() -> None:
    root = parse("a:\n  - b: 1\n", FILE)
    whole = Place("the recipe", file=FILE, node=root)
    assert str(whole) == "settings.yaml:1: the recipe"
    first = whole.at("a", 0, name="a[0]")
    assert [str(first), str(first.at("b")), str(first.at(name="a[0] (b)"))] == [
        "settings.yaml:2: a[0]", "settings.yaml:2: a[0]", "settings.yaml:2: a[0] (b)",
    ]  # fmt: skip
    assert str(Place("the command line").at("a", 0, name="a[0]")) == "the command line: a[0]"
