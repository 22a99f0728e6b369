"""Data of points in the plane: scatter charts, with groups or a trend line, and bubble charts."""

import random as random_module
from decimal import Decimal

from sources.charts.axis import Axis, make_axis
from sources.charts.chart import PointsChart
from sources.charts.schema.quantities import Relation
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, snap
from sources.charts.titles import placed_title

Random = random_module.Random
PLOT_SHARE = 0.5  # least length of an axis, as a fraction of the side of the picture
MIN_DISTANCE_PX = 14  # points that are closer cannot be counted
MIN_BUBBLE_DISTANCE_PX = 88
TRIES = 60
MARGIN = 0.04  # of the unit square
MAX_SPREAD = 1.9  # standard deviations; bubbles are spread evenly, as they are large
SPREAD = 0.24  # standard deviation in the unit square
GROUPS = {"en": ("Group A", "Group B", "Group C"), "zh": ("甲组", "乙组", "丙组")}


def points_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> PointsChart:
    """Make a scatter, bubble or trend-line chart."""
    relation = random.choice(vocabulary.relations)
    is_bubble = kind == "bubble"
    max_count = random.randint(5, 8) if is_bubble else random.randint(12, 30)
    places = _sample_places(
        relation, max_count, style, MIN_BUBBLE_DISTANCE_PX if is_bubble else MIN_DISTANCE_PX, random
    )
    count = len(places)
    margin = 0.12 if is_bubble else 0.04  # for the radius of the bubbles
    x_axis = _axis(
        localize(relation.x, language), localize(relation.x_unit, language), relation.x_low, relation.x_high, margin
    )
    y_axis = _axis(
        localize(relation.y, language), localize(relation.y_unit, language), relation.y_low, relation.y_high, margin
    )
    x_step, y_step = x_axis.step(style.width_px * PLOT_SHARE), y_axis.step(style.height_px * PLOT_SHARE)
    x = [snap(relation.x_low + u * (relation.x_high - relation.x_low), x_step) for u, _ in places]
    y = [snap(relation.y_low + v * (relation.y_high - relation.y_low), y_step) for _, v in places]
    columns = [
        Column(localize(relation.x, language), tuple(x), localize(relation.x_unit, language), x_step),
        Column(localize(relation.y, language), tuple(y), localize(relation.y_unit, language), y_step),
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
        kind=kind, language=language, title=placed_title(relation.title, relation.where, vocabulary, language, random),
        table=Table(tuple(columns)),
        style=style, exact=False, x_axis=x_axis, y_axis=y_axis, things=localize(relation.things, language),
        trend=_least_squares([float(v) for v in x], [float(v) for v in y]) if kind == "trend_line" else None,
    )  # fmt: skip


def _axis(name: str, unit: str, low: float, high: float, margin: float) -> Axis:
    title = f"{name} ({unit})" if unit else name
    start = low - (high - low) * margin
    if low >= 0:  # a quantity that is never negative needs no axis below zero
        start = max(0.0, start)
    return make_axis(title, [start, high + (high - low) * margin], from_zero=False)


def _sample_places(
    relation: Relation, count: int, style: Style, min_distance_px: float, random: Random
) -> list[tuple[float, float]]:
    """Return at most `count` points in the unit square, sorted by x.

    They have the correlation of the relation and a least distance in the picture.
    """
    places: list[tuple[float, float]] = []
    width, height = style.width_px * PLOT_SHARE, style.height_px * PLOT_SHARE
    for _ in range(count * TRIES):
        if len(places) == count:
            break
        first = random.uniform(-MAX_SPREAD, MAX_SPREAD) if min_distance_px > MIN_DISTANCE_PX else random.gauss(0, 1)
        second = random.gauss(0, 1)
        other = relation.correlation * first + (1 - relation.correlation**2) ** 0.5 * second
        u, v = 0.5 + first * SPREAD, 0.5 + other * SPREAD
        if not (MARGIN <= u <= 1 - MARGIN and MARGIN <= v <= 1 - MARGIN):
            continue
        if all(((u - a) * width) ** 2 + ((v - b) * height) ** 2 >= min_distance_px**2 for a, b in places):
            places.append((u, v))
    return sorted(places)


def _least_squares(x: list[float], y: list[float]) -> tuple[float, float]:
    """Return slope and intercept of the line with the least squared error in y."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - mean_x) ** 2 for a in x)
    if spread == 0:
        raise ValueError("a trend line needs points with different x")
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return slope, mean_y - slope * mean_x
