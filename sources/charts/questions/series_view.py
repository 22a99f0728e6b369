"""View of a table of numbers along named rows for its questions: which values can be distinguished, and their names."""

import random as random_module
from decimal import Decimal

from sources.charts.chart import Chart, SeriesChart
from sources.charts.noun import degree_slots
from sources.charts.questions.question import fill_phrase, format_with_unit
from sources.charts.schema.texts import lower_first
from sources.charts.table import Column, format_value, nice_step

Random = random_module.Random
CLEAR_STEPS = 2  # least difference of values that can be distinguished by eye, in steps
CLEAR_RATIO = Decimal("1.3")  # least ratio of values that can be distinguished along a logarithmic axis
LOG_FACTORS = tuple(map(Decimal, ("0.01", "0.1", "10", "100")))
STATISTICS = ("box", "violin", "error_bars", "density")
OF_THE = ("standard deviation", "lower quartile", "upper quartile")  # statistics that need `of the` before the quantity
COLUMNS = ("candlestick", "dual_axis", "table", "histogram")


class SeriesView:
    """View of one chart for its questions."""

    def __init__(self, chart: Chart, random: Random | None = None, *, measure: str = "", over_time: bool = False):
        self.chart = chart
        self.language = chart.language
        self.measure = measure
        self.over_time = over_time
        self.random = random or random_module.Random(0)
        self.rows = [format_value(value) for value in chart.table.rows.values]
        self.noun = chart.row_noun
        self.series = chart.table.series

    def sample_column(self) -> Column:
        """Choose a column."""
        return self.random.choice(self.series)

    def describe_column(self, column: Column) -> str:
        """Return words for the numbers of a column."""
        if self.chart.kind in COLUMNS:
            name = "column"
        elif self.chart.kind in STATISTICS:
            name = "statistic"
        else:
            name = "single" if len(self.series) == 1 else "of"
        series = lower_first(column.asked or column.name) if name in ("column", "statistic") else column.name
        if series in OF_THE:
            name = "statistic_of"
        preposition = self.chart.series_noun.preposition if self.chart.series_noun else "of"
        return fill_phrase(
            name, self.language, measure=lower_first(self.measure), series=series, preposition=preposition
        )

    def describe_row(self, row: str) -> str:
        """Return words for a row: `in May`, `of wheat`."""
        return f"{self.noun.preposition} {row}" if self.language == "en" else f"{row}{self.noun.after}"

    def slots(self, column: Column, **rows: str) -> dict[str, str]:
        """Return the slots that templates about a column may use.

        Args:
            rows: names of rows, each for a slot of its own (`a`) and one with its preposition (`at_a`).
        """
        what = self.describe_column(column)
        of_what = what if self._has_possessive else f"的{what}"  # Chinese: 8月的降水量, 8月海岛的降水量
        slots = {
            "what": what, "of_what": of_what, "noun": self.noun.name, "nouns": self.noun.plural,
            "counter": self.noun.counter, "in": self.noun.preposition,
            "In": self.noun.preposition.capitalize(), "count": str(len(self.known_values(column))),
            **degree_slots(column.degree, self.language),
        }  # fmt: skip
        for name, row in rows.items():
            at = self.describe_row(row)
            slots |= {name: row, f"at_{name}": at}
            slots[f"what_at_{name}"] = f"{what} {at}" if self.language == "en" else f"{at}{of_what}"
        if "b" in rows:
            is_named = self.noun.preposition.endswith(self.noun.name)  # in the bin
            slots["at_both"] = f"{self.noun.preposition}{'s' if is_named else ''} {rows['a']} and {rows['b']}"
        return slots

    @property
    def _has_possessive(self) -> bool:
        """True if the words for a column begin with the name of a series."""
        return self.chart.kind not in (*COLUMNS, *STATISTICS) and len(self.series) > 1

    def is_additive(self, column: Column) -> bool:
        """Return True if a total of the column makes sense."""
        if isinstance(self.chart, SeriesChart):
            return self.chart.additive and (self.chart.kind != "dual_axis" or column is self.series[0])
        return self.chart.kind == "histogram" or (self.chart.kind == "table" and column.step == 1)

    def known_values(self, column: Column) -> list[tuple[str, Decimal]]:
        """Return (row, value) of every value that is not missing."""
        return [(row, value) for row, value in zip(self.rows, column.values, strict=True) if isinstance(value, Decimal)]

    def sample_pair(self, column: Column) -> tuple[tuple[str, Decimal], tuple[str, Decimal]] | None:
        """Choose two rows whose values can be distinguished, the larger first."""
        known = self.known_values(column)
        for _ in range(8):
            first, second = self.random.sample(known, 2)
            if self.can_distinguish(column, first[1], second[1]):
                low, high = sorted((first, second), key=lambda entry: entry[1])
                return high, low
        return None

    def can_distinguish(self, column: Column, a: Decimal, b: Decimal) -> bool:
        """Return True if two values can be distinguished in the picture."""
        if column.one_digit:
            return max(a, b) >= CLEAR_RATIO * min(a, b)
        return abs(a - b) >= (column.step if self.chart.exact else CLEAR_STEPS * column.step)

    def step_note(self, column: Column, num_values: int = 1) -> str:
        """Return a sentence on the precision of values; empty if they are printed."""
        if self.chart.exact:
            return ""
        if column.one_digit:
            return fill_phrase("to_digit", self.language)
        step, tolerance = format_value(column.step), format_value(column.step * num_values)
        return fill_phrase("to_step", self.language, step=step, tolerance=tolerance)

    def format_answer(self, value: Decimal, column: Column) -> str:
        """Return a number with the unit of the column."""
        return format_with_unit(value, column.unit, self.language)

    def format_difference(self, value: Decimal, column: Column) -> str:
        """Return a difference of two values with its unit; percentages differ by percentage points."""
        return format_with_unit(value, self._unit_of_difference(column), self.language)

    def _unit_of_difference(self, column: Column) -> str:
        return fill_phrase("points", self.language) if column.unit == "%" else column.unit

    def alternatives(self, value: Decimal, column: Column, *, difference: bool = False) -> tuple[str, ...]:
        """Return other numbers for multiple choice that can be distinguished from the value."""
        unit = self._unit_of_difference(column) if difference else column.unit
        if column.one_digit:
            others = [Decimal(int(value * factor)) for factor in LOG_FACTORS if value * factor >= 1]
            return tuple(format_with_unit(other, unit, self.language) for other in others)
        away = max(column.step * 4, nice_step(float(abs(value)) * 0.08) if value else column.step)
        return tuple(
            format_with_unit(value + k * away, unit, self.language)
            for k in (-3, -2, -1, 1, 2, 3)
            if value < 0 or value + k * away > 0
        )

    def sample_limit(self, column: Column) -> Decimal | None:
        """Return a round number that is not near any value, None if there is none."""
        values = [value for _, value in self.known_values(column)]
        low, high = min(values), max(values)
        if low == high:
            return None
        if column.one_digit:
            return self._sample_power(column, values)
        step = max(nice_step(float(high - low) / 8), column.step)
        candidates = [k * step for k in range(int(low / step) + 1, int(high / step) + 1)]
        clear = [
            limit for limit in candidates
            if low < limit < high and all(self.can_distinguish(column, limit, value) for value in values)
        ]  # fmt: skip
        return self.random.choice(clear) if clear else None

    def _sample_power(self, column: Column, values: list[Decimal]) -> Decimal | None:
        """Return 1, 2 or 5 times a power of ten among values of a logarithmic axis, not near any of them."""
        powers = range(min(values).adjusted(), max(values).adjusted() + 1)
        candidates = [Decimal(factor * 10**power) for power in powers for factor in (1, 2, 5)]
        clear = [
            limit for limit in candidates
            if min(values) < limit < max(values)
            and all(self.can_distinguish(column, limit, value) for value in values)
        ]  # fmt: skip
        return self.random.choice(clear) if clear else None

    def places_note(self, places: int) -> str:
        """Return a sentence on the rounding of a result."""
        return fill_phrase("rounded", self.language, places=fill_phrase(f"places_{places}", self.language))
