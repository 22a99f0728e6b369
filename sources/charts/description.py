"""Descriptions of charts in a few sentences, computed from the table alone."""

import statistics
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sources.charts.chart import Chart, GraphChart, PointsChart, RecordsChart, ScheduleChart, SeriesChart
from sources.charts.questions.points import STRONG
from sources.charts.questions.question import format_with_unit, load_templates
from sources.charts.questions.series_view import SeriesView
from sources.charts.schema.texts import localize, lower_first
from sources.charts.table import Column, format_value

MAX_NAMES = 8  # greatest number of names in a list
MAX_COLUMNS = 4  # greatest number of described columns


def describe(chart: Chart) -> str:
    """Return a paragraph in the language of the chart."""
    kind = localize(_pair("kinds", chart.kind), chart.language)
    return _fill_template(chart, "intro", kind=kind, title=chart.title) + _BODIES[chart.family](chart) + _source(chart)


def _source(chart: Chart) -> str:
    if not chart.source:
        return ""
    name = chart.source.split({"en": ": ", "zh": "："}[chart.language], 1)[1]
    return _fill_template(chart, "source", source=name)


def _series(chart: Any) -> str:
    is_series = isinstance(chart, SeriesChart)
    measure = "" if isinstance(chart, RecordsChart) else chart.measure
    view = SeriesView(chart, measure=measure, over_time=is_series and chart.over_time)
    text = _fill_template(
        chart,
        "rows",
        count=str(len(view.rows)),
        noun=view.noun.plural,
        counter=view.noun.counter,
        names=_join_names(chart, view.rows),
    )
    if isinstance(chart, RecordsChart):
        text += _fill_template(
            chart, "columns", names=_join_names(chart, [column.header() for column in chart.table.columns])
        )
    elif is_series and len(view.series) > 1:
        names = [column.name for column in view.series]
        text += _fill_template(chart, "several", count=str(len(names)), names=_join_names(chart, names))
    if is_series and chart.axis is not None and chart.axis.is_log:
        text += _fill_template(chart, "log")
    return text + "".join(_column(chart, view, column) for column in view.series[:MAX_COLUMNS])


def _column(chart: Chart, view: SeriesView, column: Column) -> str:
    """Describe highest and lowest value, change and gaps of one series."""
    known = sorted(view.known_values(column), key=lambda entry: entry[1])
    (least_row, least), (most_row, most) = known[0], known[-1]
    what = view.describe_column(column)
    text = ""
    is_clear = view.can_distinguish(column, most, known[-2][1]) and view.can_distinguish(column, known[1][1], least)
    if is_clear and chart.kind != "waterfall":  # the start and end of a waterfall are not changes
        text = _fill_template(
            chart, "extremes", value=_number(chart, most, column), least=_number(chart, least, column),
            **view.slots(column, a=most_row, b=least_row),
        )  # fmt: skip
    if view.over_time or chart.kind == "waterfall":
        (first_row, first), (last_row, last) = view.known_values(column)[0], view.known_values(column)[-1]
        if view.can_distinguish(column, first, last):
            verb = _fill_template(chart, "verb_rises" if last > first else "verb_falls")
            text += _fill_template(
                chart, "change", what=what, a=first_row, b=last_row, verb=verb, first=_number(chart, first, column),
                last=_number(chart, last, column),
            )  # fmt: skip
    gaps = [row for row, value in zip(view.rows, column.values, strict=True) if value is None]
    return text + "".join(_fill_template(chart, "gap", at=view.describe_row(row)) for row in gaps)


def _points(chart: PointsChart) -> str:
    x, y = chart.table.columns[:2]
    text = _fill_template(
        chart, "points", count=str(len(chart.table)), x=lower_first(x.name), y=lower_first(y.name),
        x_low=_number(chart, min(x.numbers()), x), x_high=_number(chart, max(x.numbers()), x),
        y_low=_number(chart, min(y.numbers()), y), y_high=_number(chart, max(y.numbers()), y),
    )  # fmt: skip
    r = statistics.correlation([float(v) for v in x.numbers()], [float(v) for v in y.numbers()])
    if abs(r) >= STRONG:
        verb = _fill_template(chart, "verb_rises" if r > 0 else "verb_falls")
        text += _fill_template(chart, "along", x=lower_first(x.name), y=lower_first(y.name), verb=verb)
    if chart.group is not None:
        text += _fill_template(
            chart, "groups", names=_join_names(chart, sorted({format_value(value) for value in chart.group.values}))
        )
    return text


def _contours(chart: Any) -> str:
    bands = {format_value(value) for column in chart.table.columns[1:] for value in column.values}
    lows = [low for low, high in zip(chart.levels, chart.levels[1:], strict=False) if f"{low:f}–{high:f}" in bands]
    width = chart.levels[1] - chart.levels[0]
    return _fill_template(
        chart, "bands", what=lower_first(chart.measure), low=format_with_unit(min(lows), chart.unit, chart.language),
        high=format_with_unit(max(lows) + width, chart.unit, chart.language),
    )  # fmt: skip


def _schedules(chart: ScheduleChart) -> str:
    rows = chart.table.cells()
    if chart.kind == "timeline":
        return "".join(_fill_template(chart, "event", event=event, year=year) for event, year in rows)
    return "".join(_fill_template(chart, "task", task=task, start=start, end=end) for task, start, end in rows)


def _graphs(chart: GraphChart) -> str:
    text = _fill_template(
        chart,
        "nodes",
        count=str(len(chart.nodes)),
        nouns=chart.node_noun.plural,
        counter=chart.node_noun.counter,
        names=_join_names(chart, chart.nodes),
    )
    for i, j, label in chart.edges:
        listed = _fill_template(chart, "label", label=label) if label else ""
        text += _fill_template(
            chart, "edge" if chart.directed else "link", a=chart.nodes[i], b=chart.nodes[j], label=listed
        )
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
    text = format_with_unit(value, column.unit, chart.language)
    return text if chart.exact else _fill_template(chart, "about", value=text)


def _join_names(chart: Chart, names: Any) -> str:
    listed = list(names)[:MAX_NAMES]
    return _fill_template(chart, "comma").join(listed) + ("…" if len(names) > MAX_NAMES else "")


def _fill_template(chart: Chart, name: str, **slots: str) -> str:
    return localize(_pair("descriptions", name), chart.language).format(**slots)


def _pair(section: str, name: str) -> tuple[str, str]:
    pair: Any = load_templates()[section][name]
    return pair[0], pair[1]
