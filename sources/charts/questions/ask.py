"""Which questions are asked about which kind of chart."""

import random as random_module
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sources.charts.chart import (
    Chart,
    ContourChart,
    DistributionChart,
    GraphChart,
    PointsChart,
    RecordsChart,
    ScheduleChart,
    SeriesChart,
)
from sources.charts.questions import contours, graphs, kind_questions, points, records, schedules, series
from sources.charts.questions.question import Question, Turn, in_words
from sources.charts.questions.reading import SeriesView

Random = random_module.Random
Asks = dict[str, Callable[[], Question | None]]
# Questions that make no sense about a kind, although its numbers would give an answer.
SENSELESS: Mapping[str, frozenset[str]] = {
    "density": frozenset({"mean", "ratio", "count_above", "count_below"}),
    "donut": frozenset({"mean"}),
    "box": frozenset({"higher_series"}),
    "candlestick": frozenset({"higher_series"}),
    "error_bars": frozenset({"mean", "ratio", "higher_series"}),
    "funnel": frozenset({"mean", "rank", "highest", "lowest", "unanswerable"}),
    "histogram": frozenset({"mean", "ratio"}),
    "percent_bar": frozenset({"mean", "ratio"}),
    "pie": frozenset({"mean"}),
    "treemap": frozenset({"mean"}),
    "violin": frozenset({"higher_series"}),
    "waterfall": frozenset({
        "mean", "rank", "ratio", "count_above", "count_below", "highest", "highest_value", "lowest_value", "compare",
        "is_higher", "difference", "is_above",
    }),
}  # fmt: skip


def ask(chart: Chart, num_questions: int, choice: float, random: Random) -> list[Turn]:
    """At most `num_questions` different questions, each with one right answer that the picture shows.

    Args:
        choice: share of multiple choice among questions that have other possible answers.
    """
    family, asks = _asks(chart, random)
    names = [name for name in asks if name not in SENSELESS.get(chart.kind, ())]
    random.shuffle(names)
    turns: list[Turn] = []
    for name in names:
        if len(turns) == num_questions:
            break
        question = asks[name]()
        if question is not None:
            turns.append(in_words(question, family, chart.language, random, choice))
    return turns


def _asks(chart: Chart, random: Random) -> tuple[str, Asks]:
    """The questions that a chart's family knows, and the family's name in the templates."""
    if isinstance(chart, SeriesChart):
        return "series", _bound(
            {**series.ASKS, **kind_questions.ASKS},
            SeriesView(chart, random, measure=chart.measure, over_time=chart.over_time),
        )
    if isinstance(chart, DistributionChart):
        return "series", _bound(
            {**series.ASKS, **kind_questions.ASKS}, SeriesView(chart, random, measure=chart.measure)
        )
    if isinstance(chart, RecordsChart):
        return "series", _bound({**series.ASKS, **records.ASKS}, SeriesView(chart, random))
    if isinstance(chart, PointsChart):
        return "points", _bound(points.ASKS, points.Points(chart, random))
    if isinstance(chart, ContourChart):
        return "contours", _bound(contours.ASKS, contours.Bands(chart, random))
    if isinstance(chart, GraphChart):
        return "graphs", _bound(graphs.ASKS, graphs.Graph(chart, random))
    assert isinstance(chart, ScheduleChart)
    if chart.kind == "timeline":
        return "schedules", _bound(schedules.EVENT_ASKS, schedules.Events(chart, random))
    return "schedules", _bound(schedules.ASKS, schedules.Plan(chart, random))


def _bound(asks: Mapping[str, Callable[[Any], Question | None]], reading: Any) -> Asks:
    return {name: partial(ask, reading) for name, ask in asks.items()}
