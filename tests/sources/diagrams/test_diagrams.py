"""Diagrams: answers are recomputed from the data, texts are legible, and the bytes depend on the seed alone."""

import io
import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sources.charts.legibility import find_text_fault
from sources.charts.picture import TextBox
from sources.diagrams import Diagrams
from sources.diagrams.messages import ALL_USE_CASES, TASKS, load_templates, make_conversation
from sources.diagrams.registry import KINDS
from sources.diagrams.source import KIND_NAMES, USE_CASES
from sources.diagrams.source import TASKS as NAMED_TASKS
from sources.rng import generator
from tests.sources.diagrams.recomputation import CHECKS, parse

NUM_SPECIFIED = 700  # without drawing; a specification takes one millisecond


def test_answers_equal_an_independent_recomputation() -> None:
    diagrams = Diagrams(seed=23)
    asked: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for number in range(NUM_SPECIFIED):
        diagram, _ = diagrams.specify(number)
        data = parse(*diagram.data)
        for question in diagram.questions:
            expected = CHECKS[diagram.kind][question.name](data, question.slots, diagram.language == "zh")
            what = f"{number} {diagram.kind} {question.name} {question.slots}: {question.answer}, not {expected}"
            assert _is_same(question.answer, expected), what
            assert question.answer not in question.options or question.options.count(question.answer) == 1, what
            asked[diagram.kind].add(question.name)
    assert asked == {kind: set(checks) for kind, checks in CHECKS.items()}
    assert {kind: set(load_templates()[kind]) for kind in KINDS} == asked


def _is_same(answer: str, expected: object) -> bool:
    if isinstance(expected, str):
        return answer == expected
    assert isinstance(expected, int | float | Fraction)
    found = re.match(r"-?\d+(?:\.(\d+))?", answer)
    assert found is not None, answer
    places = len(found[1] or "")
    return abs(Fraction(found[0]) - Fraction(expected)) <= Fraction(1, 2 * 10**places) + Fraction(1, 10**9)


def test_every_kind_has_thousands_of_diagrams() -> None:
    for kind in KINDS:
        diagrams = Diagrams(kinds=(kind,), seed=2)
        made = {diagrams.specify(number)[0].data[1] for number in range(150)}
        assert len(made) > 130, kind  # of 2,000 equally likely ones, 150 draws hold 145 different ones


def test_no_text_is_clipped_or_overlapped_and_every_box_holds_ink() -> None:
    diagrams = Diagrams(seed=5)
    for number in range(NUM_SPECIFIED):
        canvas = diagrams.specify(number)[0].canvas
        assert find_text_fault(canvas.texts, canvas.width, canvas.height) is None
    for kind in KINDS:
        diagram, _ = Diagrams(kinds=(kind,), seed=6).specify(0)
        picture = diagram.canvas.picture()
        texts = {"".join(e.itertext()) for e in ElementTree.fromstring(picture.code).iter() if e.tag.endswith("}text")}
        assert texts == {box.text for box in picture.texts}
        assert all(_has_ink(picture.pixels, box) for box in picture.texts), kind


def _has_ink(pixels: np.ndarray, box: TextBox) -> bool:
    part = pixels[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]
    return int(part.max()) - int(part.min()) > 60


def test_samples_have_all_tasks_and_the_same_bytes_again() -> None:
    diagrams, again = Diagrams(seed=9), Diagrams(seed=9, num_samples=5)
    kinds = set()
    for number in range(12):
        sample = diagrams.make(number, diagrams.digest)
        assert sample.use_case in USE_CASES
        assert (sample.messages is None) != (sample.text is None)
        assert sample.words is not None
        assert len(sample.words.texts) > 3
        kinds.add(sample.flags[0])
    assert len(kinds) > 3
    assert again.make(3, again.digest).images[0].data == diagrams.make(3, diagrams.digest).images[0].data


@pytest.mark.parametrize("task", ["questions", "data", "svg", "description"])
def test_the_last_answer_is_always_the_data(task: str) -> None:
    for kind in KINDS:
        diagram, _ = Diagrams(kinds=(kind,)).specify(1)
        messages = make_conversation(diagram, task, 4, 0.3, generator(1, 1, "messages"))
        assert messages[-1].content == f"```{diagram.data[0]}\n{diagram.data[1]}\n```"
        assert messages[0].content.startswith("<image>\n")
        if task == "svg":
            svg = messages[1].content.removeprefix("```svg\n").removesuffix("\n```")
            assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_the_names_of_the_source_are_those_of_the_registry() -> None:
    assert tuple(KINDS) == KIND_NAMES
    assert ALL_USE_CASES == USE_CASES
    assert TASKS == NAMED_TASKS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kinds": ("pie",)}, "kinds must be some of circuit"),
        ({"languages": ("fr",)}, "languages must be some of en"),
        ({"tasks": {"code": 1.0}}, "tasks"),
        ({"choice_share": 2}, "choice_share must be between 0 and 1"),
        ({"num_questions": 0}, "num_questions must be between 1 and 20"),
        ({"input": ("a.csv",)}, "they take no input"),
    ],
)
def test_invalid_settings_are_rejected(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Diagrams(**settings)  # type: ignore[arg-type]  # settings of different types


def test_the_documented_recipe_is_the_default() -> None:
    from pipelines.recipe import RECIPES
    from pipelines.recipe_file import build_recipe, load_recipe

    recipe = build_recipe(load_recipe(Path(RECIPES) / "diagrams.yaml"))
    assert recipe.sources[0] == Diagrams()


def test_the_picture_has_the_size_of_the_style() -> None:
    diagrams = Diagrams(seed=1)
    diagram, _ = diagrams.specify(0)
    with Image.open(io.BytesIO(diagrams.make(0, diagrams.digest).images[0].data)) as image:
        assert image.size == (diagram.canvas.width, diagram.canvas.height)
