"""Questions about bands of a contour chart."""

import random as random_module
from collections.abc import Callable

from sources.charts.chart import ContourChart
from sources.charts.questions.question import Question, lowered, phrase

Random = random_module.Random


class Bands:
    """One chart as its questions see it: the band at every place where grid lines cross."""

    def __init__(self, chart: ContourChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        self.what = lowered(chart.measure)
        self.names = [f"{a:f}–{b:f}" for a, b in zip(chart.levels, chart.levels[1:], strict=False)]
        rows = [str(value) for value in chart.table.rows.values]
        self.places = [
            (f"({column.name}, {row})", str(column.values[k]))
            for column in chart.table.columns[1:]
            for k, row in enumerate(rows)
        ]


Ask = Callable[[Bands], Question | None]


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
    answer = phrase("yes" if first == second else "no", bands.language)
    return Question(name="same_band", slots={"a": a, "b": b}, answer=answer)


ASKS: dict[str, Ask] = {ask.__name__: ask for ask in (band, higher_place, same_band)}
