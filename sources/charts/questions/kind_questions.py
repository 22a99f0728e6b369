"""Questions that belong to one kind: waterfall, funnel, candlestick, box."""

from collections.abc import Callable
from fractions import Fraction

from sources.charts.questions.question import Question, rounded
from sources.charts.questions.reading import SeriesView


def net_change(reading: SeriesView) -> Question | None:
    """Of a waterfall: from its first to its last bar."""
    if reading.chart.kind != "waterfall":
        return None
    column = reading.series[0]
    values = column.numbers()
    slots = {"what": reading.what(column), "a": reading.rows[0], "b": reading.rows[-1]}
    return Question(
        name="net_change", slots=slots, answer=reading.answer(values[-1] - values[0], column),
        working=f"{values[-1]:f} - {values[0]:f}",
    )  # fmt: skip


def count_losses(reading: SeriesView) -> Question | None:
    """Of a waterfall: the bars that go down."""
    if reading.chart.kind != "waterfall":
        return None
    count = sum(value < 0 for value in reading.series[0].numbers())
    return Question(name="count_losses", slots={"what": reading.what(reading.series[0])}, answer=str(count),
                    options=("0", "1", "2", "3", "4", "5"))  # fmt: skip


def remaining(reading: SeriesView) -> Question | None:
    """Of a funnel: what percentage of one stage reaches another."""
    if reading.chart.kind != "funnel":
        return None
    known = reading.known(reading.series[0])
    (a, first), (b, second) = sorted(reading.random.sample(known, 2), key=lambda entry: entry[1], reverse=True)
    value = rounded(Fraction(second) * 100 / Fraction(first), 1)
    return Question(
        name="remaining", slots={"a": a, "b": b}, answer=f"{value:f}%", precision=reading.to_places(1),
        working=f"{second:f} / {first:f} * 100",
        options=tuple(f"{value + k:f}%" for k in (-12, -6, 6, 12) if 0 < value + k < 100),
    )  # fmt: skip


def count_rises(reading: SeriesView) -> Question | None:
    """Of a candlestick chart: days that close higher than they open."""
    if reading.chart.kind != "candlestick":
        return None
    opened, _, _, close = reading.series
    count = sum(b > a for a, b in zip(opened.numbers(), close.numbers(), strict=True))
    return Question(name="count_rises", slots={}, answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0))  # fmt: skip


def spread(reading: SeriesView) -> Question | None:
    """Of a box chart: the distance between the quartiles."""
    if reading.chart.kind != "box":
        return None
    k = reading.random.randrange(len(reading.rows))
    low, high = (reading.series[j].numbers()[k] for j in (1, 3))
    column = reading.series[1]
    return Question(
        name="spread", slots={"row": reading.rows[k]}, answer=reading.answer(high - low, column),
        precision=reading.to_step(column, 2), working=f"{high:f} - {low:f}",
    )  # fmt: skip


ASKS: dict[str, Callable[[SeriesView], Question | None]] = {
    ask.__name__: ask for ask in (net_change, count_losses, remaining, count_rises, spread)
}
