"""The kinds of charts: the function that makes the data of each, and its renderers."""

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass

from sources.charts import contours, distributions, finance, graphs, points, records, schedules, series, shares
from sources.charts.chart import Chart, SeriesChart
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style

Make = Callable[[str, Vocabulary, str, Style, random_module.Random], Chart]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the function that makes its data, and True if Vega-Lite can draw it."""

    make: Make
    vega: bool = False

    def renderers(self, chart: Chart) -> tuple[str, ...]:
        """Return the renderers that can draw a chart of this kind."""
        # Vega-Lite cannot keep a line clear of the numbers along it.
        with_vega = self.vega and not (chart.kind == "line" and chart.exact)
        if isinstance(chart, SeriesChart) and chart.axis is not None:  # nor does it draw tick marks without labels
            with_vega = with_vega and chart.every == 1 and not chart.axis.is_log
        if chart.kind in ("pie", "donut") and chart.source:  # the line below the title names the unit
            with_vega = False
        return ("matplotlib", "vega") if with_vega else ("matplotlib",)


ONLY_MATPLOTLIB = ("dual_axis", "radar")
KINDS: dict[str, Kind] = {
    **{kind: Kind(series.series_chart, vega=kind not in ONLY_MATPLOTLIB) for kind in series.LAYOUTS},
    "percent_bar": Kind(shares.percent_bar, vega=True),
    "pie": Kind(shares.share_chart, vega=True),
    "donut": Kind(shares.share_chart, vega=True),
    "treemap": Kind(shares.share_chart),
    "funnel": Kind(shares.funnel),
    "waterfall": Kind(finance.waterfall, vega=True),
    "candlestick": Kind(finance.candlestick, vega=True),
    "scatter": Kind(points.points_chart, vega=True),
    "trend_line": Kind(points.points_chart, vega=True),
    "bubble": Kind(points.points_chart),
    "histogram": Kind(distributions.distribution_chart, vega=True),
    "density": Kind(distributions.distribution_chart, vega=True),
    "box": Kind(distributions.distribution_chart, vega=True),
    "violin": Kind(distributions.distribution_chart),
    "error_bars": Kind(distributions.distribution_chart, vega=True),
    "contour": Kind(contours.contour_chart),
    "gantt": Kind(schedules.gantt, vega=True),
    "timeline": Kind(schedules.timeline),
    "table": Kind(records.table_chart),
    "flow_chart": Kind(graphs.flow_chart),
    "network": Kind(graphs.network),
}
# Kinds that are legible in a panel of a dashboard.
PANEL_KINDS = (
    "area", "bar", "box", "donut", "grouped_bar", "heat_map", "histogram", "horizontal_bar", "line", "lollipop",
    "multi_line", "percent_bar", "pie", "scatter", "stacked_area", "stacked_bar", "step", "trend_line", "violin",
    "waterfall",
)  # fmt: skip
