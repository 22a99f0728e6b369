"""Recipes: what is shipped is valid, and a mistake is one sentence that says where."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines import registry
from pipelines.overrides import apply_setting
from pipelines.recipe import RECIPES, UsageError, part_key, scores_key
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.run import recipe_of


@pytest.mark.parametrize("known", [registry.SOURCES, registry.FILTERS], ids=["sources", "filters"])
def test_classes_are_registered_by_their_names(known: registry.Registry[Any]) -> None:
    assert [cls.name for cls in known.values()] == list(known)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid_and_survive_a_round_trip(path: Path) -> None:
    recipe = build_recipe(load_recipe(path))
    assert build_recipe(recipe.to_json(secrets=True)) == recipe


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"source": []}, ["unknown key 'source'", "did you mean 'sources'"]),
        ({}, ["names no sources"]),
        ({"sources": [{"type": "pdf"}]}, ["sources[0]", "'pdf'", "did you mean 'pdfs'"]),
        ({"sources": [{"type": "pdfs", "side": 3}]}, ["sources[0] (pdfs)", "'side'", "did you mean 'side_px'"]),
        ({"sources": [{"type": "pdfs", "side_px": "wide"}]}, ["side_px", "integer", "'wide'"]),
        ({"sources": [{"type": "pdfs"}], "filters": [{"type": "min_ink", "share": 2}]}, ["filters[0] (min_ink)"]),
        ({"sources": [{"type": "pdfs"}], "filters": [{"type": "min_ink"}] * 2}, ["min_ink 2 times"]),
        ({"sources": [{"type": "pdfs"}], "filters": ["min_ink"]}, ["filters[0]", "mapping with a `type`"]),
        ({"sources": [{"type": "pdfs"}], "output": {"row_group_mb": 400}}, ["output", "at most 300", "400"]),
        ({"sources": [{"type": "pdfs"}], "name": " "}, ["name must be a non-empty text"]),
    ],
)  # fmt: skip
def test_a_mistake_says_where_and_what_is_expected(content: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        build_recipe(content)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "2: is not valid YAML"),
        ("- 1", "1: the recipe must be a mapping"),
        ("a: !!python/object/apply:os.system [ls]", "1: tag:yaml.org,2002:python/object/apply:os.system is a YAML tag"),
        ("a: &x [1]\nb: [*x, *x]", "1: &x is a YAML anchor"),
        ("a: " + "[" * 5000, "1: more than 24 values are nested"),
        ("a: '" + "x" * 1_100_000 + "'", "1: is 1,100,005 bytes long"),
        ("", "1: is empty; expected a mapping with the keys name, sources"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        load_recipe(path)
    assert str(error.value).startswith(f"{path}:{words}")


FILE = """\
name: pages
sources:
  - type: pdfs
    side_px: 1024
    license: mit
filters:
  - {type: min_ink, share: 0.1}
  - type: text_length
output:
  row_group_mb: 10
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("license: mit", "side_px: 512", 5, ["'side_px' is here a second time", "the first is on line 4"]),
        ("license: mit", "side: 512", 5, ["sources[0] (pdfs) has an unknown key 'side'", "did you mean 'side_px'"]),
        ("side_px: 1024", "side_px: wide", 4, ["sources[0] (pdfs).side_px", "valid integer", "'wide'"]),
        ("side_px: 1024", "side_px: 1", 4, ["sources[0] (pdfs): side_px must be between 16 and 8192"]),
        ("type: pdfs", "type: pdf", 3, ["sources[0] has an unknown type 'pdf'", "did you mean 'pdfs'"]),
        ("share: 0.1", "share: 2", 7, ["filters[0] (min_ink): share must be"]),
        ("type: text_length", "type: min_ink", 6, ["has the filter min_ink 2 times"]),
        ("row_group_mb: 10", "row_group_mb: 400", 10, ["output: row_group_mb must be", "got 400"]),
        ("name: pages", "names: pages", 1, ["the recipe has an unknown key 'names'"]),
        ("output:\n", "limits: 3\noutput:\n", 9, ["limits must be a mapping, got int"]),
        ("name: pages", "name: [1]", 1, ["name must be a non-empty text, got [1]"]),
        ("  row_group_mb: 10", "\trow_group_mb: 10", 10, ["is indented with a tab"]),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(FILE)
    assert load_recipe(path)["output"] == {"row_group_mb": 10}
    assert old in FILE
    path.write_text(FILE.replace(old, new))
    with pytest.raises(UsageError) as error:
        load_recipe(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    for word in words:
        assert word in str(error.value)


def recipe_with(*settings: str):
    content = load_recipe(RECIPES / "pdfs.yaml")
    for setting in settings:
        apply_setting(content, setting)
    return build_recipe(content)


def test_settings_reach_their_section() -> None:
    recipe = recipe_with("side_px=512", "language.keep=[en, zh]", "output.shard_mb=2", "pdfs.license=mit", "name=x")
    source: Any = recipe.sources[0]
    assert (source.side_px, source.license, recipe.output.shard_mb, recipe.name) == (512, "mit", 2, "x")
    assert recipe.to_json()["filters"][-1]["keep"] == ["en", "zh"]


@pytest.mark.parametrize("setting", ["side_px", "=3", "pdfs.no=1", "nothing.x=1", "shard=1", "side_px=[", "share=0.1"])
def test_wrong_settings_are_refused(setting: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        recipe_with("max_dpi=300", setting)


def test_keys_change_with_what_they_name_and_with_nothing_else() -> None:
    base = recipe_with()
    assert part_key(recipe_with("side_px=512").sources[0]) != part_key(base.sources[0])
    same = recipe_with("license=mit", "passwords=[a]", "items_per_unit=3", "output.shard_mb=1", "min_ink.share=0.5")
    assert part_key(same.sources[0]) == part_key(base.sources[0])
    assert scores_key(same.filters) == scores_key(base.filters)
    assert scores_key(same.filters[1:]) != scores_key(base.filters)


def test_secrets_are_kept_out_of_what_is_published() -> None:
    recipe = recipe_with("passwords=[open-sesame]")
    assert "open-sesame" not in str(recipe.to_json())
    assert "open-sesame" in str(recipe.to_json(secrets=True))


def test_input_is_for_the_only_source_that_reads_files(tmp_path: Path) -> None:
    def inputs(*types: str) -> list[tuple[str, ...]]:
        path = tmp_path / "recipe.yaml"
        path.write_text(json.dumps({"sources": [{"type": name} for name in types]}))
        args = argparse.Namespace(source=None, recipe=path, set=[], input=["a.pdf"])
        return [source.input for source in recipe_of(args).sources]

    assert inputs("charts", "pdfs") == [(), ("a.pdf",)]
    for types, message in ((("pdfs", "pdfs"), "several sources"), (("charts",), "take no input, got a.pdf")):
        with pytest.raises(UsageError, match=message):
            inputs(*types)
