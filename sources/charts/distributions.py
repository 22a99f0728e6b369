"""Data of repeated measurements: histogram, density, box, violin, error bars."""

import itertools
import math
import random as random_module
import statistics
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from sources.charts.axis import Axis, make_axis
from sources.charts.chart import DistributionChart
from sources.charts.noun import Noun
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, Value, snap

Random = random_module.Random
PLOT_SHARE = 0.5  # least length of an axis, as a fraction of the side of the picture
# Margin around the measurements as a fraction of their range: tails of curves, distance of whiskers from the frame.
MARGINS = {"histogram": 0.0, "density": 0.2, "box": 0.04, "violin": 0.04, "error_bars": 0.0}
MAX_BINS = 12
NAMES = {
    "en": {"group": "Group", "min": "Minimum", "q1": "Lower quartile", "median": "Median", "q3": "Upper quartile",
           "max": "Maximum", "mean": "Mean", "error": "Standard deviation", "peak": "Peak", "bin": "Bin",
           "count": "Count"},
    "zh": {"group": "组别", "min": "最小值", "q1": "下四分位数", "median": "中位数", "q3": "上四分位数",
           "max": "最大值", "mean": "平均值", "error": "标准差", "peak": "峰值位置", "bin": "区间", "count": "频数"},
}  # fmt: skip
BINS = {"en": Noun("bin", "bins", preposition="in the bin"), "zh": Noun("区间", "区间", after="区间")}


def distribution_chart(
    kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random
) -> DistributionChart:
    """Make a chart of one of the five kinds."""
    entry = random.choice(vocabulary.samples)
    names = vocabulary.lists[entry.groups]
    count = 1 if kind == "histogram" else random.randint(2, 3) if kind == "density" else random.randint(3, 6)
    chosen = random.sample(range(len(names.items)), min(count, len(names.items)))
    groups = tuple(localize(names.items[k], language) for k in chosen)
    samples = tuple(_measurements(entry.low, entry.high, random) for _ in groups)
    unit, measure = localize(entry.unit, language), localize(entry.measure, language)
    axis_title = f"{measure} ({unit})"
    if kind == "error_bars":
        axis_title += {"en": ", mean ± standard deviation", "zh": "，平均值±标准差"}[language]
    measured = [value for sample in samples for value in sample]
    tails = (max(measured) - min(measured)) * MARGINS[kind]
    ends = (max(min(measured) - tails, 0.0), max(measured) + tails)
    axis = make_axis(axis_title, ends, from_zero=False)
    upright = kind in ("box", "violin", "error_bars")
    step = axis.step((style.height_px if upright else style.width_px) * PLOT_SHARE)
    title, names_of = localize(entry.title, language), NAMES[language]
    if kind == "histogram":
        title = {"en": f"{title}: {groups[0]}", "zh": f"{groups[0]}：{title}"}[language]
        return _histogram(language, title, style, measure, unit, groups, samples, axis)
    columns: list[Column] = [Column(localize(names.noun, language), groups)]
    statistics_of = {"box": _five_numbers, "violin": _three_numbers, "error_bars": _mean_and_error, "density": _peak}
    rows = [statistics_of[kind](sample) for sample in samples]
    for k, key in enumerate(_KEYS[kind]):
        values: list[Value] = [snap(row[k], step) for row in rows]
        columns.append(Column(names_of[key], tuple(values), unit, step, degree="value"))
    return DistributionChart(
        kind=kind, language=language, title=title, table=Table(tuple(columns)), style=style, exact=False,
        measure=measure, unit=unit, groups=groups, samples=samples, axis=axis,
        row_noun=names.named(language),
        absent=tuple(localize(item, language) for k, item in enumerate(names.items) if k not in chosen),
    )  # fmt: skip


_KEYS = {
    "box": ("min", "q1", "median", "q3", "max"),
    "violin": ("min", "median", "max"),
    "error_bars": ("mean", "error"),
    "density": ("peak",),
}


def _measurements(low: float, high: float, random: Random) -> tuple[float, ...]:
    """Sample 40 to 70 measurements of one group, normal or with a long tail to the right."""
    centre, spread = random.uniform(0.3, 0.7), random.uniform(0.07, 0.14)
    has_tail = random.random() < 0.35
    values = []
    for _ in range(random.randint(40, 70)):
        # A gamma variable of shape 4 has the mean 4 and the standard deviation 2.
        z = (random.gammavariate(4, 1) - 4) / 2 if has_tail else random.gauss(0, 1)
        place = centre + spread * z
        values.append(round(low + (high - low) * min(1.0, max(0.0, place)), 2))
    return tuple(values)


def _five_numbers(sample: Sequence[float]) -> tuple[float, ...]:
    q1, median, q3 = statistics.quantiles(sample, n=4, method="inclusive")
    return min(sample), q1, median, q3, max(sample)


def _three_numbers(sample: Sequence[float]) -> tuple[float, ...]:
    return min(sample), statistics.median(sample), max(sample)


def _mean_and_error(sample: Sequence[float]) -> tuple[float, ...]:
    return statistics.fmean(sample), statistics.stdev(sample)


def _peak(sample: Sequence[float]) -> tuple[float, ...]:
    grid = [min(sample) + (max(sample) - min(sample)) * k / 400 for k in range(401)]
    heights = density(sample, grid)
    return (grid[heights.index(max(heights))],)


def density(sample: Sequence[float], grid: Sequence[float]) -> list[float]:
    """Return the Gaussian kernel density at each point of a grid, with Silverman's bandwidth."""
    width = 1.06 * statistics.stdev(sample) * len(sample) ** -0.2
    distances = (np.array(grid)[:, None] - np.array(sample)) / width
    heights = np.exp(-(distances**2) / 2).sum(axis=1) / (len(sample) * width * math.sqrt(2 * math.pi))
    return [float(height) for height in heights]


def _edges(axis: Axis) -> tuple[Decimal, ...]:
    """Return the edges of bins: the ticks, and their midpoints if that gives at most MAX_BINS."""
    if 2 * (len(axis.ticks) - 1) > MAX_BINS:
        return axis.ticks
    width = (axis.ticks[1] - axis.ticks[0]) / 2
    return tuple(axis.low + k * width for k in range(2 * len(axis.ticks) - 1))


def _histogram(
    language: str, title: str, style: Style, measure: str, unit: str, groups: tuple[str, ...],
    samples: tuple[tuple[float, ...], ...], axis: Axis,
) -> DistributionChart:  # fmt: skip
    edges = _edges(axis)
    counts = [0] * (len(edges) - 1)
    for value in samples[0]:
        k = min(len(counts) - 1, int((Decimal(repr(value)) - edges[0]) / (edges[1] - edges[0])))
        counts[k] += 1
    names = NAMES[language]
    bins = tuple(f"{low:f}–{high:f}" for low, high in itertools.pairwise(edges))
    table = Table((Column(measure, bins, unit), Column(names["count"], tuple(map(Decimal, counts)), degree="much")))
    count_axis = make_axis(names["count"], [float(c) for c in counts], from_zero=True, headroom=0.08)
    exact = style.value_labels or count_axis.step(style.height_px * PLOT_SHARE) <= 1
    return DistributionChart(
        kind="histogram", language=language, title=title, table=table, style=style, exact=exact,
        measure=measure, unit=unit, groups=groups, samples=samples, axis=axis, count_axis=count_axis, edges=edges,
        row_noun=BINS[language],
    )  # fmt: skip
