"""Axes: round limits and ticks, and the finest step that their pixels can show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sources.charts.table import exponent, nice_step

MIN_STEP_PX = 2.0  # least distance in the picture of values that differ by one step


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear or logarithmic axis.

    Args:
        title: name and unit of the quantity.
        low, high: limits.
        ticks: positions of the labels, inside the limits.
    """

    title: str
    low: Decimal
    high: Decimal
    ticks: tuple[Decimal, ...]
    is_log: bool = False

    @property
    def span(self) -> Decimal:
        return self.high - self.low

    def share(self, value: Decimal) -> float:
        """Return the place of a value along the axis, from 0 to 1."""
        if self.is_log:
            return math.log10(value / self.low) / math.log10(self.high / self.low)
        return float((value - self.low) / self.span)

    def step(self, length_px: float) -> Decimal:
        """Return the finest round step that is at least two pixels long on an axis of `length_px`."""
        tick = self.ticks[1] - self.ticks[0]
        step = nice_step(float(self.span) * MIN_STEP_PX / length_px)
        return step if step < tick and tick % step == 0 else tick


def make_axis(title: str, values: Sequence[float], *, from_zero: bool, headroom: float = 0.0) -> Axis:
    """Return an axis with four to seven round ticks that includes all values.

    Args:
        from_zero: include zero, as bars and areas need.
        headroom: fraction of the span that is free above the largest value (below the smallest, if that is negative).
    Raises:
        ValueError: there are no values, or they are not finite.
    """
    if not values:
        raise ValueError("an axis needs at least one value")
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - 1, high + 1
    margin = (high - low) * headroom
    high += margin if high > 0 or not from_zero else 0.0
    if low >= 0:  # a quantity that is never negative needs no axis below zero
        low = max(0.0, low if from_zero else low - margin)
    else:
        low -= margin
    step = nice_step((high - low) / 6)
    first = (Decimal(repr(float(low))) / step).to_integral_value(ROUND_FLOOR)
    last = (Decimal(repr(float(high))) / step).to_integral_value(ROUND_CEILING)
    places = Decimal(1).scaleb(min(0, exponent(step)))
    ticks = tuple((k * step).quantize(places) + 0 for k in range(int(first), int(last) + 1))
    return Axis(title=title, low=ticks[0], high=ticks[-1], ticks=ticks)


def make_log_axis(title: str, values: Sequence[float], *, headroom: float = 0.0) -> Axis:
    """Return a logarithmic axis with a tick at every power of ten, at least two decades long.

    Args:
        headroom: least fraction of a decade that is free above the largest value.
    Raises:
        ValueError: there are no values, or they are not positive.
    """
    if not values or min(values) <= 0:
        raise ValueError("a logarithmic axis needs positive values")
    first = math.floor(math.log10(min(values)))
    last = max(math.ceil(math.log10(max(values)) + headroom), first + 2)
    ticks = tuple(Decimal(f"{Decimal(1).scaleb(power):f}") for power in range(first, last + 1))
    return Axis(title=title, low=ticks[0], high=ticks[-1], ticks=ticks, is_log=True)
