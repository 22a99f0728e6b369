"""The chart source: reproducible samples, rejected settings, and the content of samples."""

import dataclasses
import importlib.util
import io
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sources.base.sample import Sample
from sources.charts import Charts, fonts
from sources.charts.axis import make_axis
from sources.charts.fonts import check_glyphs, faces_for, fonts_digest
from sources.charts.kinds import KINDS
from sources.charts.matplotlib_plots.shares import squarify
from sources.charts.shares import percentages
from sources.charts.table import MAX_ROWS, Column, Table, nice_step, snap
from sources.text.fonts import FontError, font_files

pytestmark = pytest.mark.slow

LEAVES = {
    "analysis/data_chart/graph", "analysis/data_chart/table", "analysis/professional_chart/financial",
    "analysis/professional_chart/flowchart", "analysis/professional_chart/other", "conversion/image_to_code/chart",
    "conversion/image_to_code/flowchart", "conversion/image_to_text/text_summary",
}  # fmt: skip


def _make(charts: Charts, item: int) -> Sample:
    return charts.make(item, charts.digest)


def test_sample_depends_only_on_seed_and_number() -> None:
    charts, again, more = Charts(seed=5), Charts(seed=5), Charts(seed=5, num_samples=10**9)
    forward = {item: _make(charts, item) for item in (3, 4, 5)}
    backward = {item: _make(again, item) for item in (5, 4, 3)}
    assert charts.digest == more.digest
    for item, sample in forward.items():
        other = backward[item]
        assert sample.id == other.id
        assert sample.images == other.images
        assert (sample.messages, sample.text, sample.use_case) == (other.messages, other.text, other.use_case)
        assert np.array_equal(sample.words.boxes, other.words.boxes)
    assert len({sample.id for sample in forward.values()}) == 3
    assert _make(Charts(seed=6), 3).id != forward[3].id


def test_samples_have_picture_words_label_and_provenance() -> None:
    charts = Charts(seed=8, num_samples=40, dashboards=0)
    for item in range(24):
        sample = _make(charts, item)
        kind, renderer, language = sample.flags
        chart, _, task = charts.specify(item)
        assert kind in KINDS
        assert renderer in ("matplotlib", "vega")
        assert language in ("en", "zh")
        assert sample.use_case in LEAVES
        assert (sample.text is None) == (task != "text")
        first = sample.text or (sample.messages or ())[0].content
        assert first.startswith("<image>\n")
        with Image.open(io.BytesIO(sample.images[0].data)) as image:
            assert image.size == sample.image_sizes()[0]
        width, height = sample.image_sizes()[0]
        boxes = sample.words.boxes
        assert (boxes[:, 0] >= 0).all()
        assert (boxes[:, 1] >= 0).all()
        assert (boxes[:, 2] <= width).all()
        assert (boxes[:, 3] <= height).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert " ".join(sample.words.texts).startswith(chart.title)
        assert sample.provenance.locator == f"number={item}"


def test_word_boxes_hold_ink() -> None:
    charts = Charts(seed=9, dashboards=0)
    for item in range(10):
        sample = _make(charts, item)
        with Image.open(io.BytesIO(sample.images[0].data)) as image:
            grey = np.asarray(image.convert("L")).astype(int)
        for text, box in zip(sample.words.texts, sample.words.boxes, strict=True):
            x0, y0, x1, y1 = (math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3]))
            assert np.ptp(grey[y0:y1, x0:x1]) > 60, f"{item} {sample.flags} {text!r}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_samples": 0}, "num_samples must be between 1 and 1,000,000,000, got 0"),
        ({"num_samples": -3}, "num_samples must be between"),
        ({"num_samples": 10**10}, "num_samples must be between"),
        ({"seed": -1}, "seed must be between 0"),
        ({"input": ("a.csv",)}, "they take no input, got a.csv"),
        ({"kinds": ("bars",)}, "kinds must be some of bar, "),
        ({"kinds": ("pie", "pie")}, "kinds names something twice"),
        ({"languages": ()}, "languages must be some of en, zh; got none"),
        ({"languages": ("fr",)}, "languages must be some of en, zh; got fr"),
        ({"tasks": {"questions": 0.0}}, "finite weights of 0 or more, not all 0"),
        ({"tasks": {"questions": math.nan}}, "finite weights"),
        ({"tasks": {"poem": 1.0}}, "tasks must be some of"),
        ({"vega_share": 1.5}, "vega_share must be between 0 and 1"),
        ({"num_questions": 0}, "num_questions must be between 1 and 20"),
        ({"format": "gif"}, "format must be png, jpeg or webp"),
        ({"vocabulary": "no/such.yaml"}, "no/such.yaml:1: cannot be read"),
    ],
)
def test_invalid_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Charts(**settings)


def test_error_for_a_missing_package_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vl_convert" else found(name))
    with pytest.raises(
        ValueError, match=r"charts need vl-convert-python; install with: pip install -e '\.\[charts\]' in the checkout"
    ):
        Charts()


