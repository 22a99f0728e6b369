"""Questions about numbers along named rows, for most charts and for tables."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from sources.charts.questions.question import Question, fill_phrase, round_half_up
from sources.charts.questions.series_view import CLEAR_STEPS, COLUMNS, STATISTICS, SeriesView
from sources.charts.table import Column, exponent, format_value

MAX_PRINTED = 15  # greatest number of printed values of a sum
MAX_ADDED = 8  # greatest number of values that are read from an axis for a sum, as errors add up

Writer = Callable[[SeriesView], Question | None]


def lookup(view: SeriesView) -> Question | None:
    column = view.sample_column()
    row, value = view.random.choice(view.known_values(column))
    return Question(
        kind=view.noun.kind, name="lookup", slots=view.slots(column, row=row),
        answer=view.format_answer(value, column), options=view.alternatives(value, column),
        precision=view.step_note(column),
    )  # fmt: skip


def missing(view: SeriesView) -> Question | None:
    gaps = [
        (row, column)
        for column in view.series
        for row, value in zip(view.rows, column.values, strict=True)
        if value is None
    ]
    if not gaps:
        return None
    row, column = view.random.choice(gaps)
    return Question(
        kind=view.noun.kind, name="missing", slots=view.slots(column, row=row),
        answer=fill_phrase("missing", view.language),
    )  # fmt: skip


def unanswerable(view: SeriesView) -> Question | None:
    if not view.chart.absent:
        return None
    row = view.random.choice(view.chart.absent)
    return Question(
        kind=view.noun.kind, name="unanswerable", slots=view.slots(view.sample_column(), row=row),
        answer=fill_phrase("not_shown", view.language),
    )  # fmt: skip


def compare(view: SeriesView) -> Question | None:
    column = view.sample_column()
    pair = view.sample_pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = view.random.sample((high, low), 2)
    return Question(kind=view.noun.kind, name="compare", slots=view.slots(column, a=a, b=b), answer=high)


def is_higher(view: SeriesView) -> Question | None:
    column = view.sample_column()
    pair = view.sample_pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = view.random.sample((high, low), 2)
    answer = fill_phrase("yes" if a == high else "no", view.language)
    return Question(kind=view.noun.kind, name="is_higher", slots=view.slots(column, a=a, b=b), answer=answer)


def is_above(view: SeriesView) -> Question | None:
    column = view.sample_column()
    limit = view.sample_limit(column)
    if limit is None:
        return None
    row, value = view.random.choice(view.known_values(column))
    return Question(
        kind=view.noun.kind,
        name="is_above",
        slots=view.slots(column, row=row) | {"limit": view.format_answer(limit, column)},
        answer=fill_phrase("yes" if value > limit else "no", view.language),
    )


def _extremum(view: SeriesView, sign: int, name: str) -> tuple[Column, str, Decimal] | None:
    """Return (column, row, value) of the largest value if it is clear, or with sign -1 of the smallest one."""
    column = view.sample_column()
    known = sorted(view.known_values(column), key=lambda entry: -sign * entry[1])
    if not view.can_distinguish(column, known[0][1], known[1][1]):
        return None
    return column, *known[0]


def _where(view: SeriesView, sign: int, name: str) -> Question | None:
    found = _extremum(view, sign, name)
    if found is None:
        return None
    column, row, _ = found
    return Question(kind=view.noun.kind, name=name, slots=view.slots(column), answer=row, options=tuple(view.rows))


def highest(view: SeriesView) -> Question | None:
    return _where(view, 1, "highest")


def lowest(view: SeriesView) -> Question | None:
    return _where(view, -1, "lowest")


def _value_of(view: SeriesView, sign: int, name: str) -> Question:
    column = view.sample_column()
    value = sign * max(sign * value for _, value in view.known_values(column))
    return Question(
        kind=view.noun.kind, name=name, slots=view.slots(column), answer=view.format_answer(value, column),
        options=view.alternatives(value, column), precision=view.step_note(column),
    )  # fmt: skip


def highest_value(view: SeriesView) -> Question | None:
    return _value_of(view, 1, "highest_value")


def lowest_value(view: SeriesView) -> Question | None:
    return _value_of(view, -1, "lowest_value")


def difference(view: SeriesView) -> Question | None:
    column = view.sample_column()
    pair = view.sample_pair(column)
    if pair is None or column.one_digit:
        return None
    (a, high), (b, low) = pair
    return Question(
        kind=view.noun.kind, name="difference", slots=view.slots(column, a=a, b=b),
        answer=view.format_difference(high - low, column),
        options=view.alternatives(high - low, column, difference=True),
        precision=view.step_note(column, 2), working=f"{high:f} - {_operand(low)}",
    )  # fmt: skip


def ratio(view: SeriesView) -> Question | None:
    column = view.sample_column()
    pair = view.sample_pair(column)
    # The ratio is sensitive to errors of a small divisor, and means nothing for degrees.
    if pair is None or column.one_digit or pair[1][1] <= column.step * 10 or column.unit == "°C":
        return None
    (a, high), (b, low) = pair
    places = 2 if view.chart.exact else 1
    value = round_half_up(Fraction(high) / Fraction(low), places)
    return Question(
        kind=view.noun.kind, name="ratio", slots=view.slots(column, a=a, b=b), answer=f"{value:f}",
        precision=view.places_note(places) + _ratio_tolerance(view, column, high, low),
        working=f"{high:f} / {low:f}",
        options=tuple(f"{value + k * Decimal('0.6'):f}" for k in (-2, -1, 1, 2, 3) if value + k * Decimal("0.6") > 1),
    )  # fmt: skip


def total(view: SeriesView) -> Question | None:
    column = view.sample_column()
    values = [value for _, value in view.known_values(column)]
    if not view.is_additive(column) or None in column.values or len(values) > _most_added(view):
        return None
    value = sum(values, Decimal(0))
    if column.unit == "%" and value == 100:
        return None
    return Question(
        kind=view.noun.kind, name="total", slots=view.slots(column),
        answer=view.format_answer(value, column), options=view.alternatives(value, column),
        precision=view.step_note(column, len(values)), working=" + ".join(f"{v:f}" for v in values),
    )  # fmt: skip


def sum_two(view: SeriesView) -> Question | None:
    column = view.sample_column()
    if not view.is_additive(column):
        return None
    (a, first), (b, second) = view.random.sample(view.known_values(column), 2)
    return Question(
        kind=view.noun.kind, name="sum_two", slots=view.slots(column, a=a, b=b),
        answer=view.format_answer(first + second, column), options=view.alternatives(first + second, column),
        precision=view.step_note(column, 2), working=f"{first:f} + {second:f}",
    )  # fmt: skip


def mean(view: SeriesView) -> Question | None:
    column = view.sample_column()
    values = [value for _, value in view.known_values(column)]
    if None in column.values or column.one_digit or len(values) > _most_added(view):
        return None
    places = max(0, -exponent(column.step)) + (1 if view.chart.exact else 0)
    value = round_half_up(Fraction(sum(values, Decimal(0))) / len(values), places)
    return Question(
        kind=view.noun.kind, name="mean", slots=view.slots(column),
        answer=view.format_answer(value, column), options=view.alternatives(value, column),
        precision=view.places_note(places) + view.step_note(column),
        working=f"({' + '.join(map(_operand, values))}) / {len(values)}",
    )  # fmt: skip


def trend(view: SeriesView) -> Question | None:
    column = view.sample_column()
    known = view.known_values(column)
    (a, first), (b, last) = known[0], known[-1]
    if not view.over_time or not view.can_distinguish(column, first, last):
        return None
    answer = fill_phrase("rises" if last > first else "falls", view.language)
    return Question(kind=view.noun.kind, name="trend", slots=view.slots(column, a=a, b=b), answer=answer)


def _count(view: SeriesView, name: str, sign: int) -> Question | None:
    column = view.sample_column()
    limit = view.sample_limit(column)
    if limit is None:
        return None
    count = sum(sign * value > sign * limit for _, value in view.known_values(column))
    return Question(
        kind=view.noun.kind, name=name,
        slots=view.slots(column) | {"limit": view.format_answer(limit, column)},
        answer=str(count), options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0),
    )  # fmt: skip


def count_above(view: SeriesView) -> Question | None:
    return _count(view, "count_above", 1)


def count_below(view: SeriesView) -> Question | None:
    return _count(view, "count_below", -1)


def rank(view: SeriesView) -> Question | None:
    column = view.sample_column()
    known = sorted(view.known_values(column), key=_value, reverse=True)
    if len(known) < 4:
        return None
    place = view.random.randint(2, min(4, len(known) - 1))
    around = known[place - 2 : place + 1]
    if any(not view.can_distinguish(column, a[1], b[1]) for a, b in itertools.pairwise(around)):
        return None
    return Question(
        kind=view.noun.kind, name="rank",
        slots=view.slots(column) | {"rank": fill_phrase(f"rank_{place}", view.language)},
        answer=known[place - 1][0], options=tuple(view.rows),
    )  # fmt: skip


def higher_series(view: SeriesView) -> Question | None:
    if len(view.series) < 2 or len({column.unit for column in view.series}) > 1:
        return None
    first, second = view.random.sample(view.series, 2)
    k = view.random.randrange(len(view.rows))
    a, b = first.values[k], second.values[k]
    if not isinstance(a, Decimal) or not isinstance(b, Decimal) or not view.can_distinguish(first, a, b):
        return None
    return Question(
        kind=view.noun.kind,
        name="higher_series",
        slots=view.slots(first, row=view.rows[k]) | {"other": view.describe_column(second)},
        answer=(first if a > b else second).name,
    )


def largest_rise(view: SeriesView) -> Question | None:
    column = view.sample_column()
    known = view.known_values(column)
    if not view.over_time or None in column.values or column.one_digit:
        return None
    rises = sorted(((b[1] - a[1], a[0], b[0]) for a, b in itertools.pairwise(known)), key=lambda r: r[0], reverse=True)
    needed = column.step if view.chart.exact else 2 * CLEAR_STEPS * column.step  # a rise depends on two values
    if rises[0][0] < needed or (len(rises) > 1 and rises[0][0] - rises[1][0] < needed):
        return None
    return Question(
        kind=view.noun.kind, name="largest_rise", slots=view.slots(column),
        answer=f"{rises[0][1]} – {rises[0][2]}", options=tuple(f"{a} – {b}" for _, a, b in rises),
    )  # fmt: skip


def count_rows(view: SeriesView) -> Question | None:
    count = len(view.rows)
    return Question(
        kind=view.noun.kind, name="count_rows", slots=view.slots(view.series[0]), answer=str(count),
        options=tuple(str(count + k) for k in (-2, -1, 1, 2)),
    )  # fmt: skip


def count_series(view: SeriesView) -> Question | None:
    count = len(view.series)
    if count < 2 or view.chart.kind in (*COLUMNS, *STATISTICS):
        return None
    return Question(
        kind=view.noun.kind,
        name="count_series",
        slots={},
        answer=str(count),
        options=tuple(str(count + k) for k in (-1, 1, 2, 3)),
    )


QUESTIONS: dict[str, Writer] = {
    function.__name__: function
    for function in (
        lookup, compare, highest, lowest, highest_value, lowest_value, difference, ratio, total, sum_two, mean, trend,
        count_above, count_below, rank, is_higher, is_above, higher_series, largest_rise, missing, unanswerable,
        count_rows, count_series,
    )
}  # fmt: skip


def _most_added(view: SeriesView) -> int:
    return MAX_PRINTED if view.chart.exact else MAX_ADDED


def _ratio_tolerance(view: SeriesView, column: Column, high: Decimal, low: Decimal) -> str:
    """Return a sentence on the tolerance of a ratio when both numbers are off by one step."""
    if view.chart.exact:
        return ""
    error = Fraction(high + column.step) / Fraction(low - column.step) - Fraction(high) / Fraction(low)
    tolerance = round_half_up(error + Fraction(1, 20), 1)  # up to the next tenth
    return fill_phrase("to_step", view.language, step=format_value(column.step), tolerance=format_value(tolerance))


def _operand(value: Decimal) -> str:
    return f"({value:f})" if value < 0 else f"{value:f}"


def _value(entry: tuple[str, Decimal]) -> Decimal:
    return entry[1]
