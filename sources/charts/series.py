"""Data of series along rows: bars, lines, areas, radar, heat maps, small multiples."""

import dataclasses
import math
import random as random_module
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sources.charts.axis import Axis, make_axis, make_log_axis
from sources.charts.chart import SeriesChart
from sources.charts.schema.quantities import NamedList, Topic
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, round_digits, snap
from sources.charts.titles import add_name

Random = random_module.Random
PLOT_SHARE = 0.5  # least length of an axis, as a fraction of the side of the picture
MISSING_SHARE = 0.08  # fraction of charts with a gap, if the kind can show it
SMALL_ROWS = (2, 4)  # of a small picture
DENSE_SHARE = 0.25  # fraction of charts with many rows, of those that can have them
BAR_PITCH, BAR_MARGINS = 1.5, 9.0  # of horizontal bars and around them, in font sizes
MAX_DECADES = 4.5  # of a logarithmic axis, so that its tick marks are two pixels apart
TINY_SHARE = 0.015  # least length of a bar, as a fraction of the axis


@dataclass(frozen=True, slots=True)
class Layout:
    """Limits and properties of a kind.

    Args:
        rows, series: least and greatest number.
        from_zero: the axis begins at zero.
        time: rows must be consecutive in time (True), must not be (False), or either (None).
        additive: only topics whose totals make sense.
        labels: greatest number of values that are printed.
        gaps: missing values are visible.
        horizontal: numbers run along the width of the picture.
        negative: values below zero can be shown.
        dense: greatest number of rows of the charts that have many.
        decades: the axis may be logarithmic.
    """

    rows: tuple[int, int]
    series: tuple[int, int] = (1, 1)
    from_zero: bool = True
    time: bool | None = None
    additive: bool = False
    labels: int = 14
    gaps: bool = False
    horizontal: bool = False
    negative: bool = False
    dense: int = 0
    decades: bool = False


LAYOUTS = {
    "bar": Layout(rows=(4, 10), gaps=True, negative=True),
    "horizontal_bar": Layout(rows=(4, 10), time=False, horizontal=True, negative=True, dense=40),
    "grouped_bar": Layout(rows=(3, 6), series=(2, 3), labels=10, negative=True),
    "stacked_bar": Layout(rows=(3, 7), series=(2, 4), additive=True, labels=16),
    "line": Layout(
        rows=(5, 12), from_zero=False, time=True, labels=9, gaps=True, negative=True, dense=60, decades=True
    ),
    "multi_line": Layout(
        rows=(5, 12),
        series=(2, 4),
        from_zero=False,
        time=True,
        labels=0,
        gaps=True,
        negative=True,
        dense=60,
        decades=True,
    ),
    "step": Layout(rows=(5, 12), from_zero=False, time=True, labels=0, negative=True, dense=60, decades=True),
    "area": Layout(rows=(5, 12), time=True, additive=True, labels=0, dense=60),
    "stacked_area": Layout(rows=(5, 10), series=(2, 4), time=True, additive=True, labels=0),
    "lollipop": Layout(rows=(4, 10), gaps=True, negative=True),
    "radar": Layout(rows=(5, 8), series=(1, 3), time=False, labels=0),
    "dual_axis": Layout(rows=(5, 10), series=(2, 2), time=True, labels=0),
    "small_multiples": Layout(rows=(4, 6), series=(4, 4), time=True, labels=0),
    "heat_map": Layout(rows=(3, 7), series=(3, 6), labels=42),
}