def test_missing_chinese_font_allows_english_only(monkeypatch: pytest.MonkeyPatch) -> None:
    western = {name: path for name, path in font_files().items() if "CJK" not in name and "wqy" not in name}
    monkeypatch.setattr(fonts, "font_files", lambda: western)
    for function in (faces_for, fonts_digest):
        function.cache_clear()
    try:
        with pytest.raises(
            FontError, match=r"no font for charts in 'zh' is installed; install .* --set languages=\[en\]"
        ):
            Charts().check()
        Charts(languages=("en",)).check()
    finally:
        monkeypatch.undo()
        for function in (faces_for, fonts_digest):
            function.cache_clear()


def test_error_for_a_missing_glyph_names_the_character() -> None:
    face = next(face for face in faces_for("en") if face.family == "Liberation Serif")
    with pytest.raises(FontError, match=r"Liberation Serif has no glyph for '语' \(U\+8BED\)"):
        check_glyphs(["Language", "语"], face)


def test_fingerprint_changes_only_with_settings_that_change_bytes() -> None:
    format_value = Charts().fingerprint()
    assert Charts(num_samples=5, items_per_unit=8, license="mit").fingerprint() == format_value
    others: tuple[dict[str, Any], ...] = (
        {"seed": 1},
        {"kinds": ("pie",)},
        {"quality": 80},
        {"tasks": {"code": 1.0}},
        {"languages": ("en",)},
    )
    for settings in others:
        assert Charts(**settings).fingerprint() != format_value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_non_finite_data_are_rejected(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        snap(value, Decimal(1))
    with pytest.raises(ValueError, match="finite"):
        Column("a", (Decimal(value),))


def test_too_long_or_irregular_table_is_rejected() -> None:
    names = Column("name", tuple(f"row {k}" for k in range(10_000)))
    with pytest.raises(
        ValueError, match=f"a table of 10000 rows and 1 columns cannot be read; expected at most {MAX_ROWS}"
    ):
        Table((names,))
    with pytest.raises(ValueError, match="columns of one length"):
        Table((Column("a", ("x",)), Column("b", ())))
    with pytest.raises(ValueError, match="different names"):
        Table((Column("a", ("x",)), Column("a", ("y",))))


@pytest.mark.parametrize("weights", [[0, 0], [], [-1, 3], [math.nan, 1]])
def test_invalid_weights_are_rejected(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must be 0 or more, and not all 0"):
        percentages(weights, Decimal(1))


@given(
    st.lists(st.floats(0.01, 1e6), min_size=1, max_size=12), st.sampled_from([Decimal(1), Decimal(2), Decimal("0.5")])
)
def test_percentages_add_up_and_are_close_to_their_weights(weights: list[float], step: Decimal) -> None:
    shares = percentages(weights, step)
    assert sum(shares) == 100
    for share, weight in zip(shares, weights, strict=True):
        assert abs(float(share) - weight / sum(weights) * 100) <= float(step) + 1e-6


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20), st.booleans(), st.floats(0, 0.2))
def test_axis_includes_its_values_and_has_three_to_nine_ticks(
    values: list[float], from_zero: bool, headroom: float
) -> None:
    axis = make_axis("value", values, from_zero=from_zero, headroom=headroom)
    slack = float(axis.span) * 1e-9
    assert all(float(axis.low) - slack <= value <= float(axis.high) + slack for value in values)
    assert 3 <= len(axis.ticks) <= 9
    assert (axis.low, axis.high) == (axis.ticks[0], axis.ticks[-1])
    if from_zero:
        assert axis.low <= 0 <= axis.high
    step = axis.step(400)
    assert float(step) * 400 / float(axis.span) >= 1.99
    assert (axis.ticks[1] - axis.ticks[0]) % step == 0


@given(st.floats(1e-9, 1e12))
def test_nice_step_is_1_2_or_5_and_at_least_the_value(value: float) -> None:
    step = nice_step(value)
    assert float(step) >= value * (1 - 1e-9)
    assert float(step) <= value * 2.5 * (1 + 1e-9)
    assert step.normalize().as_tuple().digits in ((1,), (2,), (5,))


@given(st.lists(st.floats(0.5, 1000), min_size=1, max_size=12))
def test_treemap_areas_are_proportional_to_values(values: list[float]) -> None:
    values = sorted(values, reverse=True)
    areas = squarify(values, 640, 480)
    for value, (x, y, width, height) in zip(values, areas, strict=True):
        assert width * height == pytest.approx(value / sum(values) * 640 * 480)
        assert x >= -1e-6
        assert y >= -1e-6
        assert x + width <= 640 + 1e-6
        assert y + height <= 480 + 1e-6


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_exists_in_both_languages(kind: str) -> None:
    for language in ("en", "zh"):
        charts = Charts(kinds=(kind,), languages=(language,), seed=2)
        sample = _make(charts, 0)
        assert sample.flags[0] == kind
        assert sample.flags[2] == language


def test_the_documented_recipe_is_the_default() -> None:
    from pipelines.recipe import RECIPES
    from pipelines.recipe_file import build_recipe, load_recipe

    recipe = build_recipe(load_recipe(Path(RECIPES) / "charts.yaml"))
    assert dataclasses.replace(recipe.sources[0]) == Charts()
