"""Questions about numbers along named rows: most charts, and tables."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from sources.charts.questions.question import Question, phrase, rounded
from sources.charts.questions.reading import CLEAR_STEPS, COLUMNS, STATISTICS, SeriesView
from sources.charts.table import Column, exponent, plain

MAX_ADDED = 8  # values read off an axis whose sum is asked for: errors add up

Ask = Callable[[SeriesView], Question | None]


def lookup(reading: SeriesView) -> Question | None:
    column = reading.column()
    row, value = reading.random.choice(reading.known(column))
    return Question(
        name="lookup", slots={"what": reading.what(column), "at": reading.at(row)},
        answer=reading.answer(value, column), options=reading.near(value, column), precision=reading.to_step(column),
    )  # fmt: skip


def missing(reading: SeriesView) -> Question | None:
    gaps = [
        (row, column)
        for column in reading.series
        for row, value in zip(reading.rows, column.values, strict=True)
        if value is None
    ]
    if not gaps:
        return None
    row, column = reading.random.choice(gaps)
    return Question(
        name="missing", slots={"what": reading.what(column), "at": reading.at(row)},
        answer=phrase("missing", reading.language),
    )  # fmt: skip


def unanswerable(reading: SeriesView) -> Question | None:
    if not reading.chart.absent:
        return None
    row = reading.random.choice(reading.chart.absent)
    return Question(
        name="unanswerable", slots={"what": reading.what(reading.column()), "at": reading.at(row)},
        answer=phrase("not_shown", reading.language),
    )  # fmt: skip


def compare(reading: SeriesView) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = reading.random.sample((high, low), 2)
    return Question(name="compare", slots={"what": reading.what(column), "a": a, "b": b}, answer=high)


def is_higher(reading: SeriesView) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = reading.random.sample((high, low), 2)
    answer = phrase("yes" if a == high else "no", reading.language)
    return Question(name="is_higher", slots={"what": reading.what(column), "a": a, "b": b}, answer=answer)


def is_above(reading: SeriesView) -> Question | None:
    column = reading.column()
    limit = reading.limit(column)
    if limit is None:
        return None
    row, value = reading.random.choice(reading.known(column))
    return Question(
        name="is_above",
        slots={"what": reading.what(column), "at": reading.at(row), "limit": reading.answer(limit, column)},
        answer=phrase("yes" if value > limit else "no", reading.language),
    )


def _extremum(reading: SeriesView, sign: int, name: str) -> tuple[Column, str, Decimal] | None:
    """(column, row, value) of the largest value, if it can be told from the next; of the smallest with sign -1."""
    column = reading.column()
    known = sorted(reading.known(column), key=lambda entry: -sign * entry[1])
    if not reading.differ(column, known[0][1], known[1][1]):
        return None
    return column, *known[0]


def _where(reading: SeriesView, sign: int, name: str) -> Question | None:
    found = _extremum(reading, sign, name)
    if found is None:
        return None
    column, row, _ = found
    return Question(
        name=name, slots={"what": reading.what(column), "noun": reading.noun}, answer=row, options=tuple(reading.rows)
    )


def highest(reading: SeriesView) -> Question | None:
    return _where(reading, 1, "highest")


def lowest(reading: SeriesView) -> Question | None:
    return _where(reading, -1, "lowest")


def _value_of(reading: SeriesView, sign: int, name: str) -> Question:
    column = reading.column()
    value = sign * max(sign * value for _, value in reading.known(column))
    return Question(
        name=name, slots={"what": reading.what(column)}, answer=reading.answer(value, column),
        options=reading.near(value, column), precision=reading.to_step(column),
    )  # fmt: skip


def highest_value(reading: SeriesView) -> Question | None:
    return _value_of(reading, 1, "highest_value")


def lowest_value(reading: SeriesView) -> Question | None:
    return _value_of(reading, -1, "lowest_value")


def difference(reading: SeriesView) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None:
        return None
    (a, high), (b, low) = pair
    return Question(
        name="difference", slots={"what": reading.what(column), "a": a, "b": b},
        answer=reading.answer(high - low, column), options=reading.near(high - low, column),
        precision=reading.to_step(column, 2), working=f"{high:f} - {_operand(low)}",
    )  # fmt: skip


def ratio(reading: SeriesView) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None or pair[1][1] <= column.step * 10:  # a small divisor read one step off changes the ratio by much
        return None
    (a, high), (b, low) = pair
    places = 2 if reading.chart.exact else 1
    value = rounded(Fraction(high) / Fraction(low), places)
    return Question(
        name="ratio", slots={"what": reading.what(column), "a": a, "b": b}, answer=f"{value:f}",
        precision=reading.to_places(places) + _ratio_tolerance(reading, column, high, low),
        working=f"{high:f} / {low:f}",
        options=tuple(f"{value + k * Decimal('0.6'):f}" for k in (-2, -1, 1, 2, 3) if value + k * Decimal("0.6") > 1),
    )  # fmt: skip


def total(reading: SeriesView) -> Question | None:
    column = reading.column()
    values = [value for _, value in reading.known(column)]
    if not reading.adds_up(column) or None in column.values or (not reading.chart.exact and len(values) > MAX_ADDED):
        return None
    value = sum(values, Decimal(0))
    if column.unit == "%" and value == 100:
        return None
    return Question(
        name="total", slots={"what": reading.what(column), "noun": reading.noun, "count": str(len(values))},
        answer=reading.answer(value, column), options=reading.near(value, column),
        precision=reading.to_step(column, len(values)), working=" + ".join(f"{v:f}" for v in values),
    )  # fmt: skip


def sum_two(reading: SeriesView) -> Question | None:
    column = reading.column()
    if not reading.adds_up(column):
        return None
    (a, first), (b, second) = reading.random.sample(reading.known(column), 2)
    return Question(
        name="sum_two", slots={"what": reading.what(column), "a": a, "b": b},
        answer=reading.answer(first + second, column), options=reading.near(first + second, column),
        precision=reading.to_step(column, 2), working=f"{first:f} + {second:f}",
    )  # fmt: skip


def mean(reading: SeriesView) -> Question | None:
    column = reading.column()
    values = [value for _, value in reading.known(column)]
    if None in column.values or (not reading.chart.exact and len(values) > MAX_ADDED):
        return None
    places = max(0, -exponent(column.step)) + (1 if reading.chart.exact else 0)
    value = rounded(Fraction(sum(values, Decimal(0))) / len(values), places)
    return Question(
        name="mean", slots={"what": reading.what(column), "noun": reading.noun, "count": str(len(values))},
        answer=reading.answer(value, column), options=reading.near(value, column),
        precision=reading.to_places(places) + reading.to_step(column),
        working=f"({' + '.join(map(_operand, values))}) / {len(values)}",
    )  # fmt: skip


def trend(reading: SeriesView) -> Question | None:
    column = reading.column()
    known = reading.known(column)
    (a, first), (b, last) = known[0], known[-1]
    if not reading.over_time or not reading.differ(column, first, last):
        return None
    answer = phrase("rises" if last > first else "falls", reading.language)
    return Question(name="trend", slots={"what": reading.what(column), "a": a, "b": b}, answer=answer)


def _count(reading: SeriesView, name: str, sign: int) -> Question | None:
    column = reading.column()
    limit = reading.limit(column)
    if limit is None:
        return None
    count = sum(sign * value > sign * limit for _, value in reading.known(column))
    return Question(
        name=name,
        slots={"what": reading.what(column), "noun": reading.noun, "limit": reading.answer(limit, column)},
        answer=str(count), options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0),
    )  # fmt: skip


def count_above(reading: SeriesView) -> Question | None:
    return _count(reading, "count_above", 1)


def count_below(reading: SeriesView) -> Question | None:
    return _count(reading, "count_below", -1)


def rank(reading: SeriesView) -> Question | None:
    column = reading.column()
    known = sorted(reading.known(column), key=_value, reverse=True)
    if len(known) < 4:
        return None
    place = reading.random.randint(2, min(4, len(known) - 1))
    around = known[place - 2 : place + 1]
    if any(not reading.differ(column, a[1], b[1]) for a, b in itertools.pairwise(around)):
        return None
    return Question(
        name="rank", slots={"what": reading.what(column), "noun": reading.noun, "rank": str(place)},
        answer=known[place - 1][0], options=tuple(reading.rows),
    )  # fmt: skip


def higher_series(reading: SeriesView) -> Question | None:
    if len(reading.series) < 2 or len({column.unit for column in reading.series}) > 1:
        return None
    first, second = reading.random.sample(reading.series, 2)
    k = reading.random.randrange(len(reading.rows))
    a, b = first.values[k], second.values[k]
    if not isinstance(a, Decimal) or not isinstance(b, Decimal) or not reading.differ(first, a, b):
        return None
    return Question(
        name="higher_series",
        slots={"what": reading.what(first), "other": reading.what(second), "at": reading.at(reading.rows[k])},
        answer=(first if a > b else second).name,
    )


def largest_rise(reading: SeriesView) -> Question | None:
    column = reading.column()
    known = reading.known(column)
    if not reading.over_time or None in column.values:
        return None
    rises = sorted(((b[1] - a[1], a[0], b[0]) for a, b in itertools.pairwise(known)), key=lambda r: r[0], reverse=True)
    needed = column.step if reading.chart.exact else 2 * CLEAR_STEPS * column.step  # two readings go into each rise
    if rises[0][0] < needed or (len(rises) > 1 and rises[0][0] - rises[1][0] < needed):
        return None
    return Question(
        name="largest_rise", slots={"what": reading.what(column), "noun": reading.noun},
        answer=f"{rises[0][1]} – {rises[0][2]}", options=tuple(f"{a} – {b}" for _, a, b in rises),
    )  # fmt: skip


def count_rows(reading: SeriesView) -> Question | None:
    count = len(reading.rows)
    return Question(
        name="count_rows", slots={"noun": reading.noun}, answer=str(count),
        options=tuple(str(count + k) for k in (-2, -1, 1, 2)),
    )  # fmt: skip


def count_series(reading: SeriesView) -> Question | None:
    count = len(reading.series)
    if count < 2 or reading.chart.kind in (*COLUMNS, *STATISTICS):
        return None
    return Question(
        name="count_series", slots={}, answer=str(count), options=tuple(str(count + k) for k in (-1, 1, 2, 3))
    )


ASKS: dict[str, Ask] = {
    ask.__name__: ask
    for ask in (
        lookup, compare, highest, lowest, highest_value, lowest_value, difference, ratio, total, sum_two, mean, trend,
        count_above, count_below, rank, is_higher, is_above, higher_series, largest_rise, missing, unanswerable,
        count_rows, count_series,
    )
}  # fmt: skip


def _ratio_tolerance(reading: SeriesView, column: Column, high: Decimal, low: Decimal) -> str:
    """The sentence on how far a ratio may be off when both numbers are read one step off."""
    if reading.chart.exact:
        return ""
    error = Fraction(high + column.step) / Fraction(low - column.step) - Fraction(high) / Fraction(low)
    tolerance = rounded(error + Fraction(1, 20), 1)  # up to the next tenth
    return phrase("to_step", reading.language, step=plain(column.step), tolerance=plain(tolerance))


def _operand(value: Decimal) -> str:
    return f"({value:f})" if value < 0 else f"{value:f}"


def _value(entry: tuple[str, Decimal]) -> Decimal:
    return entry[1]
