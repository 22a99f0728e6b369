"""`vellum sources`, `vellum filters`, and `--set` that adds and drops filters."""

import json

import pytest

from pipelines.commands import vellum
from pipelines.overrides import apply_setting
from pipelines.recipe import UsageError
from pipelines.recipe_file import build_recipe
from pipelines.registry import FILTERS, SOURCES


@pytest.mark.parametrize(("command", "registry"), [("sources", SOURCES), ("filters", FILTERS)])
def test_the_list_has_everything_with_types_and_defaults(
    command: str, registry: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vellum.main([command, "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in entries} == set(registry)  # type: ignore[call-overload]
    assert all(entry["about"] for entry in entries)
    settings = [setting for entry in entries for setting in entry["settings"]]
    assert all(setting["type"] and "<" not in setting["type"] for setting in settings)
    assert sum(not setting["meaning"] for setting in settings) < 20


def test_one_entry_says_what_its_settings_mean(capsys: pytest.CaptureFixture[str]) -> None:
    assert vellum.main(["filters", "min_words"]) == 0
    shown = capsys.readouterr().out
    assert "  words: int = 20\n" in shown
    assert "  components: list[str] = []\n" in shown
    assert "\n      in scripts without spaces" in shown
    assert vellum.main(["filters", "min_word"]) == 2
    assert "no filter 'min_word'" in capsys.readouterr().err


def test_set_adds_and_drops_a_filter() -> None:
    content = {"sources": [{"type": "pdfs"}], "filters": [{"type": "min_ink"}, {"type": "min_words", "words": 7}]}
    apply_setting(content, "min_ink=false")
    apply_setting(content, "min_short_side=true")
    apply_setting(content, "min_words=true")  # it is there, with its settings
    apply_setting(content, "text_length={min_chars: 9}")
    recipe = build_recipe(content)
    assert [f.name for f in recipe.filters] == ["min_words", "min_short_side", "text_length"]
    assert recipe.to_json()["filters"][0]["words"] == 7
    with pytest.raises(UsageError, match="no filter min_ink to drop; it has min_words"):
        apply_setting(content, "min_ink=false")
