"""The kinds of charts: how data of each are made, and which renderers draw it."""

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass

from sources.charts import contours, distributions, finance, graphs, points, records, schedules, series, shares
from sources.charts.chart import Chart
from sources.charts.style import Style
from sources.charts.vocabulary import Vocabulary

Make = Callable[[str, Vocabulary, str, Style, random_module.Random], Chart]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the function that makes its data, and the names of the renderers that draw it."""

    make: Make
    renderers: tuple[str, ...] = ("matplotlib",)


BOTH = ("matplotlib", "vega")
KINDS: dict[str, Kind] = {
    **{kind: Kind(series.series_chart) for kind in series.LAYOUTS},
    "percent_bar": Kind(shares.percent_bar),
    "pie": Kind(shares.share_chart),
    "donut": Kind(shares.share_chart),
    "treemap": Kind(shares.share_chart),
    "funnel": Kind(shares.funnel),
    "waterfall": Kind(finance.waterfall),
    "candlestick": Kind(finance.candlestick),
    "scatter": Kind(points.points_chart),
    "trend_line": Kind(points.points_chart),
    "bubble": Kind(points.points_chart),
    "histogram": Kind(distributions.distribution_chart),
    "density": Kind(distributions.distribution_chart),
    "box": Kind(distributions.distribution_chart),
    "violin": Kind(distributions.distribution_chart),
    "error_bars": Kind(distributions.distribution_chart),
    "contour": Kind(contours.contour_chart),
    "gantt": Kind(schedules.gantt),
    "timeline": Kind(schedules.timeline),
    "table": Kind(records.table_chart),
    "flow_chart": Kind(graphs.flow_chart),
    "network": Kind(graphs.network),
}
