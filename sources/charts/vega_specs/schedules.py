"""Gantt charts."""

from datetime import date

from sources.charts.chart import ScheduleChart
from sources.charts.table import format_value
from sources.charts.vega_specs.frame import Spec, specification


def gantt(chart: ScheduleChart) -> Spec:
    """Return one bar per task from its start to its end, with a grid line at each labelled date."""
    style = chart.style
    tasks, starts, ends = ([format_value(value) for value in column.values] for column in chart.table.columns)
    rows = [{"task": task, "start": start, "end": end} for task, start, end in zip(tasks, starts, ends, strict=True)]
    axis = {
        "title": None, "values": [{"year": tick.year, "month": tick.month, "date": tick.day} for tick in chart.ticks],
        "format": "%Y-%m-%d", "grid": True, "labelAngle": 270 if len(chart.ticks) > 5 else 0,
    }  # fmt: skip
    encoding = {
        "x": {"field": "start", "type": "temporal", "timeUnit": "yearmonthdate",
              "scale": {"domain": [_moment(chart.first), _moment(chart.last)], "nice": False}, "axis": axis},
        "x2": {"field": "end", "timeUnit": "yearmonthdate"},
        "y": {"field": "task", "type": "nominal", "sort": tasks, "axis": {"title": None}},
    }  # fmt: skip
    mark = {"type": "bar", "color": style.colours[0], "height": {"band": 0.6}}
    return specification(chart, style, rows, mark=mark, encoding=encoding)


def _moment(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "date": day.day}
