"""What a machine lacks is asked for with the final settings, so that a setting can do without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.recipe import Recipe, UsageError
from pipelines.run import _ready, build_parser, recipe_of
from sources.browser import chromium
from sources.charts import fonts as chart_fonts
from sources.ocr import style
from sources.synthetic_pages import theme
from sources.text import fonts

CACHED = (
    *(fonts.font_files, fonts.installed_fonts, fonts.fonts_for, fonts._fonts_writing),
    *(chart_fonts.faces_for, chart_fonts.fonts_digest, theme.browser_faces, style.font_families),
)


@pytest.fixture
def western(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with fonts for English and no others."""
    everything = fonts.font_files()
    few = {name: path for name, path in everything.items() if name.startswith(("DejaVu", "Liberation"))}
    for cached in CACHED:
        cached.cache_clear()
    for module in (fonts, chart_fonts):
        monkeypatch.setattr(module, "font_files", lambda: few)
    yield
    monkeypatch.undo()
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Chromium."""
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "_has_playwrights_own", lambda: False)


def _recipe(*arguments: str) -> Recipe:
    return _ready(recipe_of(build_parser().parse_args(arguments)), on_this_machine=True)


@pytest.mark.usefixtures("western")
@pytest.mark.parametrize("source", ["ocr", "charts", "synthetic_pages"])
def test_the_remedy_for_a_missing_font_works(source: str) -> None:
    with pytest.raises(UsageError, match=r"no font .*Debian: .*fonts-noto-cjk") as error:
        _recipe("--source", source)
    if source != "synthetic_pages":  # whose message names the package alone
        assert "--set languages=[en]" in str(error.value)
    assert _recipe("--source", source, "--set", "languages=[en]").sources[0].written_languages() == ("en",)


@pytest.mark.usefixtures("no_browser")
@pytest.mark.parametrize("source", ["synthetic_pages", "web"])
def test_the_remedy_for_a_missing_browser_works(source: str) -> None:
    with pytest.raises(UsageError, match=r"no Chromium was found.*--set browser=PATH"):
        _recipe("--source", source)
    _recipe("--source", source, "--set", "browser=/bin/true")


@pytest.mark.usefixtures("no_browser")
def test_a_recipe_made_for_a_browser_runs_without_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("sources: [{type: ocr, engine: chromium}]")
    with pytest.raises(UsageError, match="no Chromium was found"):
        _recipe("--recipe", str(path))
    _recipe("--recipe", str(path), "--set", "engine=story")


def test_a_recipe_with_the_model_of_another_machine_runs_with_that_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("sources: [{type: pdfs}]\nfilters: [{type: language, model: /nowhere/lid.ftz}]")
    with pytest.raises(UsageError, match=r"/nowhere/lid\.ftz"):
        _recipe("--recipe", str(path))
    _recipe("--recipe", str(path), "--set", "language.model=null")


def test_a_launching_machine_need_not_have_what_the_workers_have(western: None) -> None:
    recipe = recipe_of(build_parser().parse_args(["--source", "ocr"]))
    assert _ready(recipe, on_this_machine=False).sources == recipe.sources
