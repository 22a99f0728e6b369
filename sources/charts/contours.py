"""Data of contour charts: a quantity over the plane, shown as bands between levels."""

import itertools
import math
import random as random_module
from decimal import Decimal

from sources.charts.axis import Axis, make_axis
from sources.charts.chart import ContourChart
from sources.charts.schema.quantities import Field
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table

Random = random_module.Random
STEPS = 4  # grid points per tick
CLEAR_SHARE = 0.2  # least distance of the table's values from the levels, as a fraction of a band


def contour_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> ContourChart:
    """Make a contour chart of smooth hills; its table gives the band at each crossing of grid lines."""
    field = random.choice(vocabulary.fields)
    x_axis = _axis(localize(field.x, language), localize(field.x_unit, language), field.x_high)
    y_axis = _axis(localize(field.y, language), localize(field.y_unit, language), field.y_high)
    unit, measure = localize(field.unit, language), localize(field.measure, language)
    levels = make_axis(measure, [field.low, field.high], from_zero=False).ticks
    x, y = _grid(x_axis), _grid(y_axis)
    z = _hills(x, y, field, random)
    band = float(levels[1] - levels[0])
    for j in range(STEPS, len(y) - 1, STEPS):
        for i in range(STEPS, len(x) - 1, STEPS):
            z[j][i] = _avoid_levels(z[j][i], float(levels[0]), band)
    inner_x = range(STEPS, len(x) - 1, STEPS)
    inner_y = range(STEPS, len(y) - 1, STEPS)
    columns = [Column(f"{y_axis.title} \\ {x_axis.title}", tuple(f"{y_axis.ticks[j // STEPS]:f}" for j in inner_y))]
    for i in inner_x:
        bands = tuple(_band(z[j][i], levels) for j in inner_y)
        columns.append(Column(f"{x_axis.ticks[i // STEPS]:f}", bands))
    return ContourChart(
        kind=kind, language=language, title=f"{localize(field.title, language)} ({unit})", table=Table(tuple(columns)),
        style=style, exact=True, measure=measure, unit=unit, x_axis=x_axis, y_axis=y_axis, x=tuple(x), y=tuple(y),
        z=tuple(tuple(round(value, 3) for value in row) for row in z), levels=levels,
    )  # fmt: skip


def _axis(name: str, unit: str, high: float) -> Axis:
    return make_axis(f"{name} ({unit})", [0.0, high], from_zero=True)


def _grid(axis: Axis) -> list[float]:
    count = STEPS * (len(axis.ticks) - 1)
    return [float(axis.low) + float(axis.span) * k / count for k in range(count + 1)]


def _hills(x: list[float], y: list[float], field: Field, random: Random) -> list[list[float]]:
    """Return (len(y), len(x)) values that cover most of the range of the field."""
    width, height = x[-1] - x[0], y[-1] - y[0]
    hills = [
        (random.uniform(0.1, 0.9), random.uniform(0.1, 0.9), random.uniform(0.2, 0.45), random.choice((-1, 1)))
        for _ in range(random.randint(2, 4))
    ]
    raw = [
        [
            sum(
                sign * math.exp(-((((a / width) - u) ** 2 + ((b / height) - v) ** 2) / (2 * size**2)))
                for u, v, size, sign in hills
            )
            for a in x
        ]
        for b in y
    ]
    low, high = min(map(min, raw)), max(map(max, raw))
    inner_low, inner_high = field.low + 0.03 * (field.high - field.low), field.high - 0.03 * (field.high - field.low)
    return [[inner_low + (inner_high - inner_low) * (value - low) / (high - low) for value in row] for row in raw]


def _avoid_levels(value: float, low: float, band: float) -> float:
    """Move a value away from the levels so that its band is clear."""
    whole, part = divmod((value - low) / band, 1)
    return low + (whole + min(1 - CLEAR_SHARE, max(CLEAR_SHARE, part))) * band


def _band(value: float, levels: tuple[Decimal, ...]) -> str:
    low, high = next((a, b) for a, b in itertools.pairwise(levels) if float(a) <= value <= float(b))
    return f"{low:f}–{high:f}"
