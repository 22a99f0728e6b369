"""Choose the questions about a chart."""

import random as random_module
from collections.abc import Callable, Collection, Mapping
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
from sources.charts.questions.question import Question, Turn, write_turn
from sources.charts.questions.series_view import SeriesView

Random = random_module.Random
Writers = dict[str, Callable[[], Question | None]]
# Questions that are meaningless for a kind, although its numbers would give an answer.
UNSUITABLE: Mapping[str, frozenset[str]] = {
    "density": frozenset({"mean", "ratio", "count_above", "count_below"}),
    "donut": frozenset({"mean"}),
    "box": frozenset({"higher_series", "mean"}),
    "candlestick": frozenset({"higher_series"}),
    "error_bars": frozenset({"mean", "ratio", "higher_series"}),
    "funnel": frozenset({"mean", "rank", "highest", "lowest", "unanswerable"}),
    "histogram": frozenset({"mean", "ratio"}),
    "percent_bar": frozenset({"mean", "ratio"}),
    "pie": frozenset({"mean"}),
    "treemap": frozenset({"mean"}),
    "violin": frozenset({"higher_series", "mean"}),
    "waterfall": frozenset({
        "mean", "rank", "ratio", "count_above", "count_below", "highest", "highest_value", "lowest_value", "compare",
        "is_higher", "difference", "is_above",
    }),
}  # fmt: skip


def question_names() -> tuple[str, ...]:
    """Return the names of all questions, of any kind of chart."""
    families = (
        series.QUESTIONS, kind_questions.QUESTIONS, records.QUESTIONS, points.QUESTIONS, contours.QUESTIONS,
        graphs.QUESTIONS, schedules.QUESTIONS, schedules.EVENT_ASKS,
    )  # fmt: skip
    return tuple(sorted({name for family in families for name in family}))


def ask_questions(
    chart: Chart, num_questions: int, choice: float, random: Random, chosen: Collection[str] = ()
) -> list[Turn]:
    """Return at most `num_questions` different questions, each with exactly one right answer in the picture.

    Args:
        choice: fraction of multiple choice among questions with other plausible answers.
        chosen: names of the questions to choose from; empty for all.
    """
    family, writers = _question_writers(chart, random)
    names = [name for name in writers if name not in UNSUITABLE.get(chart.kind, ())]
    if chosen:
        names = [name for name in names if name in chosen]
    random.shuffle(names)
    turns: list[Turn] = []
    for name in names:
        if len(turns) == num_questions:
            break
        question = writers[name]()
        if question is not None:
            turns.append(write_turn(question, family, chart.language, random, choice))
    return turns


def _question_writers(chart: Chart, random: Random) -> tuple[str, Writers]:
    """Return the question writers of the family of a chart, and the name of the family in the templates."""
    if isinstance(chart, SeriesChart):
        return "series", _bind(
            {**series.QUESTIONS, **kind_questions.QUESTIONS},
            SeriesView(chart, random, measure=chart.measure, over_time=chart.over_time),
        )
    if isinstance(chart, DistributionChart):
        return "series", _bind(
            {**series.QUESTIONS, **kind_questions.QUESTIONS}, SeriesView(chart, random, measure=chart.measure)
        )
    if isinstance(chart, RecordsChart):
        return "series", _bind({**series.QUESTIONS, **records.QUESTIONS}, SeriesView(chart, random))
    if isinstance(chart, PointsChart):
        return "points", _bind(points.QUESTIONS, points.Points(chart, random))
    if isinstance(chart, ContourChart):
        return "contours", _bind(contours.QUESTIONS, contours.Bands(chart, random))
    if isinstance(chart, GraphChart):
        return "graphs", _bind(graphs.QUESTIONS, graphs.Graph(chart, random))
    assert isinstance(chart, ScheduleChart)
    if chart.kind == "timeline":
        return "schedules", _bind(schedules.EVENT_ASKS, schedules.Events(chart, random))
    return "schedules", _bind(schedules.QUESTIONS, schedules.Plan(chart, random))


def _bind(writers: Mapping[str, Callable[[Any], Question | None]], view: Any) -> Writers:
    return {name: partial(ask_questions, view) for name, ask_questions in writers.items()}
