"""Which questions are asked about which kind of chart."""

import random as random_module
from collections.abc import Callable

from sources.charts.chart import Chart, SeriesChart
from sources.charts.questions import series
from sources.charts.questions.question import Question, Turn, in_words

Random = random_module.Random
TRIES = 4  # a question that has no clear answer on this chart is passed over


def _series(chart: Chart, random: Random) -> tuple[str, dict[str, Callable[[], Question | None]]]:
    assert isinstance(chart, SeriesChart)
    reading = series.Reading(chart, chart.measure, chart.over_time, chart.additive, random)
    return "series", {name: (lambda ask=ask: ask(reading)) for name, ask in series.ASKS.items()}


FAMILIES: dict[str, Callable[[Chart, Random], tuple[str, dict[str, Callable[[], Question | None]]]]] = {
    "series": _series,
}


def ask(chart: Chart, num_questions: int, choice: float, random: Random) -> list[Turn]:
    """At most `num_questions` different questions, each with one right answer that the picture shows."""
    family, asks = FAMILIES[chart.family](chart, random)
    names = list(asks)
    random.shuffle(names)
    turns: list[Turn] = []
    for name in names:
        if len(turns) == num_questions:
            break
        question = asks[name]()
        if question is not None:
            turns.append(in_words(question, family, chart.language, random, choice))
    return turns
