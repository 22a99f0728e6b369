"""Settings that can give no sample are refused before the run, with one sentence that says what to change."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contradictions import refuse_contradictions
from pipelines.recipe import RECIPES, UsageError
from pipelines.recipe_file import build_recipe, load_recipe
from pipelines.run import WRONG_USAGE, main
from taxonomy.commands import main as taxonomy_main
from taxonomy.loader import BUNDLED

PRINTED, COUNTING = "recognition/ocr_and_transcription/printed_text", "recognition/local_description/counting"


def without_questions(folder: Path, *pools: str) -> Path:
    """The bundled taxonomy without the questions of these names, or without any."""
    content = yaml.safe_load(BUNDLED.read_text("utf-8"))

    def strip(nodes: dict[str, Any]) -> None:
        for node in nodes.values():
            strip(node.get("nodes") or {})
            found = node.pop("question_templates", None) or {}
            kept = {name: pool for name, pool in found.items() if pools and name not in pools}
            if kept:
                node["question_templates"] = kept

    strip(content["nodes"])
    path = folder / "taxonomy.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
    return path


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_no_bundled_recipe_contradicts_itself(name: str) -> None:
    refuse_contradictions(build_recipe(load_recipe(RECIPES / f"{name}.yaml")))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"sources": [{"type": "charts"}], "filters": [{"type": "language", "keep": ["fr", "de"]}]},
            "language.keep is fr, de, but charts writes en, zh alone",
        ),
        (
            {
                "sources": [{"type": "pdfs"}, {"type": "charts", "languages": ["zh"]}],
                "filters": [{"type": "language", "keep": ["en"]}],
            },
            "but charts writes zh alone",
        ),
        (
            {"sources": [{"type": "ocr"}], "filters": [{"type": "language", "keep": ["ru"]}]},
            "but ocr writes en, zh alone",
        ),
        (
            {"sources": [{"type": "pdfs", "side_px": 100}], "filters": [{"type": "min_short_side", "side_px": 112}]},
            "images of pdfs have at most 100 pixels a side",
        ),
        (
            {"sources": [{"type": "pdfs"}], "taxonomy": {"labeller": None, "samples": 100, "shares": {COUNTING: 1.0}}},
            f"leave none of them to the use cases that the sources give ({PRINTED})",
        ),
        (
            {
                "sources": [{"type": "pdfs"}],
                "taxonomy": {"labeller": None, "samples": 100, "shares": {"conversion": 1.0}},
                "instructions": {"writers": ["counting"]},
            },
            "no instruction writer is left",
        ),
        (
            {
                "sources": [{"type": "pdfs"}],
                "taxonomy": {},
                "instructions": {"writers": ["counting"], "weights": {"counting": 0}},
            },
            "no instruction writer is left",
        ),
    ],
)
def test_what_can_give_nothing_is_refused(content: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        refuse_contradictions(build_recipe(content))


@pytest.mark.parametrize(
    "content",
    [
        {"sources": [{"type": "charts"}], "filters": [{"type": "language", "keep": ["fr", "zh"]}]},
        {"sources": [{"type": "ocr", "input": ["a.txt"]}], "filters": [{"type": "language", "keep": ["ru"]}]},
        {"sources": [{"type": "pdfs", "side_px": 112}], "filters": [{"type": "min_short_side", "side_px": 112}]},
        {"sources": [{"type": "pdfs"}], "taxonomy": {"samples": 100, "shares": {COUNTING: 1.0}}},  # a model may label
        {"sources": [{"type": "pdfs"}], "taxonomy": {"labeller": None, "shares": {COUNTING: 1.0}}},  # keeps all
        {"sources": [{"type": "charts"}], "taxonomy": {}, "instructions": {"weights": {"counting": 0}}},
    ],
)
def test_what_can_give_something_is_not(content: dict[str, Any]) -> None:
    refuse_contradictions(build_recipe(content))


def test_a_writer_whose_questions_the_taxonomy_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taxonomy = without_questions(tmp_path, "occurrences", "lines")
    assert taxonomy_main(["validate", str(taxonomy)]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "question_templates" in line]
    assert len(warnings) == 1
    assert warnings[0].endswith("which can ask nothing: counting")
    recipe = {
        "sources": [{"type": "pdfs"}],
        "taxonomy": {"path": str(taxonomy), "labeller": None},
        "instructions": {"writers": ["counting"]},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    out = tmp_path / "out"
    for more in ([], ["--dry-run"]):
        assert main(["--recipe", str(tmp_path / "recipe.yaml"), "--output", str(out), *more]) == WRONG_USAGE
        (sentence,) = capsys.readouterr().err.splitlines()
        assert "the taxonomy has no questions for it; add `question_templates` under" in sentence
    assert not out.exists()
    assert taxonomy_main(["validate"]) == 0
    assert "question_templates" not in capsys.readouterr().err


def test_a_taxonomy_without_any_question(tmp_path: Path) -> None:
    settings = {"path": str(without_questions(tmp_path)), "labeller": None}
    content = {"sources": [{"type": "pdfs"}], "taxonomy": settings, "instructions": {}}
    with pytest.raises(UsageError, match="no instruction writer is left"):
        refuse_contradictions(build_recipe(content))
    content["sources"].append({"type": "charts"})  # brings conversations itself
    refuse_contradictions(build_recipe(content))
