"""Questions about numbers along named rows: most charts, and tables."""

import itertools
import random as random_module
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from sources.charts.chart import Chart, SeriesChart
from sources.charts.questions.question import Question, lowered, phrase, rounded, with_unit
from sources.charts.table import Column, exponent, nice_step, plain

Random = random_module.Random
CLEAR_STEPS = 2  # two values are told apart by eye if they are this many steps apart
MAX_ADDED = 8  # values read off an axis whose sum is asked for: errors add up
STATISTICS = ("box", "violin", "error_bars", "density")
COLUMNS = ("candlestick", "dual_axis", "table", "histogram")


class Reading:
    """One chart as its questions see it."""

    def __init__(self, chart: Chart, random: Random | None = None, *, measure: str = "", over_time: bool = False):
        self.chart = chart
        self.language = chart.language
        self.measure = measure
        self.over_time = over_time
        self.random = random or random_module.Random(0)
        self.rows = [plain(value) for value in chart.table.rows.values]
        self.noun = lowered(chart.table.rows.name)
        self.series = chart.table.series

    def column(self) -> Column:
        """A column at random."""
        return self.random.choice(self.series)

    def what(self, column: Column) -> str:
        """What a column's numbers are, in words."""
        if self.chart.kind in COLUMNS:
            name = "column"
        elif self.chart.kind in STATISTICS:
            name = "statistic"
        else:
            name = "single" if len(self.series) == 1 else "of"
        series = lowered(column.name) if name in ("column", "statistic") else column.name
        return phrase(name, self.language, measure=lowered(self.measure), series=series)

    def at(self, row: str) -> str:
        """Where, in words."""
        return phrase("at", self.language, row=row)

    def adds_up(self, column: Column) -> bool:
        """Whether a total of the column means something."""
        if isinstance(self.chart, SeriesChart):
            return self.chart.additive and (self.chart.kind != "dual_axis" or column is self.series[0])
        return self.chart.kind == "histogram" or (self.chart.kind == "table" and column.step == 1)

    def known(self, column: Column) -> list[tuple[str, Decimal]]:
        """(row, value) of every value that is not missing."""
        return [(row, value) for row, value in zip(self.rows, column.values, strict=True) if isinstance(value, Decimal)]

    def pair(self, column: Column) -> tuple[tuple[str, Decimal], tuple[str, Decimal]] | None:
        """Two rows whose values can be told apart, the larger first."""
        known = self.known(column)
        for _ in range(8):
            first, second = self.random.sample(known, 2)
            if self.differ(column, first[1], second[1]):
                return max(first, second, key=_value), min(first, second, key=_value)
        return None

    def differ(self, column: Column, a: Decimal, b: Decimal) -> bool:
        """Whether the eye can tell two values apart."""
        return abs(a - b) >= (column.step if self.chart.exact else CLEAR_STEPS * column.step)

    def to_step(self, column: Column, num_values: int = 1) -> str:
        """The sentence on how fine values can be read; empty where they are printed."""
        if self.chart.exact:
            return ""
        step, tolerance = plain(column.step), plain(column.step * num_values)
        return phrase("to_step", self.language, step=step, tolerance=tolerance)

    def answer(self, value: Decimal, column: Column) -> str:
        """A number with the column's unit."""
        return with_unit(value, column.unit, self.language)

    def near(self, value: Decimal, column: Column) -> tuple[str, ...]:
        """Other numbers for multiple choice, far enough to be told apart."""
        away = max(column.step * 4, nice_step(float(abs(value)) * 0.08) if value else column.step)
        return tuple(
            self.answer(value + k * away, column) for k in (-3, -2, -1, 1, 2, 3) if value < 0 or value + k * away > 0
        )

    def limit(self, column: Column) -> Decimal | None:
        """A round number that no value comes near."""
        values = [value for _, value in self.known(column)]
        low, high = min(values), max(values)
        if low == high:
            return None
        step = max(nice_step(float(high - low) / 8), column.step)
        candidates = [k * step for k in range(int(low / step) + 1, int(high / step) + 1)]
        clear = [
            limit for limit in candidates
            if low < limit < high and all(self.differ(column, limit, value) for value in values)
        ]  # fmt: skip
        return self.random.choice(clear) if clear else None


Ask = Callable[[Reading], Question | None]


