"""Bars, lines and areas of series along named rows."""

from typing import Any

from sources.charts.chart import SeriesChart
from sources.charts.colours import contrasting_colour
from sources.charts.table import format_value
from sources.charts.vega_specs.frame import (
    Spec,
    colours,
    long_rows,
    names_axis,
    number_format,
    numbers_axis,
    plain_number,
    specification,
)

ROW = "name"
BANDS = {"paddingInner": 0.28, "paddingOuter": 0.2}  # between bars and at the ends, as fractions of the step
MARKS: dict[str, dict[str, Any]] = {
    "bar": {"type": "bar"},
    "grouped_bar": {"type": "bar"},
    "stacked_bar": {"type": "bar"},
    "percent_bar": {"type": "bar"},
    "line": {"type": "line", "strokeWidth": 2},
    "multi_line": {"type": "line", "strokeWidth": 2},
    "step": {"type": "line", "strokeWidth": 2, "interpolate": "step"},
    "area": {"type": "area", "opacity": 0.6},
    "stacked_area": {"type": "area"},
}
STACKED = ("stacked_bar", "percent_bar", "stacked_area")
SHAPES = {"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond"}


def series_along_names(chart: SeriesChart) -> Spec:
    """Return a specification of one or more series; the mark depends on the kind."""
    assert chart.axis is not None
    style, series, names = chart.style, chart.table.series, [format_value(value) for value in chart.table.rows.values]
    mark = dict(MARKS[chart.kind])
    if mark["type"] == "line" and chart.kind != "step" and style.marker:
        mark["point"] = {"shape": SHAPES[style.marker], "size": 45}
    x = names_axis(ROW, chart.table.rows.header(), names, style)
    x["sort"] = names
    if mark["type"] != "bar":
        x["scale"] = {"type": "point", "padding": 0.3 if mark["type"] == "area" else 0.4}
    else:
        x["scale"] = BANDS
    y = numbers_axis("value", chart.axis, style)
    encoding: Spec = {"x": x, "y": y}
    if len(series) == 1:
        mark["color"] = style.colours[0]
        if chart.kind == "area":
            mark["line"] = {"color": style.colours[0]}
    else:
        encoding["color"] = colours([column.name for column in series], style)
        if chart.kind in STACKED:
            y["stack"] = "zero"
            encoding["order"] = {"field": "place"}
        elif mark["type"] == "bar":
            encoding["xOffset"] = {"field": "series", "sort": [column.name for column in series]}
    rows = long_rows(names, series, ROW)
    if chart.kind in STACKED:
        places = {column.name: k for k, column in enumerate(series)}
        rows = [{**row, "place": places[row["series"]]} for row in rows]
        if chart.exact:
            rows = [{**row, "ink": contrasting_colour(style.colours[row["place"]])} for row in rows]
    layers: list[Spec] = [{"mark": mark}]
    if chart.exact:
        layers.append(_labels(chart, encoding))
    return specification(chart, style, rows, encoding=encoding, layer=layers)


def _labels(chart: SeriesChart, encoding: Spec) -> Spec:
    """Return the layer of values: above bars, below negative ones, or in the middle of stacked ones."""
    first = chart.table.series[0].numbers()[0]
    text = {"field": "value", "type": "quantitative", "format": number_format(first, chart.style)}
    if chart.kind not in STACKED:
        dy = {"expr": "datum.value < 0 ? 9 : -9"}
        return {
            "mark": {"type": "text", "dy": dy, "color": chart.style.ink},
            "encoding": {"text": text, "color": {"value": chart.style.ink}},
        }
    y = {**encoding["y"], "bandPosition": 0.5}
    colour = {"field": "ink", "type": "nominal", "scale": None}
    detail = {"field": "series", "type": "nominal"}
    return {"mark": {"type": "text"}, "encoding": {"text": text, "y": y, "color": colour, "detail": detail}}


