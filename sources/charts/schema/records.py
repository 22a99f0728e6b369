"""Entries about tables of records."""

from dataclasses import dataclass
from datetime import date

from sources.charts.schema.quantities import NamedList
from sources.charts.schema.texts import Entry, Text, check_decimals, check_degree, check_range, check_texts


@dataclass(frozen=True, kw_only=True)
class RecordColumn(Entry):
    """A column of a table: numbers from low to high, one of some choices, or dates between two.

    Args:
        asked: what questions call it, if that is not its header: `number of goals`.
        degree: words for more and less of it, one of DEGREES.
    """

    name: Text
    unit: Text = ("", "")
    low: float | None = None
    high: float | None = None
    decimals: int = 0
    choices: tuple[Text, ...] = ()
    dates: tuple[date, date] | None = None
    asked: Text | None = None
    degree: str = "high"

    def __post_init__(self) -> None:
        check_degree(self.degree)
        if (self.low is not None and self.high is not None) + bool(self.choices) + (self.dates is not None) != 1:
            raise ValueError("a column has either low and high, or choices, or dates")
        if self.low is not None and self.high is not None:
            check_range(self.low, self.high)
            check_decimals(self.decimals, self.low, self.high)
        if self.choices:
            check_texts(self.choices, "choices", 2)
        if self.dates and self.dates[0] >= self.dates[1]:
            raise ValueError(f"dates must be an earlier and a later one, got {self.dates[0]} and {self.dates[1]}")


@dataclass(frozen=True, kw_only=True)
class Record(Entry):
    """A table of several columns."""

    title: Text
    rows: NamedList
    columns: tuple[RecordColumn, ...]

    def __post_init__(self) -> None:
        if sum(column.low is not None for column in self.columns) < 2:
            raise ValueError("a table needs at least two columns of numbers")