def lookup(reading: Reading) -> Question | None:
    column = reading.column()
    row, value = reading.random.choice(reading.known(column))
    return Question(
        name="lookup", slots={"what": reading.what(column), "at": reading.at(row)},
        answer=reading.answer(value, column), options=reading.near(value, column), precision=reading.to_step(column),
    )  # fmt: skip


def missing(reading: Reading) -> Question | None:
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


def unanswerable(reading: Reading) -> Question | None:
    if not reading.chart.absent:
        return None
    row = reading.random.choice(reading.chart.absent)
    return Question(
        name="unanswerable", slots={"what": reading.what(reading.column()), "at": reading.at(row)},
        answer=phrase("not_shown", reading.language),
    )  # fmt: skip


def compare(reading: Reading) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = reading.random.sample((high, low), 2)
    return Question(name="compare", slots={"what": reading.what(column), "a": a, "b": b}, answer=high)


def is_higher(reading: Reading) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None:
        return None
    (high, _), (low, _) = pair
    a, b = reading.random.sample((high, low), 2)
    answer = phrase("yes" if a == high else "no", reading.language)
    return Question(name="is_higher", slots={"what": reading.what(column), "a": a, "b": b}, answer=answer)


def is_above(reading: Reading) -> Question | None:
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


def _extremum(reading: Reading, sign: int, name: str) -> tuple[Column, str, Decimal] | None:
    """(column, row, value) of the largest value, if it can be told from the next; of the smallest with sign -1."""
    column = reading.column()
    known = sorted(reading.known(column), key=lambda entry: -sign * entry[1])
    if not reading.differ(column, known[0][1], known[1][1]):
        return None
    return column, *known[0]


def _where(reading: Reading, sign: int, name: str) -> Question | None:
    found = _extremum(reading, sign, name)
    if found is None:
        return None
    column, row, _ = found
    return Question(
        name=name, slots={"what": reading.what(column), "noun": reading.noun}, answer=row, options=tuple(reading.rows)
    )


def highest(reading: Reading) -> Question | None:
    return _where(reading, 1, "highest")


def lowest(reading: Reading) -> Question | None:
    return _where(reading, -1, "lowest")


def _value_of(reading: Reading, sign: int, name: str) -> Question:
    column = reading.column()
    value = sign * max(sign * value for _, value in reading.known(column))
    return Question(
        name=name, slots={"what": reading.what(column)}, answer=reading.answer(value, column),
        options=reading.near(value, column), precision=reading.to_step(column),
    )  # fmt: skip


def highest_value(reading: Reading) -> Question | None:
    return _value_of(reading, 1, "highest_value")


def lowest_value(reading: Reading) -> Question | None:
    return _value_of(reading, -1, "lowest_value")


def difference(reading: Reading) -> Question | None:
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


def ratio(reading: Reading) -> Question | None:
    column = reading.column()
    pair = reading.pair(column)
    if pair is None or pair[1][1] <= column.step * 10:  # a small divisor read one step off changes the ratio by much
        return None
    (a, high), (b, low) = pair
    places = 2 if reading.chart.exact else 1
    value = rounded(Fraction(high) / Fraction(low), places)
    return Question(
        name="ratio", slots={"what": reading.what(column), "a": a, "b": b}, answer=f"{value:f}",
        precision=_to_places(reading, places) + _ratio_tolerance(reading, column, high, low),
        working=f"{high:f} / {low:f}",
        options=tuple(f"{value + k * Decimal('0.6'):f}" for k in (-2, -1, 1, 2, 3) if value + k * Decimal("0.6") > 1),
    )  # fmt: skip


def total(reading: Reading) -> Question | None:
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


def sum_two(reading: Reading) -> Question | None:
    column = reading.column()
    if not reading.adds_up(column):
        return None
    (a, first), (b, second) = reading.random.sample(reading.known(column), 2)
    return Question(
        name="sum_two", slots={"what": reading.what(column), "a": a, "b": b},
        answer=reading.answer(first + second, column), options=reading.near(first + second, column),
        precision=reading.to_step(column, 2), working=f"{first:f} + {second:f}",
    )  # fmt: skip