def horizontal_bars(chart: SeriesChart) -> Spec:
    """Return bars from left to right, the first at the top."""
    assert chart.axis is not None
    style, column, names = (
        chart.style,
        chart.table.series[0],
        [format_value(value) for value in chart.table.rows.values],
    )
    encoding = {
        "x": numbers_axis("value", chart.axis, style),
        "y": {"field": ROW, "type": "nominal", "sort": names, "axis": {"title": None}, "scale": BANDS},
    }
    layers: list[Spec] = [{"mark": {"type": "bar", "color": style.colours[0]}}]
    if chart.exact:
        text = {"field": "value", "type": "quantitative", "format": number_format(column.numbers()[0], style)}
        far = {"expr": "datum.value < 0 ? -4 : 4"}
        align = {"expr": "datum.value < 0 ? 'right' : 'left'"}
        layers.append({"mark": {"type": "text", "align": align, "dx": far}, "encoding": {"text": text}})
    return specification(chart, style, long_rows(names, [column], ROW), encoding=encoding, layer=layers)


def lollipops(chart: SeriesChart) -> Spec:
    """Return a stem and a dot for each value."""
    assert chart.axis is not None
    style, column, names = (
        chart.style,
        chart.table.series[0],
        [format_value(value) for value in chart.table.rows.values],
    )
    x = names_axis(ROW, chart.table.rows.header(), names, style)
    x["sort"] = names
    encoding = {"x": x, "y": numbers_axis("value", chart.axis, style)}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": style.colours[0], "strokeWidth": 2}, "encoding": {"y2": {"datum": 0}}},
        {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 110, "color": style.colours[0]}},
    ]
    if chart.exact:
        text = {"field": "value", "type": "quantitative", "format": number_format(column.numbers()[0], style)}
        layers.append(
            {"mark": {"type": "text", "dy": {"expr": "datum.value < 0 ? 14 : -14"}}, "encoding": {"text": text}}
        )
    return specification(chart, style, long_rows(names, [column], ROW), encoding=encoding, layer=layers)


def small_multiples(chart: SeriesChart) -> Spec:
    """Return one panel per series, all with the same axes."""
    assert chart.axis is not None
    style, series, names = chart.style, chart.table.series, [format_value(value) for value in chart.table.rows.values]
    columns = 2
    x = names_axis(ROW, "", names, style)
    x["sort"], x["axis"] = names, {"title": None, "labelAngle": 270}
    scale = colours([column.name for column in series], style)
    header = {"title": None, "labelFontSize": style.font_px, "labelColor": style.ink}
    facet = {"field": "series", "type": "nominal", "columns": columns, "header": header,
             "sort": [column.name for column in series]}  # fmt: skip
    encoding = {
        "facet": facet,
        "x": x,
        "y": numbers_axis("value", chart.axis, style),
        "color": {**scale, "legend": None},
    }
    spec = specification(chart, style, long_rows(names, series, ROW), mark={"type": "bar"}, encoding=encoding)
    return {**spec, "width": round(style.width_px * 0.72 / columns), "height": round(style.height_px * 0.24)}


def heat_map(chart: SeriesChart) -> Spec:
    """Return coloured cells with their numbers: series from top to bottom, rows from left to right."""
    style, series, names = chart.style, chart.table.series, [format_value(value) for value in chart.table.rows.values]
    x = names_axis(ROW, chart.table.rows.header(), names, style)
    x["sort"] = names
    y = {"field": "series", "type": "nominal", "sort": [column.name for column in series], "axis": {"title": None}}
    values = [value for column in series for value in column.numbers()]
    low, high = min(values), max(values)
    colour = {"field": "value", "type": "quantitative", "legend": None,
              "scale": {"range": ["#FFFFFF", style.colours[0]], "interpolate": "rgb",
                        "domain": [plain_number(low), plain_number(high)]}}  # fmt: skip
    # Cells range from white to a colour of the palette; texts are white on cells that are dark.
    dark = contrasting_colour(style.colours[0]) == "#FFFFFF"
    limit = plain_number(low + (high - low) * 6 / 10)
    shade = (
        {"condition": {"test": f"datum.value > {limit}", "value": "#FFFFFF"}, "value": "#000000"}
        if dark
        else {"value": "#000000"}
    )
    text = {"field": "value", "type": "quantitative", "format": number_format(values[0], style)}
    layers = [
        {"mark": {"type": "rect", "stroke": style.background}, "encoding": {"color": colour}},
        {"mark": {"type": "text"}, "encoding": {"text": text, "color": shade}},
    ]
    return specification(chart, style, long_rows(names, series, ROW), encoding={"x": x, "y": y}, layer=layers)
