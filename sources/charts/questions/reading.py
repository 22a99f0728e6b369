"""A table of numbers along named rows as its questions see it: what can be told apart, and how it is called."""

import random as random_module
from decimal import Decimal

from sources.charts.chart import Chart, SeriesChart
from sources.charts.questions.question import lowered, phrase, with_unit
from sources.charts.table import Column, nice_step, plain

Random = random_module.Random
CLEAR_STEPS = 2  # two values are told apart by eye if they are this many steps apart
STATISTICS = ("box", "violin", "error_bars", "density")
COLUMNS = ("candlestick", "dual_axis", "table", "histogram")


class SeriesView:
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
                low, high = sorted((first, second), key=lambda entry: entry[1])
                return high, low
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

    def to_places(self, places: int) -> str:
        """The sentence on how a result is rounded."""
        return phrase("rounded", self.language, places=phrase(f"places_{places}", self.language))
