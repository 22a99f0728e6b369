"""Logarithmic axes and charts with many rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.charts import Charts
from sources.charts.axis import MIN_STEP_PX, make_log_axis
from sources.charts.chart import RecordsChart, SeriesChart
from sources.charts.drawing import draw_legibly
from sources.charts.questions.ask_questions import ask_questions
from sources.charts.series import PLOT_SHARE
from sources.charts.table import round_digits
from sources.rng import generator

NOT_ASKED = {"difference", "ratio", "total", "sum_two", "mean", "largest_rise"}


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=9))
def test_log_axis_includes_its_values_and_their_rounded_ones(values: list[float]) -> None:
    axis = make_log_axis("count", values)
    assert len(axis.ticks) >= 3
    for value in values:
        assert axis.low <= round_digits(value, 1) <= axis.high
        assert len(round_digits(value, 1).normalize().as_tuple().digits) == 1
    assert axis.share(axis.low) == 0
    assert axis.share(axis.high) == pytest.approx(1)


def test_values_of_a_log_axis_are_at_tick_marks_and_never_added() -> None:
    charts = Charts(seed=5, kinds=("line", "multi_line", "step"))
    found = 0
    for number in range(300):
        chart, renderer, _ = charts.specify(number)
        assert isinstance(chart, SeriesChart)
        assert chart.axis is not None
        if not chart.axis.is_log or chart.exact:
            continue
        found += 1
        assert renderer == "matplotlib"
        marks = {tick * k for tick in chart.axis.ticks for k in range(1, 10)}
        values = {value for column in chart.table.series for value in column.numbers()}
        assert values <= marks
        nine = chart.axis.share(chart.axis.low * 9) - chart.axis.share(chart.axis.low * 8)
        assert nine * chart.style.height_px * PLOT_SHARE >= MIN_STEP_PX * 0.7
        turns = ask_questions(chart, 20, 0.3, generator(5, number, "asked"))
        assert not {turn.name for turn in turns} & NOT_ASKED
    assert found > 15


def test_charts_with_many_rows_are_legible() -> None:
    charts = Charts(seed=6, kinds=("line", "horizontal_bar", "table"))
    longest = dict.fromkeys(charts.kinds, 0)
    for number in range(300):
        chart, renderer, _ = charts.specify(number)
        longest[chart.kind] = max(longest[chart.kind], len(chart.table))
        is_long = isinstance(chart, RecordsChart | SeriesChart) and len(chart.table) > 25
        if is_long and number < 45:
            _, picture = draw_legibly(chart, renderer)
            assert picture.texts
    assert longest["line"] > 40
    assert longest["horizontal_bar"] > 25
    assert longest["table"] > 25
