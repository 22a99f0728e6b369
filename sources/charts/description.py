"""Descriptions: what a chart shows in a few sentences, from its table alone."""

import statistics
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sources.charts.chart import Chart, GraphChart, PointsChart, RecordsChart, ScheduleChart, SeriesChart
from sources.charts.questions.points import STRONG
from sources.charts.questions.question import lowered, templates, with_unit
from sources.charts.questions.reading import SeriesView
from sources.charts.table import Column, plain
from sources.charts.vocabulary_schema import say

MAX_NAMES = 8  # listed; a table has the rest
MAX_COLUMNS = 4  # of numbers, told about


def describe(chart: Chart) -> str:
    """A paragraph in the chart's language."""
    kind = say(_pair("kinds", chart.kind), chart.language)
    return _say(chart, "intro", kind=kind, title=chart.title) + _BODIES[chart.family](chart)


def _series(chart: Any) -> str:
    is_series = isinstance(chart, SeriesChart)
    measure = "" if isinstance(chart, RecordsChart) else chart.measure
    reading = SeriesView(chart, measure=measure, over_time=is_series and chart.over_time)
    text = _say(chart, "rows", count=str(len(reading.rows)), noun=reading.noun, names=_listed(chart, reading.rows))
    if isinstance(chart, RecordsChart):
        text += _say(chart, "columns", names=_listed(chart, [column.header() for column in chart.table.columns]))
    elif is_series and len(reading.series) > 1:
        names = [column.name for column in reading.series]
        text += _say(chart, "several", count=str(len(names)), names=_listed(chart, names))
    return text + "".join(_column(chart, reading, column) for column in reading.series[:MAX_COLUMNS])


def _column(chart: Chart, reading: SeriesView, column: Column) -> str:
    """Highest, lowest, change and gaps of one series."""
    known = sorted(reading.known(column), key=lambda entry: entry[1])
    (least_row, least), (most_row, most) = known[0], known[-1]
    what = reading.what(column)
    text = ""
    is_clear = reading.differ(column, most, known[-2][1]) and reading.differ(column, known[1][1], least)
    if is_clear and chart.kind != "waterfall":  # whose start and end are no changes
        text = _say(
            chart, "extremes", what=what, at=reading.at(most_row), value=_number(chart, most, column),
            other=reading.at(least_row), least=_number(chart, least, column),
        )  # fmt: skip
    if reading.over_time or chart.kind == "waterfall":
        (first_row, first), (last_row, last) = reading.known(column)[0], reading.known(column)[-1]
        if reading.differ(column, first, last):
            verb = _say(chart, "verb_rises" if last > first else "verb_falls")
            text += _say(
                chart, "change", what=what, a=first_row, b=last_row, verb=verb, first=_number(chart, first, column),
                last=_number(chart, last, column),
            )  # fmt: skip
    gaps = [row for row, value in zip(reading.rows, column.values, strict=True) if value is None]
    return text + "".join(_say(chart, "gap", at=reading.at(row)) for row in gaps)


def _points(chart: PointsChart) -> str:
    x, y = chart.table.columns[:2]
    text = _say(
        chart, "points", count=str(len(chart.table)), x=lowered(x.name), y=lowered(y.name),
        x_low=_number(chart, min(x.numbers()), x), x_high=_number(chart, max(x.numbers()), x),
        y_low=_number(chart, min(y.numbers()), y), y_high=_number(chart, max(y.numbers()), y),
    )  # fmt: skip
    r = statistics.correlation([float(v) for v in x.numbers()], [float(v) for v in y.numbers()])
    if abs(r) >= STRONG:
        verb = _say(chart, "verb_rises" if r > 0 else "verb_falls")
        text += _say(chart, "along", x=lowered(x.name), y=lowered(y.name), verb=verb)
    if chart.group is not None:
        text += _say(chart, "groups", names=_listed(chart, sorted({plain(value) for value in chart.group.values})))
    return text


def _contours(chart: Any) -> str:
    bands = {plain(value) for column in chart.table.columns[1:] for value in column.values}
    lows = [low for low, high in zip(chart.levels, chart.levels[1:], strict=False) if f"{low:f}–{high:f}" in bands]
    width = chart.levels[1] - chart.levels[0]
    return _say(
        chart, "bands", what=lowered(chart.measure), low=with_unit(min(lows), chart.unit, chart.language),
        high=with_unit(max(lows) + width, chart.unit, chart.language),
    )  # fmt: skip


def _schedules(chart: ScheduleChart) -> str:
    rows = chart.table.cells()
    if chart.kind == "timeline":
        return "".join(_say(chart, "event", event=event, year=year) for event, year in rows)
    return "".join(_say(chart, "task", task=task, start=start, end=end) for task, start, end in rows)


def _graphs(chart: GraphChart) -> str:
    text = _say(chart, "nodes", count=str(len(chart.nodes)), names=_listed(chart, chart.nodes))
    for i, j, label in chart.edges:
        shown = _say(chart, "label", label=label) if label else ""
        text += _say(chart, "edge" if chart.directed else "link", a=chart.nodes[i], b=chart.nodes[j], label=shown)
    return text


_BODIES: Mapping[str, Callable[[Any], str]] = {
    "series": _series,
    "distributions": _series,
    "records": _series,
    "points": _points,
    "contours": _contours,
    "schedules": _schedules,
    "graphs": _graphs,
}


def _number(chart: Chart, value: Decimal, column: Column) -> str:
    text = with_unit(value, column.unit, chart.language)
    return text if chart.exact else _say(chart, "about", value=text)


def _listed(chart: Chart, names: Any) -> str:
    shown = list(names)[:MAX_NAMES]
    return _say(chart, "comma").join(shown) + ("…" if len(names) > MAX_NAMES else "")


def _say(chart: Chart, name: str, **slots: str) -> str:
    return say(_pair("descriptions", name), chart.language).format(**slots)


def _pair(section: str, name: str) -> tuple[str, str]:
    pair: Any = templates()[section][name]
    return pair[0], pair[1]
