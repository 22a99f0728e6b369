"""Common parts of all specifications: size, fonts, colours, axes, legends."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sources.charts.axis import Axis
from sources.charts.chart import Chart
from sources.charts.fonts import text_width
from sources.charts.style import Style
from sources.charts.table import Column, exponent

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
PLOT_WIDTH, PLOT_HEIGHT = 0.8, 0.76  # approximate fractions of the size of the picture
LABEL_SIZE = 0.88  # of value labels, relative to the tick labels
NOTE_SIZE = 0.85  # of the source line
LEGEND_EXTRA = 2.6  # width of a legend entry without its name, in font sizes
UPRIGHT_DEGREES = 270


def specification(chart: Chart, style: Style, rows: Sequence[Mapping[str, Any]], **parts: Any) -> Spec:
    """Return a specification with the data of the chart; `parts` are its marks, layers and encodings."""
    title = chart.title
    pad = round(0.9 * style.font_px)
    needed = text_width(title, style.face, style.title_px, bold=style.bold_title)
    size = max(style.font_px, min(style.title_px, style.title_px * (style.width_px - 2 * pad) / needed))
    return {
        "$schema": SCHEMA,
        "title": {"text": title, "fontSize": round(size, 1), **_source(chart)},
        # The size of the plot without titles and labels. `fit` would give an exact size of the picture, but computes
        # the layout twice, which takes half as long again.
        "width": round(style.width_px * PLOT_WIDTH),
        "height": round(style.height_px * PLOT_HEIGHT),
        "padding": pad,
        "background": style.background,
        "data": {"values": [dict(row) for row in rows]},
        **parts,
        "config": _config(style),
    }


def _source(chart: Chart) -> Spec:
    """Return the line that names the source, below the title."""
    if not chart.source:
        return {}
    return {"subtitle": chart.source, "subtitleFontSize": round(chart.style.font_px * NOTE_SIZE, 1),
            "subtitleColor": chart.style.ink}  # fmt: skip


def _config(style: Style) -> Spec:
    font = style.font_px
    return {
        "font": style.face.family,
        "title": {
            "color": style.ink,
            "fontWeight": "bold" if style.bold_title else "normal",
            "anchor": "start" if style.title_left else "middle",
            "frame": "group",
            "limit": 0,
            "offset": font,
        },
        "axis": {
            "labelFontSize": font,
            "titleFontSize": font,
            "titleFontWeight": "normal",
            "labelColor": style.ink,
            "titleColor": style.ink,
            "domainColor": style.ink,
            "tickColor": style.ink,
            "gridColor": "#D4D4D4",
            "labelLimit": 0,
            "titleLimit": 0,
            "labelOverlap": False,
            "grid": False,
        },
        "legend": {
            "labelFontSize": font,
            "labelColor": style.ink,
            "labelLimit": 0,
            "orient": style.legend,
            "titleColor": style.ink,
        },
        "view": {"stroke": style.ink if style.box else None},
        "text": {"fontSize": round(font * LABEL_SIZE, 1), "color": style.ink},
    }


def names_axis(field: str, title: str, names: Sequence[str], style: Style, *, order: bool = True) -> Spec:
    """Return the encoding of named rows on the x axis; names that do not fit horizontally are vertical."""
    slot = style.width_px * 0.72 / len(names)
    upright = max(text_width(name, style.face, style.font_px) for name in names) + 0.6 * style.font_px > slot
    return {
        "field": field,
        "type": "nominal",
        "sort": None if order else "ascending",
        "axis": {"title": title, "labelAngle": UPRIGHT_DEGREES if upright else 0},
    }


def numbers_axis(field: str, axis: Axis, style: Style, *, grid: bool = True) -> Spec:
    """Return the encoding of numbers with the limits and ticks of the chart."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [plain_number(axis.low), plain_number(axis.high)], "nice": False, "zero": False},
        "axis": {
            "title": axis.title,
            "values": [plain_number(tick) for tick in axis.ticks],
            "format": number_format(axis.ticks[-1], style),
            "grid": style.grid and grid,
        },
    }


def colours(names: Sequence[str], style: Style) -> Spec:
    """Return the encoding of series by colour, with a legend in as few rows as possible."""
    legend: Spec = {"title": None}
    if style.legend != "right":
        widest = max(text_width(name, style.face, style.font_px) for name in names) + LEGEND_EXTRA * style.font_px
        legend["columns"] = max(1, min(len(names), int(style.width_px * 0.9 / widest)))
    scale = {"domain": list(names), "range": [style.colours[k % len(style.colours)] for k in range(len(names))]}
    return {"field": "series", "type": "nominal", "scale": scale, "legend": legend}


def number_format(example: Decimal, style: Style) -> str:
    """Return the d3 format with the decimals of a number."""
    return f"{',' if style.grouped_numbers else ''}.{max(0, -exponent(example))}f"


def plain_number(value: Decimal) -> float | int:
    """Return an exact number for JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def long_rows(rows: Sequence[str], series: Sequence[Column], row_field: str) -> list[dict[str, Any]]:
    """Return one entry per value: row, series, value; a missing value is null, so that its row keeps its place."""
    return [
        {row_field: row, "series": column.name, "value": plain_number(value) if isinstance(value, Decimal) else None}
        for column in series
        for row, value in zip(rows, column.values, strict=True)
    ]