def mean(reading: Reading) -> Question | None:
    column = reading.column()
    values = [value for _, value in reading.known(column)]
    if None in column.values or (not reading.chart.exact and len(values) > MAX_ADDED):
        return None
    places = max(0, -exponent(column.step)) + (1 if reading.chart.exact else 0)
    value = rounded(Fraction(sum(values, Decimal(0))) / len(values), places)
    return Question(
        name="mean", slots={"what": reading.what(column), "noun": reading.noun, "count": str(len(values))},
        answer=reading.answer(value, column), options=reading.near(value, column),
        precision=_to_places(reading, places) + reading.to_step(column),
        working=f"({' + '.join(map(_operand, values))}) / {len(values)}",
    )  # fmt: skip


def trend(reading: Reading) -> Question | None:
    column = reading.column()
    known = reading.known(column)
    (a, first), (b, last) = known[0], known[-1]
    if not reading.over_time or not reading.differ(column, first, last):
        return None
    answer = phrase("rises" if last > first else "falls", reading.language)
    return Question(name="trend", slots={"what": reading.what(column), "a": a, "b": b}, answer=answer)


def _count(reading: Reading, name: str, sign: int) -> Question | None:
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


def count_above(reading: Reading) -> Question | None:
    return _count(reading, "count_above", 1)


def count_below(reading: Reading) -> Question | None:
    return _count(reading, "count_below", -1)


def rank(reading: Reading) -> Question | None:
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


def higher_series(reading: Reading) -> Question | None:
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


def largest_rise(reading: Reading) -> Question | None:
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


def count_rows(reading: Reading) -> Question | None:
    count = len(reading.rows)
    return Question(
        name="count_rows", slots={"noun": reading.noun}, answer=str(count),
        options=tuple(str(count + k) for k in (-2, -1, 1, 2)),
    )  # fmt: skip


def count_series(reading: Reading) -> Question | None:
    count = len(reading.series)
    if count < 2 or reading.chart.kind in (*COLUMNS, *STATISTICS):
        return None
    return Question(
        name="count_series", slots={}, answer=str(count), options=tuple(str(count + k) for k in (-1, 1, 2, 3))
    )


def net_change(reading: Reading) -> Question | None:
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


def count_losses(reading: Reading) -> Question | None:
    """Of a waterfall: the bars that go down."""
    if reading.chart.kind != "waterfall":
        return None
    count = sum(value < 0 for value in reading.series[0].numbers())
    return Question(name="count_losses", slots={"what": reading.what(reading.series[0])}, answer=str(count),
                    options=("0", "1", "2", "3", "4", "5"))  # fmt: skip


def remaining(reading: Reading) -> Question | None:
    """Of a funnel: what percentage of one stage reaches another."""
    if reading.chart.kind != "funnel":
        return None
    known = reading.known(reading.series[0])
    (a, first), (b, second) = sorted(reading.random.sample(known, 2), key=_value, reverse=True)
    value = rounded(Fraction(second) * 100 / Fraction(first), 1)
    return Question(
        name="remaining", slots={"a": a, "b": b}, answer=f"{value:f}%", precision=_to_places(reading, 1),
        working=f"{second:f} / {first:f} * 100",
        options=tuple(f"{value + k:f}%" for k in (-12, -6, 6, 12) if 0 < value + k < 100),
    )  # fmt: skip


def count_rises(reading: Reading) -> Question | None:
    """Of a candlestick chart: days that close higher than they open."""
    if reading.chart.kind != "candlestick":
        return None
    opened, _, _, close = reading.series
    count = sum(b > a for a, b in zip(opened.numbers(), close.numbers(), strict=True))
    return Question(name="count_rises", slots={}, answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0))  # fmt: skip


def spread(reading: Reading) -> Question | None:
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


ASKS: dict[str, Ask] = {
    ask.__name__: ask
    for ask in (
        lookup, compare, highest, lowest, highest_value, lowest_value, difference, ratio, total, sum_two, mean, trend,
        count_above, count_below, rank, is_higher, is_above, higher_series, largest_rise, missing, unanswerable,
        count_rows, count_series, net_change, count_losses, remaining, count_rises, spread,
    )
}  # fmt: skip


def _to_places(reading: Reading, places: int) -> str:
    return phrase("rounded", reading.language, places=phrase(f"places_{places}", reading.language))


def _ratio_tolerance(reading: Reading, column: Column, high: Decimal, low: Decimal) -> str:
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
