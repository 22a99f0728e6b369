"""Scatter charts and trend lines."""

from sources.charts.chart import PointsChart
from sources.charts.vega_specs.bars import SHAPES
from sources.charts.vega_specs.frame import Spec, colours, numbers_axis, plain_number, specification


def points(chart: PointsChart) -> Spec:
    """Return one mark per row of the table, and the trend line if there is one."""
    style, table, group = chart.style, chart.table, chart.group
    x, y = table.columns[0].numbers(), table.columns[1].numbers()
    rows: list[dict[str, object]] = [{"x": plain_number(a), "y": plain_number(b)} for a, b in zip(x, y, strict=True)]
    mark: Spec = {"type": "point", "filled": True, "opacity": 1, "size": 55, "shape": SHAPES[style.marker or "o"]}
    encoding: Spec = {"x": numbers_axis("x", chart.x_axis, style), "y": numbers_axis("y", chart.y_axis, style)}
    layers: list[Spec] = [{"mark": mark}]
    if group is not None:
        names = sorted({str(value) for value in group.values})
        rows = [{**row, "series": value} for row, value in zip(rows, group.values, strict=True)]
        encoding["color"] = colours(names, style)
    else:
        mark["color"] = style.colours[0]
    if chart.trend is not None:
        slope, intercept = chart.trend
        ends = [float(min(x)), float(max(x))]
        line = [{"x": end, "y": round(intercept + slope * end, 6)} for end in ends]
        layers.append({"data": {"values": line}, "mark": {"type": "line", "color": style.colours[1], "strokeWidth": 2}})
    return specification(chart, style, rows, encoding=encoding, layer=layers)
