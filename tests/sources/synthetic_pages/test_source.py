"""Synthetic pages: legible, with exact ground truth, and reproducible."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.config_file import ConfigFileError
from sources.images.encoding import luma
from sources.rng import generator
from sources.synthetic_pages import SyntheticPages
from sources.synthetic_pages.components.catalogue import COMPONENTS
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.page import make_page
from sources.synthetic_pages.page_renderer import UnfitPageError, get_renderer
from sources.synthetic_pages.theme import MIN_CONTRAST, contrast, sample_theme
from sources.synthetic_pages.vocabulary import BUNDLED, load_vocabulary
from taxonomy.loader import load
from tests.conftest import KINDS_OF_CHROMIUM

pytestmark = pytest.mark.slow

INK_LEVELS = 12  # grey levels between a word and its background


def make(number: int, **settings: Any) -> Sample:
    source = SyntheticPages(num_samples=1000, **settings)
    return source.make(number, source.digest)


@pytest.fixture(scope="module")
def samples(full: bool) -> list[Sample]:
    """Return at least one sample of each kind, in both languages and of all tasks."""
    tasks = {"code": 1, "text": 1, "grounding": 1, "element": 1, "description": 1, "reading": 1}
    return [
        make(number, seed=3, kinds=(kind,), tasks=tasks) for number, kind in enumerate(list(KINDS) * (5 if full else 1))
    ]


def pixels_of(sample: Sample) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("RGB"))


def test_word_boxes_hold_ink(samples: list[Sample]) -> None:
    for sample in samples:
        grey = luma(Image.fromarray(pixels_of(sample))).astype(int)
        for text, (x0, y0, x1, y1) in zip(sample.words.texts, sample.words.boxes, strict=True):
            assert 0 <= x0 < x1 <= grey.shape[1]
            assert 0 <= y0 < y1 <= grey.shape[0]
            inside = grey[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
            assert inside.max() - inside.min() > INK_LEVELS, f"{text!r} of {sample.flags} is invisible"


def test_element_boxes_are_inside_the_picture(samples: list[Sample]) -> None:
    for sample in samples:
        ((width, height),) = sample.image_sizes()
        assert sample.elements
        for element in sample.elements:
            x0, y0, x1, y1 = element.box
            assert -1 <= x0 < x1 <= width + 1, element
            assert -1 <= y0 < y1 <= height + 1, element


def test_answers_have_the_form_of_their_task(samples: list[Sample]) -> None:
    found = set()
    for sample in samples:
        task = sample.flags[1]
        found.add(task)
        if task == "reading":
            assert sample.text is not None
            assert sample.text.startswith("<image>\n")
            continue
        assert sample.messages is not None
        question, answer = sample.messages[0].content, sample.messages[1].content
        assert question.startswith("<image>\n")
        if task == "code":
            assert answer.startswith("```html\n<!DOCTYPE html>")
            assert sample.measures["code_tokens"] > 100
        elif task == "text":
            assert "".join(answer.split()) == "".join("".join(sample.words.texts).split())
        elif task == "grounding":
            x0, y0, x1, y1 = map(int, re.findall(r"\d+", answer))
            assert 0 <= x0 < x1 <= 1000
            assert 0 <= y0 < y1 <= 1000
        assert ("code_tokens" in sample.measures) == (task == "code")
    assert len(found) >= 5


def test_code_renders_to_its_picture() -> None:
    for number in range(4):
        sample = make(number, seed=5, tasks={"code": 1}, views=("square",))
        assert sample.messages is not None
        html = sample.messages[1].content.removeprefix("```html\n").removesuffix("\n```")
        assert np.array_equal(get_renderer("square", None).capture(html).pixels, pixels_of(sample))


def test_use_cases_are_leaves_of_the_taxonomy(samples: list[Sample]) -> None:
    leaves = set(load().leaves)
    assert set(SyntheticPages.use_cases) <= leaves
    assert {sample.use_case for sample in samples} <= set(SyntheticPages.use_cases)


def test_every_component_is_used() -> None:
    expected = {name.rstrip("?") for kind in KINDS.values() for name in (*kind.main, *kind.side)} | {"header", "footer"}
    assert expected == set(COMPONENTS)


def test_themes_have_readable_contrast() -> None:
    for number in range(300):
        theme = sample_theme(generator(0, number, "theme"), ("en", "zh")[number % 2])
        for front, back in ((theme.text, theme.background), (theme.text, theme.surface), (theme.muted, theme.surface),
                            (theme.accent, theme.surface), (theme.on_accent, theme.accent), (theme.on_soft, theme.soft),
                            (theme.on_band, theme.band)):  # fmt: skip
            assert contrast(front, back) >= MIN_CONTRAST, theme


@pytest.mark.parametrize(
    ("css", "reason"),
    [
        ("body { height: 3000px }", "too_high"),
        ("main { width: 1500px; max-width: none }", "too_wide"),
        ("main { color: #ccc } .card { color: #ccc }", "low_contrast"),
        ("h1, h2, label { margin-bottom: -30px }", "overlap"),
        ("button { width: 20px; padding: 0 }", "overflow"),
    ],
)
def test_illegible_page_is_rejected(css: str, reason: str) -> None:
    pages = (make_page("settings", "en", BUNDLED, generator(0, number, "unfit"), 0.6) for number in range(100))
    page = next(page for page in pages if not page.theme.is_dark)
    assert len(get_renderer("square", None).capture(page.html).texts) > 5
    with pytest.raises(UnfitPageError) as error:
        get_renderer("square", None).capture(page.html.replace("</style>", f"{css}\n</style>"))
    assert error.value.reason == reason


@pytest.mark.skipif(len(KINDS_OF_CHROMIUM) < 2, reason="needs chromium and chromium-headless-shell")
def test_kinds_of_chromium_make_the_same_samples() -> None:
    for number in range(6):
        first, second = (make(number, seed=5, browser=name) for name in KINDS_OF_CHROMIUM)
        assert first.images[0].data == second.images[0].data
        assert (first.text, first.messages) == (second.text, second.messages)
        assert first.words.texts == second.words.texts
        assert np.array_equal(first.words.boxes, second.words.boxes)
    versions = {SyntheticPages(num_samples=1, browser=name).fingerprint()["browser"] for name in KINDS_OF_CHROMIUM}
    assert len(versions) == 1


def test_sample_is_independent_of_other_samples(samples: list[Sample]) -> None:
    tasks = {"code": 1, "text": 1, "grounding": 1, "element": 1, "description": 1, "reading": 1}
    number = 7
    again = make(number, seed=3, kinds=(list(KINDS)[number],), tasks=tasks)
    assert again.images[0].data == samples[number].images[0].data
    assert again.messages == samples[number].messages


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path, command: Callable[..., Any]) -> None:
    digests = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        settings = ["num_samples=12", "items_per_unit=4", "views=[square]", "seed=2"]
        done = command(
            "--output",
            out,
            "--workers",
            workers,
            *(part for s in settings for part in ("--set", s)),
            source="synthetic_pages",
        )
        assert done.returncode == 0, done.stderr
        files = sorted(out.glob("data/*.parquet"))
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
        rows = [row for path in files for row in pq.read_table(path).to_pylist()]
        assert len(rows) == 12
        assert {row["label"]["labeller"] for row in rows} == {"source:synthetic_pages"}
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kinds": ("moon",)}, "kinds must be some of"),
        ({"languages": ()}, "languages must be some of"),
        ({"views": ("phone",)}, "views must be some of square"),
        ({"tasks": {"poem": 1.0}}, "tasks must be some of"),
        ({"tasks": {"code": 0.0}}, "not all 0"),
        ({"tasks": {"code": float("nan")}}, "finite weights"),
        ({"num_elements": 0}, "num_elements"),
        ({"format": "gif"}, "format must be"),
        ({"browser": "no-such-browser"}, "browser must name a program"),
        ({"vocabulary": "/no/such/file.yaml"}, "cannot be read"),
    ],
)
def test_invalid_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SyntheticPages(**settings).check()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + "more: []\n", "must have the sections"),
        (lambda text: text.replace('["Home", 首页]', "Home"), "navigation.0. must be a pair of texts"),
        (lambda text: text.replace("  send: ", "  sent: "), "phrases must have the entries"),
        (lambda text: "[" + text, "not valid YAML"),
        (lambda text: text.replace("weekdays:\n  - [\"Mon\", 周一]", "weekdays:"), "list of 7 entries"),
    ],
)  # fmt: skip
def test_invalid_vocabulary_is_rejected(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(change(BUNDLED.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ConfigFileError, match=message):
        load_vocabulary(path)
