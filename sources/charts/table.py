"""The data table of a chart: exact numbers, and their form in Markdown, CSV and answers."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

Value = str | Decimal | date | None
MISSING = "-"
MAX_ROWS = 200  # more rows are illegible in a picture of a thousand pixels
MAX_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: header, in the language of the chart.
        values: values of one type: text, exact numbers or dates; None if missing.
        unit: unit of numbers, or empty.
        step: numbers are multiples of this, the precision with which they can be read from labels or pixels.
        asked: what questions call it, if not the name.
        degree: words for more and less of it, one of `noun.DEGREES`.
        one_digit: numbers are read from a logarithmic axis, to one significant digit.
    """

    name: str
    values: tuple[Value, ...]
    unit: str = ""
    step: Decimal = Decimal(1)
    asked: str = ""
    degree: str = "high"
    one_digit: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a column needs a name")
        for value in self.values:
            if isinstance(value, Decimal) and not value.is_finite():
                raise ValueError(f"the column {self.name!r} holds {value}; expected finite numbers")

    @property
    def is_numeric(self) -> bool:
        return any(isinstance(value, Decimal) for value in self.values)

    def numbers(self) -> list[Decimal]:
        """Return the values that are not missing."""
        return [value for value in self.values if isinstance(value, Decimal)]

    def header(self) -> str:
        """Return the name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; the first contains the names of the rows."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        lengths = {len(column.values) for column in self.columns}
        if len(lengths) != 1 or lengths == {0}:
            raise ValueError(f"a table needs columns of one length above 0, got {sorted(lengths)}")
        if lengths.pop() > MAX_ROWS or len(self.columns) > MAX_COLUMNS:
            shape = f"{len(self.columns[0].values)} rows and {len(self.columns)} columns"
            raise ValueError(f"a table of {shape} cannot be read; expected at most {MAX_ROWS} and {MAX_COLUMNS}")
        names = [column.header() for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError(f"the columns {names} do not all have different names")

    def __len__(self) -> int:
        return len(self.columns[0].values)

    @property
    def rows(self) -> Column:
        """The column with the names of the rows."""
        return self.columns[0]

    @property
    def series(self) -> list[Column]:
        """The columns of numbers."""
        return [column for column in self.columns[1:] if column.is_numeric]

    def cells(self) -> list[list[str]]:
        """Return all rows as text."""
        return [
            [format_value(value) for value in row]
            for row in zip(*(column.values for column in self.columns), strict=True)
        ]

    def markdown(self) -> str:
        """Return a pipe table; pipes inside cells are escaped."""
        lines = [[column.header() for column in self.columns], ["---"] * len(self.columns), *self.cells()]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def csv(self) -> str:
        """Return comma-separated values with a header; fields with commas or quotes are quoted."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([column.header() for column in self.columns])
        writer.writerows(self.cells())
        return buffer.getvalue().rstrip("\n")


def format_value(value: Value) -> str:
    """Return a value as text: numbers without exponent and grouping, a missing value as `-`."""
    if value is None:
        return MISSING
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value


def format_grouped(value: Decimal) -> str:
    """Return a number with commas between thousands."""
    return f"{value:,f}"


def snap(value: float, step: Decimal) -> Decimal:
    """Return the multiple of `step` nearest to a value, with the decimals of `step`.

    Raises:
        ValueError: the value is not finite.
    """
    exact = Decimal(repr(float(value)))
    if not exact.is_finite():
        raise ValueError(f"expected finite data, got {value}")
    multiple = (exact / step).to_integral_value(ROUND_HALF_EVEN) * step
    # Quantized, so that 0.10 keeps its zero; adding 0 turns -0 into 0.
    return multiple.quantize(Decimal(1).scaleb(min(0, exponent(step)))) + 0


def round_digits(value: float, digits: int) -> Decimal:
    """Return a positive number rounded to significant digits, and to an integer."""
    power = max(0, Decimal(repr(value)).adjusted() - digits + 1)
    return Decimal(f"{max(Decimal(1), snap(value, Decimal(1).scaleb(power))):f}")


def exponent(number: Decimal) -> int:
    """Return the power of ten of the last digit of a number: -2 for 0.25."""
    power = number.as_tuple().exponent
    assert isinstance(power, int)
    return power


def nice_step(at_least: float, factors: Sequence[int] = (1, 2, 5)) -> Decimal:
    """Return the smallest number that is 1, 2 or 5 times a power of ten and not below `at_least`."""
    if not at_least > 0:
        raise ValueError(f"a step must be positive, got {at_least}")
    power = Decimal(1).scaleb(Decimal(repr(at_least)).adjusted())
    candidates = [*(power * factor for factor in factors), power.scaleb(1)]
    return Decimal(f"{next(c for c in candidates if float(c) >= at_least * (1 - 1e-9)):f}")
