"""Pies and donuts."""

from typing import Any

from sources.charts.chart import SeriesChart
from sources.charts.colours import contrasting_colour
from sources.charts.table import format_value
from sources.charts.vega_specs.frame import Spec, colours, long_rows, number_format, specification

SHARE_OF_SIDE = 0.3  # outer radius as a fraction of the shorter side; the rest is for the legend


def pie(chart: SeriesChart) -> Spec:
    """Return slices clockwise from the top, with their values inside and their names in a legend."""
    style, column, names = (
        chart.style,
        chart.table.series[0],
        [format_value(value) for value in chart.table.rows.values],
    )
    radius = round(min(style.width_px, style.height_px) * SHARE_OF_SIDE)
    rows: list[dict[str, Any]] = [
        {"series": row["name"], "value": row["value"], "place": k, "ink": contrasting_colour(style.colours[k])}
        for k, row in enumerate(long_rows(names, [column], "name"))
    ]
    inner = round(radius * 0.5) if chart.kind == "donut" else 0
    colour = colours(names, style)
    text: Spec = {"field": "value", "type": "quantitative", "format": number_format(column.numbers()[0], style)}
    if column.unit == "%":
        text = {"field": "label", "type": "nominal"}
        rows = [{**row, "label": f"{row['value']}%"} for row in rows]
    ink = {"field": "ink", "type": "nominal", "scale": None}
    encoding = {
        "theta": {"field": "value", "type": "quantitative", "stack": True},
        "order": {"field": "place", "type": "quantitative"},
    }
    layers = [
        {"mark": {"type": "arc", "outerRadius": radius, "innerRadius": inner, "stroke": style.background},
         "encoding": {"color": colour}},
        {"mark": {"type": "text", "radius": round((radius + inner) / 2 * (1 if inner else 1.35))},
         "encoding": {"text": text, "color": ink}},
    ]  # fmt: skip
    spec = specification(chart, style, rows, encoding=encoding, layer=layers)
    if column.unit != "%":
        spec["title"]["subtitle"] = column.header()
        spec["title"]["subtitleFontSize"] = style.font_px
        spec["title"]["subtitleColor"] = style.ink
    return spec
