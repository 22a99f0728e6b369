"""Candlesticks and waterfalls."""

from decimal import Decimal
from typing import Any

from sources.charts.chart import SeriesChart
from sources.charts.matplotlib_plots.finance import RISE_AND_FALL
from sources.charts.table import format_value
from sources.charts.vega_specs.bars import BANDS
from sources.charts.vega_specs.frame import Spec, colours, names_axis, numbers_axis, plain_number, specification


def candlesticks(chart: SeriesChart) -> Spec:
    """Return a rule from low to high and a bar from open to close per day."""
    assert chart.axis is not None
    style, days = chart.style, [format_value(value) for value in chart.table.rows.values]
    columns = [column.numbers() for column in chart.table.series]
    meaning = RISE_AND_FALL[chart.language]
    rows: list[dict[str, Any]] = []
    for k, day in enumerate(days):
        opened, high, low, close = (plain_number(column[k]) for column in columns)
        rows.append({"day": day, "open": opened, "high": high, "low": low, "close": close,
                     "series": meaning[0] if close > opened else meaning[1]})  # fmt: skip
    x = {**names_axis("day", chart.table.rows.header(), days, style), "sort": days, "scale": BANDS}
    colour = colours(meaning, style)
    colour["scale"]["range"] = [style.colours[2], style.colours[1]]
    layers = [
        {"mark": {"type": "rule", "color": style.ink},
         "encoding": {"y": numbers_axis("low", chart.axis, style), "y2": {"field": "high"}}},
        {"mark": {"type": "bar"},
         "encoding": {"y": numbers_axis("open", chart.axis, style), "y2": {"field": "close"}, "color": colour}},
    ]  # fmt: skip
    return specification(chart, style, rows, encoding={"x": x}, layer=layers)


def waterfall(chart: SeriesChart) -> Spec:
    """Return a start, floating changes and the end."""
    assert chart.axis is not None
    style, names = chart.style, [format_value(value) for value in chart.table.rows.values]
    values = chart.table.series[0].numbers()
    rows: list[dict[str, Any]] = []
    level = Decimal(0)
    for k, (name, value) in enumerate(zip(names, values, strict=True)):
        is_change = 0 < k < len(values) - 1
        before = level if is_change else Decimal(0)
        level = before + value
        shown = f"{value:,f}" if style.grouped_numbers else f"{value:f}"
        rows.append({
            "step": name, "before": plain_number(before), "after": plain_number(level),
            "top": plain_number(max(before, level)), "label": f"+{shown}" if is_change and value > 0 else shown,
            "color": style.colours[0 if not is_change else 2 if value > 0 else 1],
        })  # fmt: skip
    x = {**names_axis("step", chart.table.rows.header(), names, style), "sort": names, "scale": BANDS}
    bar = {"y": numbers_axis("before", chart.axis, style), "y2": {"field": "after"},
           "color": {"field": "color", "type": "nominal", "scale": None}}  # fmt: skip
    label = {"y": numbers_axis("top", chart.axis, style), "text": {"field": "label", "type": "nominal"}}
    layers = [{"mark": {"type": "bar"}, "encoding": bar}, {"mark": {"type": "text", "dy": -8}, "encoding": label}]
    return specification(chart, style, rows, encoding={"x": x}, layer=layers)