def series_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make a chart of one of LAYOUTS."""
    layout = LAYOUTS[kind]
    topic, rows, columns = _subject(layout, vocabulary, random)
    bounds = _row_bounds(layout, rows, style, random)
    names = _names(rows, bounds, random)
    is_dense = len(names) > layout.rows[1]
    if is_dense:
        style = _dense_style(style, layout, len(names))
    series = _names(columns, layout.series, random) if layout.series[1] > 1 else [0]
    low, high = _range(topic, layout, random)
    raw = [_values(topic, rows.time, len(names), low, high, random) for _ in series]
    if kind == "radar":
        raw = [[low + (high - low) * random.uniform(0.25, 0.98) for _ in names] for _ in series]
    most_labels = layout.dense if layout.horizontal else layout.labels
    exact = kind == "heat_map" or (style.value_labels and 0 < len(names) * len(series) <= most_labels)
    unit, measure = localize(topic.unit, language), localize(topic.measure, language)
    title = f"{measure} ({unit})" if unit else measure
    second_axis = None
    if kind == "dual_axis":
        second, raw[1] = _second(topic, vocabulary, rows, len(names), random)
        second_title = f"{localize(second.measure, language)} ({localize(second.unit, language)})"
        second_axis = make_axis(second_title, raw[1], from_zero=False)
    tops = [sum(column) for column in zip(*raw, strict=True)] if kind.startswith("stacked") else [*raw[0]]
    if kind not in ("dual_axis", "stacked_bar", "stacked_area"):
        tops = [value for column in raw for value in column]
    headroom = 0.08 if exact else 0.03
    if topic.decades:
        axis = make_log_axis(title, tops, headroom=3 * headroom)
    else:
        axis = make_axis(title, tops, from_zero=layout.from_zero, headroom=headroom)
    steps = [
        _step(topic, axis, layout, style, exact, kind) if k == 0 or second_axis is None
        else second_axis.step(style.height_px * PLOT_SHARE)
        for k in range(len(series))
    ]  # fmt: skip
    table_columns = []
    gap = random.random() < MISSING_SHARE and layout.gaps
    for k, (values, step) in enumerate(zip(raw, steps, strict=True)):
        is_first_axis = second_axis is None or k == 0
        exacts: list[Decimal | None] = [
            round_digits(value, 2 if exact else 1) if topic.decades
            else snap(_enlarge_to_visible(value, axis, layout) if is_first_axis else value, step)
            for value in values
        ]  # fmt: skip
        if gap and k == 0 and len(exacts) > 4 and not is_dense:
            exacts[random.randrange(1, len(exacts) - 1)] = None
        name = localize(columns.items[series[k]], language) if layout.series[1] > 1 else measure
        if kind == "dual_axis":
            name = measure if k == 0 else localize(second.measure, language)
        column_unit = localize(second.unit, language) if kind == "dual_axis" and k else unit
        degree = (second if kind == "dual_axis" and k else topic).words
        table_columns.append(
            Column(name, tuple(exacts), column_unit, step, degree=degree, one_digit=topic.decades and not exact)
        )
    subject = localize(topic.title, language)
    if kind == "dual_axis":
        subject = {"en": "{} and {}", "zh": "{}与{}"}[language].format(
            measure, localize(second.measure, language).lower()
        )
    elif kind == "heat_map":  # no axis names the quantity
        subject = f"{subject} – {title}"
    elif layout.series[1] == 1:
        subject = add_name(subject, localize(columns.items[random.randrange(len(columns.items))], language), language)
    first = Column(localize(rows.noun, language), tuple(localize(rows.items[k], language) for k in names))
    return SeriesChart(
        kind=kind, language=language, title=subject, table=Table((first, *table_columns)), style=style, exact=exact,
        measure=measure, unit=unit, axis=axis, second_axis=second_axis, over_time=rows.time, additive=topic.additive,
        every=_label_stride(len(names)) if is_dense and not layout.horizontal else 1,
        row_noun=rows.named(language), series_noun=columns.named(language),
        absent=tuple(localize(item, language) for k, item in enumerate(rows.items) if k not in names),
    )  # fmt: skip


def _subject(layout: Layout, vocabulary: Vocabulary, random: Random) -> tuple[Topic, NamedList, NamedList]:
    """Choose a topic, the list of its rows and the list of its series."""
    choices = []
    for topic in vocabulary.topics:
        if topic.decades and not layout.decades:
            continue
        if (layout.additive and not topic.additive) or (topic.low < 0 and not layout.negative):
            continue
        for rows in (*topic.along, *topic.by):
            for columns in topic.by:
                is_time = vocabulary.lists[rows].time
                differ = rows != columns and vocabulary.can_cross(rows, columns)
                if layout is LAYOUTS["dual_axis"] and not _partners(topic, vocabulary, vocabulary.lists[rows]):
                    continue
                if differ and (layout.time is None or layout.time == is_time):
                    choices.append((topic, vocabulary.lists[rows], vocabulary.lists[columns]))
    if not choices:
        raise ValueError(
            "the vocabulary has no topic for this kind of chart; add one whose lists fit (time, additive, not "
            "negative, for two axes another one of its theme)"
        )
    return random.choice(choices)


def _row_bounds(layout: Layout, rows: NamedList, style: Style, random: Random) -> tuple[int, int]:
    """Choose between few rows and, if the list has enough of them, many."""
    if style.is_small:
        return SMALL_ROWS
    least = 2 * layout.rows[1]
    is_dense = layout.dense > 0 and len(rows.items) >= least and random.random() < DENSE_SHARE
    return (least, layout.dense) if is_dense else layout.rows


def _dense_style(style: Style, layout: Layout, count: int) -> Style:
    """Return a style for many rows: without markers, and high enough for all names at the side."""
    height = round((count * BAR_PITCH + BAR_MARGINS) * style.font_px) if layout.horizontal else style.height_px
    return dataclasses.replace(style, marker="", height_px=max(style.height_px, height))


def _label_stride(count: int) -> int:
    return 5 if count <= 40 else 10


def _names(named: NamedList, bounds: tuple[int, int], random: Random) -> list[int]:
    """Choose indices of a list: consecutive ones for a list in time, else some in random order."""
    count = min(random.randint(*bounds), len(named.items))
    if named.time:
        first = random.randint(0, len(named.items) - count)
        return list(range(first, first + count))
    return random.sample(range(len(named.items)), count)


def _range(topic: Topic, layout: Layout, random: Random) -> tuple[float, float]:
    """Choose the range of the values, a part of the range of the topic, so that charts differ."""
    if topic.low < 0:
        return topic.low, topic.high
    if topic.decades:
        most = min(math.log10(topic.high / topic.low), MAX_DECADES)
        low = topic.low * 10 ** random.uniform(0, math.log10(topic.high / topic.low) - most)
        return low, low * 10 ** max(2.0, most * random.uniform(0.6, 1))
    high = topic.low + (topic.high - topic.low) * random.choice((0.3, 0.6, 1.0))
    return topic.low, high


def _values(topic: Topic, over_time: bool, count: int, low: float, high: float, random: Random) -> list[float]:
    shape = random.choice(topic.shapes) if over_time else "noise"
    if topic.decades:
        return [10**power for power in _GENERATORS[shape](count, math.log10(low), math.log10(high), random)]
    return _GENERATORS[shape](count, low, high, random)


def _growth(count: int, low: float, high: float, random: Random) -> list[float]:
    start, end = random.uniform(0.02, 0.35), random.uniform(0.6, 0.98)
    power = random.choice((0.7, 1, 1, 1.8))
    line = [start + (end - start) * (k / max(1, count - 1)) ** power for k in range(count)]
    return _scale_to_range([value + random.gauss(0, 0.035) for value in line], low, high)


def _decline(count: int, low: float, high: float, random: Random) -> list[float]:
    return _growth(count, low, high, random)[::-1]


def _season(count: int, low: float, high: float, random: Random) -> list[float]:
    phase, size = random.uniform(-0.6, 0.6), random.uniform(0.25, 0.42)
    wave = [0.5 - size * math.cos(2 * math.pi * k / 12 + phase) for k in range(count)]
    return _scale_to_range([value + random.gauss(0, 0.03) for value in wave], low, high)


def _walk(count: int, low: float, high: float, random: Random) -> list[float]:
    place, places = random.uniform(0.25, 0.75), []
    for _ in range(count):
        places.append(place)
        place = abs(place + random.gauss(0, 0.13))  # reflected at both ends
        place = 2 - place if place > 1 else place
    return _scale_to_range(places, low, high)


def _noise(count: int, low: float, high: float, random: Random) -> list[float]:
    places = [min(1.0, random.betavariate(1.6, 2.6)) for _ in range(count)]
    if random.random() < 0.15:  # one outlier
        places[random.randrange(count)] = random.uniform(0.93, 1.0)
    return _scale_to_range(places, low, high)


_GENERATORS = {"growth": _growth, "decline": _decline, "season": _season, "walk": _walk, "noise": _noise}


def _scale_to_range(places: Sequence[float], low: float, high: float) -> list[float]:
    return [low + (high - low) * min(1.0, max(0.0, place)) for place in places]


def _enlarge_to_visible(value: float, axis: Axis, layout: Layout) -> float:
    """Return the value, or the smallest value of its sign whose bar is visible."""
    if not layout.from_zero:
        return value
    least = float(axis.span) * TINY_SHARE
    return math.copysign(max(abs(value), least), value)


def _step(topic: Topic, axis: Axis, layout: Layout, style: Style, exact: bool, kind: str) -> Decimal:
    printed = Decimal(1).scaleb(-topic.decimals)
    if exact or topic.decades:
        return printed
    side = style.width_px if layout.horizontal else style.height_px
    share = {"small_multiples": 0.22, "radar": 0.28}.get(kind, PLOT_SHARE)
    return max(printed, axis.step(side * share))


def _second(
    topic: Topic, vocabulary: Vocabulary, rows: NamedList, count: int, random: Random
) -> tuple[Topic, list[float]]:
    """Choose another topic and its values, for the second axis."""
    second = random.choice(_partners(topic, vocabulary, rows))
    return second, _values(second, rows.time, count, second.low, second.high, random)


def _partners(topic: Topic, vocabulary: Vocabulary, rows: NamedList) -> list[Topic]:
    """Return the topics that may share a chart with two axes: of the same theme and rows, in another unit."""
    return [
        other for other in vocabulary.topics
        if other.measure != topic.measure and other.unit != topic.unit and other.theme == topic.theme
        and any(vocabulary.lists[name] is rows for name in other.along)
    ]  # fmt: skip
