"""Questions about points in the plane."""

import random as random_module
import statistics
from collections.abc import Callable
from decimal import Decimal

from sources.charts.chart import PointsChart
from sources.charts.questions.question import Question, fill_phrase, format_with_unit
from sources.charts.schema.texts import lower_first
from sources.charts.table import Column, format_value, nice_step

Random = random_module.Random
CLEAR_STEPS = 3  # least distance of a limit from every point, in steps
STRONG, WEAK = 0.6, 0.2  # absolute correlations above which there is a clear direction, below which there is none


class Points:
    """View of a points chart for its questions."""

    def __init__(self, chart: PointsChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        self.x, self.y = chart.table.columns[:2]

    def sample_limit(self, column: Column) -> Decimal | None:
        """Return a round number that is not near any point, None if there is none."""
        values = column.numbers()
        low, high = min(values), max(values)
        step = max(nice_step(float(high - low) / 8), column.step)
        candidates = [k * step for k in range(int(low / step) + 1, int(high / step) + 1)]
        clear = [c for c in candidates if all(abs(value - c) >= CLEAR_STEPS * column.step for value in values)]
        return self.random.choice(clear) if clear else None

    def value(self, value: Decimal, column: Column) -> str:
        return format_with_unit(value, column.unit, self.language)

    def step_note(self, column: Column) -> str:
        """Return a sentence on the precision of values."""
        step = format_value(column.step)
        return fill_phrase("to_step", self.language, step=step, tolerance=step)


Writer = Callable[[Points], Question | None]


def count_points(points: Points) -> Question | None:
    count = len(points.chart.table)
    return Question(name="count_points", slots={"things": points.chart.things}, answer=str(count),
                    options=tuple(str(count + k) for k in (-3, -2, -1, 1, 2, 3)))  # fmt: skip


def count_over(points: Points) -> Question | None:
    column = points.random.choice((points.x, points.y))
    limit = points.sample_limit(column)
    if limit is None:
        return None
    count = sum(value > limit for value in column.numbers())
    slots = {"things": points.chart.things, "what": lower_first(column.name), "limit": points.value(limit, column)}
    return Question(name="count_over", slots=slots, answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k >= 0))  # fmt: skip


def largest(points: Points) -> Question | None:
    column = points.random.choice((points.x, points.y))
    value = max(column.numbers())
    return Question(name="largest", slots={"what": lower_first(column.name)}, answer=points.value(value, column),
                    precision=points.step_note(column))  # fmt: skip


def smallest(points: Points) -> Question | None:
    column = points.random.choice((points.x, points.y))
    value = min(column.numbers())
    return Question(name="smallest", slots={"what": lower_first(column.name)}, answer=points.value(value, column),
                    precision=points.step_note(column))  # fmt: skip


def at_largest(points: Points) -> Question | None:
    """Ask for y of the rightmost point, if it is clear."""
    ordered = sorted(zip(points.x.numbers(), points.y.numbers(), strict=True))
    if ordered[-1][0] - ordered[-2][0] < CLEAR_STEPS * points.x.step:
        return None
    slots = {"what": lower_first(points.y.name), "by": lower_first(points.x.name)}
    return Question(name="at_largest", slots=slots, answer=points.value(ordered[-1][1], points.y),
                    precision=points.step_note(points.y))  # fmt: skip


def direction(points: Points) -> Question | None:
    x, y = ([float(value) for value in column.numbers()] for column in (points.x, points.y))
    if len(x) < 10 or len(set(x)) == 1 or len(set(y)) == 1:
        return None
    r = statistics.correlation(x, y)
    if WEAK < abs(r) < STRONG:
        return None
    name = "no_direction" if abs(r) <= WEAK else "rises" if r > 0 else "falls"
    others = ("no_direction", "rises", "falls")
    return Question(
        name="direction", slots={"what": lower_first(points.y.name), "by": lower_first(points.x.name)},
        answer=fill_phrase(name, points.language),
        options=tuple(fill_phrase(other, points.language) for other in others),
    )  # fmt: skip


def slope(points: Points) -> Question | None:
    if points.chart.trend is None:
        return None
    rise = points.chart.trend[0] * float(max(points.x.numbers()) - min(points.x.numbers()))
    if abs(rise) < float(points.chart.y_axis.span) / 20:  # nearly horizontal
        return None
    return Question(name="slope", slots={}, answer=fill_phrase("rises" if rise > 0 else "falls", points.language))


def count_group(points: Points) -> Question | None:
    group = points.chart.group
    if group is None:
        return None
    name = str(points.random.choice(group.values))
    count = group.values.count(name)
    return Question(name="count_group", slots={"group": name}, answer=str(count),
                    options=tuple(str(count + k) for k in (-2, -1, 1, 2) if count + k > 0))  # fmt: skip


def count_groups(points: Points) -> Question | None:
    group = points.chart.group
    if group is None:
        return None
    count = len(set(group.values))
    return Question(name="count_groups", slots={}, answer=str(count), options=("2", "3", "4", "5"))


def largest_size(points: Points) -> Question | None:
    if points.chart.size is None:
        return None
    sizes = points.chart.size.numbers()
    return Question(name="largest_size", slots={}, answer=f"{max(sizes):f}", options=tuple(f"{s:f}" for s in sizes))


def of_size(points: Points) -> Question | None:
    if points.chart.size is None:
        return None
    k = points.random.randrange(len(points.chart.table))
    column = points.random.choice((points.x, points.y))
    slots = {"what": lower_first(column.name), "size": f"{points.chart.size.numbers()[k]:f}"}
    return Question(name="of_size", slots=slots, answer=points.value(column.numbers()[k], column),
                    precision=points.step_note(column))  # fmt: skip


QUESTIONS: dict[str, Writer] = {
    function.__name__: function
    for function in (
        count_points, count_over, largest, smallest, at_largest, direction, slope, count_group, count_groups,
        largest_size, of_size,
    )
}  # fmt: skip
