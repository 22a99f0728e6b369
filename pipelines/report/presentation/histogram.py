"""Histograms: bins chosen from a distribution, and their drawing as SVG without any script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from pipelines.report.presentation.numbers import number
from pipelines.report.presentation.statistics import Distribution
from pipelines.tables.bounds import Bound

NUM_BINS = 40
TAILS = 0.005  # share of the samples at each end that may be drawn as one bar beyond the axis
SKEW = 30  # an axis is logarithmic if the 99.5 % quantile is more than this many times the median
PARTS = ("kept", "here", "elsewhere")
PART_NAMES = ("kept", "rejected by this score's filter", "rejected by other filters")

WIDTH, HEIGHT = 350, 170  # drawn about this large, so that letters keep their size
LEFT, RIGHT, TOP, BOTTOM = 36, 14, 24, 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins:
    """Bars in order along an axis.

    Args:
        edges: B + 1 values; bar k counts values in [edges[k], edges[k + 1]), the last one its upper edge too.
        counts: (3, B) samples kept, rejected here, rejected elsewhere.
        is_log: the axis is logarithmic; bar 0 then holds the values below edges[1], zero among them.
        clipped: whether the first and the last bar also hold values beyond their outer edge.
    """

    edges: Sequence[float]
    counts: np.ndarray
    is_log: bool
    clipped: tuple[bool, bool]

    def position(self, value: float) -> float:
        """Where a value lies along the axis, 0 to 1 if it is on it."""
        num_bins = len(self.edges) - 1
        if self.is_log:
            low, high = self.edges[1], self.edges[-1]
            if value < low:
                return 0.5 / num_bins
            return (1 + (num_bins - 1) * math.log(value / low) / math.log(high / low)) / num_bins
        return (value - self.edges[0]) / (self.edges[-1] - self.edges[0])


def bins(distribution: Distribution, bounds: Sequence[float] = (), num_bins: int = NUM_BINS) -> Bins | None:
    """About `num_bins` bars at most for a distribution; None if it has no values.

    Bounds near the data are brought onto the axis, so that the line they are drawn as is seen.
    """
    low, tail_low, median, tail_high, high = distribution.quantiles((0, TAILS, 0.5, 1 - TAILS, 1), kept_only=False) or (
        0,
        0,
        0,
        0,
        None,
    )
    if high is None:
        return None
    if _wants_log(low, median, tail_high, bounds):
        edges = _log_edges(distribution, tail_high, bounds, num_bins)
        is_log = True
    else:
        is_log = False
        if tail_low == tail_high:  # nearly all samples have the same value: show the others too
            tail_low, tail_high = low, high
        spread = tail_high - tail_low
        first = low if tail_low - low <= spread / 2 else tail_low
        last = high if high - tail_high <= spread / 2 else tail_high
        always = spread == 0 or (low >= 0 and high <= 1)  # a share or a probability
        near = [bound for bound in bounds if always or first - spread / 2 <= bound <= last + spread / 2]
        is_integer = _is_integer(distribution) and all(float(bound).is_integer() for bound in near)
        edges = _linear_edges(min([first, *near]), max([last, *near]), is_integer, num_bins)
    counts = np.array([_binned(part, edges) for part in distribution.parts()])
    return Bins(edges=edges, counts=counts, is_log=is_log, clipped=(low < edges[0], high > edges[-1]))


def _wants_log(low: float, median: float, tail_high: float, bounds: Sequence[float]) -> bool:
    if low < 0 or tail_high <= 0:
        return False
    small = any(0 < bound < tail_high / 40 for bound in bounds)  # it would sit inside the first bar
    return small or (median > 0 and tail_high / median > SKEW)


def _log_edges(distribution: Distribution, high: float, bounds: Sequence[float], num_bins: int) -> list[float]:
    positive = [value for part in distribution.parts() for value in part if value > 0]
    low = min([*positive, *(bound for bound in bounds if bound > 0)])
    first = max(math.floor(math.log10(low)), math.floor(math.log10(high)) - 5)  # six decades at most
    last = math.log10(high) * (1 + 1e-9) + 1e-9
    return [0.0, *np.logspace(first, max(last, first + 0.3), num_bins).tolist()]


def _linear_edges(low: float, high: float, is_integer: bool, num_bins: int) -> list[float]:
    if is_integer and high - low < num_bins:
        margin = 4 if high == low else 0
        return np.arange(math.floor(low) - margin - 0.5, math.ceil(high) + margin + 1).tolist()
    middle = (low + high) / 2
    if high - low <= 1e-6 * abs(middle):  # a single value, or as good as: one bar in the middle
        step = max(abs(middle), 1e-6) / 10
        return [middle + (k - 4.5) * step for k in range(10)]
    step = (high - low) / num_bins
    magnitude = 10 ** math.floor(math.log10(step))
    step = next(magnitude * k for k in (1, 2, 2.5, 5, 10) if magnitude * k >= step * 0.999)
    if is_integer:
        step = max(1, math.ceil(step))
    start, end = math.floor(low / step), math.ceil(high / step * (1 + 1e-12))
    return [_clean(k * step) for k in range(start, max(end, start + 1) + 1)]


def _clean(value: float) -> float:
    """Without the last digits that arithmetic adds, 0.30000000000000004 for 0.3."""
    return float(f"{value:.12g}")


def _is_integer(distribution: Distribution) -> bool:
    return all(value % 1 == 0 and abs(value) < 1e9 for part in distribution.parts() for value in part)


def _binned(part: dict[float, int], edges: Sequence[float]) -> np.ndarray:
    values = np.array(list(part.keys()), float)
    weights = np.array(list(part.values()), np.int64)
    k = np.clip(np.searchsorted(np.array(edges), values, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(k, weights, minlength=len(edges) - 1).astype(np.int64)


def draw(name: str, distribution: Distribution, bounds: Sequence[Bound]) -> Markup:
    """The histogram as an SVG element; colours come from the page's style sheet."""
    shape = bins(distribution, [bound.value for bound in bounds])
    if shape is None:
        return Markup("<p class=none>no sample has this score</p>")
    num_bins = len(shape.edges) - 1
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    top = _nice_ceiling(int(shape.counts.sum(axis=0).max()))
    pieces = [
        Markup('<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, _summary(name, distribution, bounds)
        )
    ]
    for tick in sorted({0, top // 2 if top % 2 == 0 else top, top}):
        y = TOP + height * (1 - tick / top)
        pieces.append(Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(LEFT, y, WIDTH - RIGHT))
        pieces.append(Markup('<text class="tick end" x="{}" y="{:.1f}">{}</text>').format(LEFT - 6, y + 4, short(tick)))
    bar = width / num_bins
    for k in range(num_bins):
        pieces += _bar(shape, k, LEFT + k * bar, bar, height, top)
    for value in _ticks(shape):
        x = LEFT + width * shape.position(value)
        pieces.append(Markup('<text class="tick mid" x="{:.1f}" y="{}">{}</text>').format(x, HEIGHT - 8, short(value)))
    for bound in bounds:
        pieces += _line(bound, shape.position(bound.value), width)
    return Markup("").join([*pieces, Markup("</svg>")])


def _bar(shape: Bins, k: int, x: float, width: float, height: float, top: int) -> list[Markup]:
    counts = shape.counts[:, k].tolist()
    if not any(counts):
        return []
    pieces = [Markup("<g><title>{}</title>").format(_bar_title(shape, k, counts))]
    y = float(TOP + height)
    gap = min(1.0, width * 0.15)
    for name, count in zip(PARTS, counts, strict=True):
        if count:
            tall = max(height * count / top, 1.0)
            y -= tall
            pieces.append(
                Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                    name, x + gap / 2, y, width - gap, tall
                )
            )
    return [*pieces, Markup("</g>")]


def _bar_title(shape: Bins, k: int, counts: Sequence[int]) -> str:
    last = len(shape.edges) - 2
    low, high = number(shape.edges[k]), number(shape.edges[k + 1])
    if (k == 0 and shape.is_log) or (k == 0 and shape.clipped[0]):
        where = f"below {high}"
    elif k == last and shape.clipped[1]:
        where = f"{low} and above"
    elif shape.edges[k + 1] - shape.edges[k] == 1 and shape.edges[k] % 1 == 0.5:
        where = number(shape.edges[k] + 0.5)
    else:
        where = f"{low} to {high}"
    parts = [f"{count:,} {name}" for name, count in zip(PART_NAMES, counts, strict=True) if count]
    return f"{where}: {', '.join(parts)}"


def _line(bound: Bound, position: float, width: float) -> list[Markup]:
    text = f"{bound.side} {number(bound.value)}"
    if not 0 <= position <= 1:  # far from every value: an arrow at the edge
        text = f"← {text}" if position < 0 else f"{text} →"
    x = LEFT + width * min(1.0, max(0.0, position))
    anchor = "end" if x > LEFT + width * 0.75 else "start" if x < LEFT + width * 0.25 else "mid"
    line = Markup('<path class="bound" d="M{:.1f} {}V{}"/>').format(x, TOP - 5, HEIGHT - BOTTOM)
    if not 0 <= position <= 1:
        line = Markup("")
    return [
        line,
        Markup('<text class="bound {}" x="{:.1f}" y="{}">{}</text>').format(anchor, x, TOP - 9, text),
    ]


def _ticks(shape: Bins) -> list[float]:
    low, high = shape.edges[1 if shape.is_log else 0], shape.edges[-1]
    if shape.is_log:
        decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        ticks = [10.0**k for k in decades]
        if len(ticks) < 3:
            ticks = [k * m for k in ticks for m in (1, 3) if k * m <= high]
        return [0.0, *[tick for tick in ticks if shape.position(tick) > 0.06]]
    step = (high - low) / 5
    magnitude = 10 ** math.floor(math.log10(step))
    step = next(magnitude * k for k in (1, 2, 2.5, 5, 10) if magnitude * k >= step * 0.999)
    if low % 1 == 0.5:  # one bar for each integer
        step = max(1, round(step))
    first = math.ceil(low / step - 1e-9)
    return [_clean(k * step) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _nice_ceiling(value: int) -> int:
    magnitude: int = 10 ** max(0, len(str(value)) - 1)
    for k in (1, 2, 4, 6, 8, 10):
        if magnitude * k >= value:
            return magnitude * k
    raise AssertionError(value)


def short(value: float) -> str:
    """A tick's label: `1.5k`, `20M`, `0.05`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _summary(name: str, distribution: Distribution, bounds: Sequence[Bound]) -> str:
    low, median, high = distribution.quantiles((0, 0.5, 1), kept_only=False) or (0, 0, 0)
    counts = ", ".join(
        f"{part.total():,} {label}" for part, label in zip(distribution.parts(), PART_NAMES, strict=True)
    )
    limits = "".join(f"; {bound.side}imum allowed {number(bound.value)}" for bound in bounds)
    values = f"from {number(low)} to {number(high)}, median {number(median)}"
    return f"Histogram of {name}: {counts}; {values}{limits}"


def sparkline(distribution: Distribution, num_bars: int = 16) -> str:
    """Kept samples as a row of block characters; empty without values."""
    kept = Distribution(kept=distribution.kept)
    shape = bins(kept, num_bins=num_bars)
    if shape is None:
        return ""
    levels = np.ceil(8 * shape.counts[0] / shape.counts[0].max()).astype(int)
    return "".join(" ▁▂▃▄▅▆▇█"[level] for level in levels).replace(" ", "\u2007")
