"""Questions about bands of a contour chart."""

import random as random_module
from collections.abc import Callable

from sources.charts.chart import ContourChart
from sources.charts.questions.question import Question, fill_phrase
from sources.charts.schema.texts import lower_first

Random = random_module.Random


class Bands:
    """View of a contour chart: the band at each crossing of grid lines."""

    def __init__(self, chart: ContourChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        self.what = lower_first(chart.measure)
        self.names = [f"{a:f}–{b:f}" for a, b in zip(chart.levels, chart.levels[1:], strict=False)]
        rows = [str(value) for value in chart.table.rows.values]
        self.places = [
            (f"({column.name}, {row})", str(column.values[k]))
            for column in chart.table.columns[1:]
            for k, row in enumerate(rows)
        ]


Writer = Callable[[Bands], Question | None]


def band(bands: Bands) -> Question | None:
    place, answer = bands.random.choice(bands.places)
    return Question(name="band", slots={"what": bands.what, "place": place}, answer=answer, options=tuple(bands.names))


def higher_place(bands: Bands) -> Question | None:
    for _ in range(6):
        (a, first), (b, second) = bands.random.sample(bands.places, 2)
        if first != second:
            answer = a if bands.names.index(first) > bands.names.index(second) else b
            return Question(name="higher_place", slots={"what": bands.what, "a": a, "b": b}, answer=answer)
    return None


def same_band(bands: Bands) -> Question | None:
    (a, first), (b, second) = bands.random.sample(bands.places, 2)
    answer = fill_phrase("yes" if first == second else "no", bands.language)
    return Question(name="same_band", slots={"a": a, "b": b}, answer=answer)


QUESTIONS: dict[str, Writer] = {function.__name__: function for function in (band, higher_place, same_band)}
