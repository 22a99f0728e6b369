"""Drawing: a chart to a picture that can be read, or a reason why there is none."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sources.charts import matplotlib_renderer
from sources.charts.chart import Chart
from sources.charts.fonts import check_glyphs
from sources.charts.legibility import fault
from sources.charts.matplotlib_plots import bars, distributions, finance, graphs, grids, lines, points, schedules, shares, tables
from sources.charts.picture import Picture
from sources.charts.program import Program
from sources.charts.style import roomier

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


class Illegible(Exception):
    """No layout of a chart could be read.

    Args:
        reason: stable snake_case code.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def draw(chart: Chart, renderer: str) -> Picture:
    """Draw a chart once, legible or not."""
    assert renderer == "matplotlib"
    return matplotlib_renderer.draw(PROGRAMS[chart.kind](chart))


def draw_legibly(chart: Chart, renderer: str) -> tuple[Chart, Picture, tuple[str, str]]:
    """Draw a chart with more and more room until nothing is clipped, overlapping or too small.

    Returns:
        The chart with the style it was drawn in, the picture, and language and text of the code that draws it.
    Raises:
        Illegible: no layout can be read.
        FontError: the font lacks a character.
    """
    found = None
    for attempt in range(ATTEMPTS):
        tried = dataclasses.replace(chart, style=roomier(chart.style, attempt))
        picture = draw(tried, renderer)
        found = fault(picture)
        if found is None:
            check_glyphs((box.text for box in picture.texts), tried.style.face)
            return tried, picture, (picture.code_language, picture.code)
    assert found is not None
    raise Illegible(*found)
