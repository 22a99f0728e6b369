"""Data of points in the plane: scatter, with groups or a trend line, and bubbles."""

import random as random_module
from decimal import Decimal

from sources.charts.axis import Axis, axis_around
from sources.charts.chart import PointsChart
from sources.charts.style import Style
from sources.charts.table import Column, Table, snap
from sources.charts.vocabulary_schema import Relation, Vocabulary, say

Random = random_module.Random
PLOT_SHARE = 0.5  # an axis is at least this share of the picture's side
APART_PX = 14  # points closer than this could not be counted
BUBBLE_APART_PX = 88
TRIES = 60
MARGIN = 0.04  # of the unit square, left free
MAX_SPREAD = 1.9  # standard deviations: large bubbles are spread over the whole axis
SPREAD = 0.24  # standard deviation in the unit square
GROUPS = {"en": ("Group A", "Group B", "Group C"), "zh": ("甲组", "乙组", "丙组")}


def points_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> PointsChart:
    """A scatter, bubble or trend-line chart."""
    relation = random.choice(vocabulary.relations)
    is_bubble = kind == "bubble"
    wanted = random.randint(5, 8) if is_bubble else random.randint(12, 30)
    places = _places(relation, wanted, style, BUBBLE_APART_PX if is_bubble else APART_PX, random)
    count = len(places)
    margin = 0.12 if is_bubble else 0.04  # room for the circles
    x_axis = _axis(say(relation.x, language), say(relation.x_unit, language), relation.x_low, relation.x_high, margin)
    y_axis = _axis(say(relation.y, language), say(relation.y_unit, language), relation.y_low, relation.y_high, margin)
    x_step, y_step = x_axis.step(style.width_px * PLOT_SHARE), y_axis.step(style.height_px * PLOT_SHARE)
    x = [snap(relation.x_low + u * (relation.x_high - relation.x_low), x_step) for u, _ in places]
    y = [snap(relation.y_low + v * (relation.y_high - relation.y_low), y_step) for _, v in places]
    columns = [
        Column(say(relation.x, language), tuple(x), say(relation.x_unit, language), x_step),
        Column(say(relation.y, language), tuple(y), say(relation.y_unit, language), y_step),
    ]
    if is_bubble:
        sizes = random.sample(range(10, 100), count)
        columns.append(Column({"en": "Size", "zh": "规模"}[language], tuple(snap(size, Decimal(1)) for size in sizes)))
    elif kind == "scatter" and random.random() < 0.5:
        names = GROUPS[language][: random.randint(2, 3)]
        groups = [names[k % len(names)] for k in range(count)]
        random.shuffle(groups)
        columns.append(Column({"en": "Group", "zh": "组别"}[language], tuple(groups)))
    return PointsChart(
        kind=kind, language=language, title=say(relation.title, language), table=Table(tuple(columns)), style=style,
        exact=False, x_axis=x_axis, y_axis=y_axis, things=say(relation.things, language),
        trend=_least_squares([float(v) for v in x], [float(v) for v in y]) if kind == "trend_line" else None,
    )  # fmt: skip


def _axis(name: str, unit: str, low: float, high: float, margin: float) -> Axis:
    title = f"{name} ({unit})" if unit else name
    start = low - (high - low) * margin
    if low >= 0:  # the axis of what cannot be negative does not begin below zero
        start = max(0.0, start)
    return axis_around(title, [start, high + (high - low) * margin], from_zero=False)


def _places(relation: Relation, count: int, style: Style, apart_px: float, random: Random) -> list[tuple[float, float]]:
    """At most `count` points in the unit square with the relation's correlation, apart from each other, by x."""
    places: list[tuple[float, float]] = []
    width, height = style.width_px * PLOT_SHARE, style.height_px * PLOT_SHARE
    for _ in range(count * TRIES):
        if len(places) == count:
            break
        first = random.uniform(-MAX_SPREAD, MAX_SPREAD) if apart_px > APART_PX else random.gauss(0, 1)
        second = random.gauss(0, 1)
        other = relation.correlation * first + (1 - relation.correlation**2) ** 0.5 * second
        u, v = 0.5 + first * SPREAD, 0.5 + other * SPREAD
        if not (MARGIN <= u <= 1 - MARGIN and MARGIN <= v <= 1 - MARGIN):
            continue
        if all(((u - a) * width) ** 2 + ((v - b) * height) ** 2 >= apart_px**2 for a, b in places):
            places.append((u, v))
    return sorted(places)


def _least_squares(x: list[float], y: list[float]) -> tuple[float, float]:
    """Slope and intercept of the line with the least squared error in y."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - mean_x) ** 2 for a in x)
    if spread == 0:
        raise ValueError("a trend line needs points with different x")
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return slope, mean_y - slope * mean_x
