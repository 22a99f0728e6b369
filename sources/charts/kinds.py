"""The kinds of charts: how data of each are made, and which renderers draw it."""

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass

from sources.charts import series, shares
from sources.charts.chart import Chart
from sources.charts.style import Style
from sources.charts.vocabulary import Vocabulary

Make = Callable[[str, Vocabulary, str, Style, random_module.Random], Chart]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the function that makes its data, and the names of the renderers that draw it."""

    make: Make
    renderers: tuple[str, ...] = ("matplotlib",)


KINDS: dict[str, Kind] = {
    "bar": Kind(series.series_chart),
    "grouped_bar": Kind(series.series_chart),
    "stacked_bar": Kind(series.series_chart),
    "percent_bar": Kind(shares.percent_bar),
}
