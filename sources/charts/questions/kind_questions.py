"""Questions about a single kind: waterfall, funnel, candlestick, box."""

from collections.abc import Callable
from fractions import Fraction

from sources.charts.questions.question import Question, round_half_up
from sources.charts.questions.series_view import SeriesView


def net_change(view: SeriesView) -> Question | None:
    """Ask for the difference between the first and the last bar of a waterfall."""
    if view.chart.kind != "waterfall":
        return None
    column = view.series[0]
    values = column.numbers()
    slots = view.slots(column, a=view.rows[0], b=view.rows[-1])
    return Question(
        name="net_change", slots=slots, answer=view.format_difference(values[-1] - values[0], column),
        working=f"{values[-1]:f} - {values[0]:f}",
    )  # fmt: skip


def count_losses(view: SeriesView) -> Question | None:
    """Ask for the number of falling bars of a waterfall."""
    if view.chart.kind != "waterfall":
        return None
    count = sum(value < 0 for value in view.series[0].numbers())
    return Question(name="count_losses", slots=view.slots(view.series[0]), answer=str(count),
                    options=("0", "1", "2", "3", "4", "5"))  # fmt: skip


def remaining(view: SeriesView) -> Question | None:
    """Ask for the percentage of one stage of a funnel that reaches another."""
    if view.chart.kind != "funnel":
        return None
    known = view.known_values(view.series[0])
    (a, first), (b, second) = sorted(view.random.sample(known, 2), key=lambda entry: entry[1], reverse=True)
    value = round_half_up(Fraction(second) * 100 / Fraction(first), 1)
    return Question(
        name="remaining", slots={"a": a, "b": b}, answer=f"{value:f}%", precision=view.places_note(1),
        working=f"{second:f} / {first:f} * 100",
        options=tuple(f"{value + k:f}%" for k in (-12, -6, 6, 12) if 0 < value + k < 100),
    )  # fmt: skip


def count_rises(view: SeriesView) -> Question | None:
    """Ask for the number of days of a candlestick chart that close higher than they open."""
    if view.chart.kind != "candlestick":
        return None
    opened, _, _, close = view.series
    count = sum(b > a for a, b in zip(opened.numbers(), close.numbers(), strict=True))
    return Question(name="count_rises", slots={}, answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0))  # fmt: skip


def spread(view: SeriesView) -> Question | None:
    """Ask for the distance between the quartiles of a box."""
    if view.chart.kind != "box":
        return None
    k = view.random.randrange(len(view.rows))
    low, high = (view.series[j].numbers()[k] for j in (1, 3))
    column = view.series[1]
    return Question(
        name="spread", slots=view.slots(column, row=view.rows[k]), answer=view.format_difference(high - low, column),
        precision=view.step_note(column, 2), working=f"{high:f} - {low:f}",
    )  # fmt: skip


QUESTIONS: dict[str, Callable[[SeriesView], Question | None]] = {
    function.__name__: function for function in (net_change, count_losses, remaining, count_rises, spread)
}
