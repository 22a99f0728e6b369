"""Draw a chart as a legible picture, or report why there is none."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sources.base.illegible import Illegible
from sources.charts import matplotlib_renderer, vega_renderer
from sources.charts.chart import Chart, DistributionChart, GraphChart, RecordsChart, SeriesChart
from sources.charts.fonts import check_glyphs
from sources.charts.legibility import find_fault, find_missing_text
from sources.charts.matplotlib_plots import (
    bars,
    distributions,
    finance,
    graphs,
    grids,
    lines,
    points,
    schedules,
    shares,
    tables,
)
from sources.charts.picture import Picture
from sources.charts.program import Program
from sources.charts.style import enlarge_style
from sources.charts.table import format_value
from sources.charts.vega_specs import bars as vega_bars
from sources.charts.vega_specs import distributions as vega_distributions
from sources.charts.vega_specs import finance as vega_finance
from sources.charts.vega_specs import points as vega_points
from sources.charts.vega_specs import schedules as vega_schedules
from sources.charts.vega_specs import shares as vega_shares
from sources.charts.vega_specs.frame import Spec

ATTEMPTS = 3
PROGRAMS: Mapping[str, Callable[[Any], Program]] = {
    "area": lines.lines,
    "bar": bars.bars,
    "box": distributions.boxes,
    "bubble": points.points,
    "candlestick": finance.candlesticks,
    "contour": grids.contour,
    "density": distributions.densities,
    "donut": shares.pie,
    "dual_axis": lines.dual_axis,
    "error_bars": distributions.error_bars,
    "flow_chart": graphs.graph,
    "funnel": bars.funnel,
    "gantt": schedules.gantt,
    "grouped_bar": bars.bars,
    "heat_map": grids.heat_map,
    "histogram": distributions.histogram,
    "horizontal_bar": bars.horizontal_bars,
    "line": lines.lines,
    "lollipop": bars.lollipops,
    "multi_line": lines.lines,
    "network": graphs.graph,
    "percent_bar": bars.bars,
    "pie": shares.pie,
    "radar": lines.radar,
    "scatter": points.points,
    "small_multiples": lines.small_multiples,
    "stacked_area": lines.lines,
    "stacked_bar": bars.bars,
    "step": lines.lines,
    "table": tables.table,
    "timeline": schedules.timeline,
    "treemap": shares.treemap,
    "trend_line": points.points,
    "violin": distributions.violins,
    "waterfall": bars.waterfall,
}


SPECIFICATIONS: Mapping[str, Callable[[Any], Spec]] = {
    "area": vega_bars.series_along_names,
    "bar": vega_bars.series_along_names,
    "box": vega_distributions.boxes,
    "candlestick": vega_finance.candlesticks,
    "density": vega_distributions.densities,
    "donut": vega_shares.pie,
    "error_bars": vega_distributions.error_bars,
    "gantt": vega_schedules.gantt,
    "grouped_bar": vega_bars.series_along_names,
    "heat_map": vega_bars.heat_map,
    "histogram": vega_distributions.histogram,
    "horizontal_bar": vega_bars.horizontal_bars,
    "line": vega_bars.series_along_names,
    "lollipop": vega_bars.lollipops,
    "multi_line": vega_bars.series_along_names,
    "percent_bar": vega_bars.series_along_names,
    "pie": vega_shares.pie,
    "scatter": vega_points.points,
    "small_multiples": vega_bars.small_multiples,
    "stacked_area": vega_bars.series_along_names,
    "stacked_bar": vega_bars.series_along_names,
    "step": vega_bars.series_along_names,
    "trend_line": vega_points.points,
    "waterfall": vega_finance.waterfall,
}


def draw(chart: Chart, renderer: str) -> Picture:
    """Draw a chart once, without a check of legibility."""
    if renderer == "vega":
        return vega_renderer.draw(SPECIFICATIONS[chart.kind](chart), chart.style.face)
    return matplotlib_renderer.draw(PROGRAMS[chart.kind](chart))


def draw_legibly(chart: Chart, renderer: str) -> tuple[Chart, Picture]:
    """Draw a chart, larger if necessary, until nothing is clipped, overlapping or too small.

    Returns:
        The chart with its final style, and the picture.
    Raises:
        Illegible: no layout is legible.
        FontError: the font lacks a character.
    """
    problem = None
    for attempt in range(ATTEMPTS):
        candidate = dataclasses.replace(chart, style=enlarge_style(chart.style, attempt))
        try:
            return candidate, draw_once(candidate, renderer)
        except Illegible as error:
            problem = error
    assert problem is not None
    raise problem


def draw_once(chart: Chart, renderer: str) -> Picture:
    """Draw a chart in the size of its style. Raises Illegible or FontError, as `draw_legibly`."""
    picture = draw(chart, renderer)
    problem = find_fault(picture) or find_missing_text(picture, _required_texts(chart))
    if problem is not None:
        raise Illegible(*problem)
    check_glyphs((box.text for box in picture.texts), chart.style.face)
    return picture


def _required_texts(chart: Chart) -> list[str]:
    """Return the texts that the picture must show: title, names of rows and series, exact numbers."""
    names = [chart.title, *([chart.source] if chart.source else [])]
    if isinstance(chart, SeriesChart | DistributionChart | RecordsChart):
        if chart.kind != "histogram":
            every = chart.every if isinstance(chart, SeriesChart) else 1
            names += [format_value(value) for value in chart.table.rows.values[::every]]
        if (
            isinstance(chart, SeriesChart)
            and chart.kind not in ("candlestick", "dual_axis")
            and len(chart.table.series) > 1
        ):
            names += [column.name for column in chart.table.series]
        if chart.exact:
            names += [f"{abs(value):f}" for column in chart.table.series for value in column.numbers()]
    if isinstance(chart, GraphChart):
        names += [*chart.nodes, *(label for _, _, label in chart.edges if label)]
    return names
