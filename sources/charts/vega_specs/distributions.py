"""Histograms, densities, boxes and error bars from precomputed numbers."""

from sources.charts.chart import DistributionChart
from sources.charts.distributions import density
from sources.charts.vega_specs.frame import (
    Spec,
    colours,
    names_axis,
    number_format,
    numbers_axis,
    plain_number,
    specification,
)

GRID_POINTS = 80  # of a density curve
GROUP = "group"


def histogram(chart: DistributionChart) -> Spec:
    """Return touching bars, one per bin."""
    assert chart.count_axis is not None
    style, counts = chart.style, chart.table.series[0].numbers()
    edges = [plain_number(edge) for edge in chart.edges]
    rows = [
        {"from": low, "to": high, "value": plain_number(count)}
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    x = {**numbers_axis("from", chart.axis, style, grid=False), "bin": {"binned": True}}
    y = numbers_axis("value", chart.count_axis, style)
    layers: list[Spec] = [
        {"mark": {"type": "bar", "color": style.colours[0]}, "encoding": {"x": x, "x2": {"field": "to"}, "y": y}}
    ]
    if chart.exact:
        middle = {**numbers_axis("middle", chart.axis, style, grid=False)}
        text = {"field": "value", "type": "quantitative", "format": number_format(counts[0], style)}
        layers.append({
            "transform": [{"calculate": "(datum.from + datum.to) / 2", "as": "middle"}],
            "mark": {"type": "text", "dy": -8}, "encoding": {"x": middle, "y": y, "text": text},
        })  # fmt: skip
    return specification(chart, style, rows, layer=layers)


def densities(chart: DistributionChart) -> Spec:
    """Return one filled smooth curve per group."""
    style, low, span = chart.style, float(chart.axis.low), float(chart.axis.span)
    grid = [round(low + span * k / (GRID_POINTS - 1), 4) for k in range(GRID_POINTS)]
    rows = [
        {"x": x, "value": float(f"{height:.4g}"), "series": group}
        for group, sample in zip(chart.groups, chart.samples, strict=True)
        for x, height in zip(grid, density(sample, grid), strict=True)
    ]
    encoding = {
        "x": numbers_axis("x", chart.axis, style),
        "y": {"field": "value", "type": "quantitative", "stack": None, "axis": None},
        "color": colours(chart.groups, style),
    }
    mark = {"type": "area", "opacity": 0.35, "line": True}
    return specification(chart, style, rows, mark=mark, encoding=encoding)


def boxes(chart: DistributionChart) -> Spec:
    """Return boxes from quartile to quartile, with whiskers to the extremes."""
    style, keys = chart.style, ("min", "q1", "median", "q3", "max")
    columns = [column.numbers() for column in chart.table.series]
    rows = [
        {GROUP: group, **{key: plain_number(column[k]) for key, column in zip(keys, columns, strict=True)}}
        for k, group in enumerate(chart.groups)
    ]
    x = {**names_axis(GROUP, chart.table.rows.name, chart.groups, style), "sort": list(chart.groups)}

    def y(field: str) -> Spec:
        return numbers_axis(field, chart.axis, style)

    ink = {"color": style.ink}
    layers = [
        {"mark": {"type": "rule", **ink}, "encoding": {"y": y("min"), "y2": {"field": "max"}}},
        {"mark": {"type": "tick", **ink, "size": 22}, "encoding": {"y": y("min")}},
        {"mark": {"type": "tick", **ink, "size": 22}, "encoding": {"y": y("max")}},
        {"mark": {"type": "bar", "size": 42, "color": style.colours[0], "stroke": style.ink},
         "encoding": {"y": y("q1"), "y2": {"field": "q3"}}},
        {"mark": {"type": "tick", **ink, "size": 42, "thickness": 2.5}, "encoding": {"y": y("median")}},
    ]  # fmt: skip
    return specification(chart, style, rows, encoding={"x": x}, layer=layers)


def error_bars(chart: DistributionChart) -> Spec:
    """Return a dot at the mean and a bar of one standard deviation up and down."""
    style = chart.style
    means, errors = (column.numbers() for column in chart.table.series)
    rows = [
        {
            GROUP: group,
            "mean": plain_number(mean),
            "low": plain_number(mean - error),
            "high": plain_number(mean + error),
        }
        for group, mean, error in zip(chart.groups, means, errors, strict=True)
    ]
    x = {**names_axis(GROUP, chart.table.rows.name, chart.groups, style), "sort": list(chart.groups)}
    ink = {"color": style.ink}
    low, high = numbers_axis("low", chart.axis, style), numbers_axis("high", chart.axis, style)
    layers = [
        {"mark": {"type": "rule", **ink, "strokeWidth": 1.5}, "encoding": {"y": low, "y2": {"field": "high"}}},
        {"mark": {"type": "tick", **ink, "size": 14}, "encoding": {"y": low}},
        {"mark": {"type": "tick", **ink, "size": 14}, "encoding": {"y": high}},
        {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 90, "color": style.colours[0]},
         "encoding": {"y": numbers_axis("mean", chart.axis, style)}},
    ]  # fmt: skip
    return specification(chart, style, rows, encoding={"x": x}, layer=layers)
