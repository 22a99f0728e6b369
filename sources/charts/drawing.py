"""Drawing: a chart to a picture that can be read, or a reason why there is none."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sources.charts import matplotlib_renderer
from sources.charts.chart import Chart
from sources.charts.fonts import check_glyphs
from sources.charts.legibility import fault
from sources.charts.matplotlib_plots import bars
from sources.charts.picture import Picture
from sources.charts.program import Program
from sources.charts.style import roomier

ATTEMPTS = 3
PROGRAMS: Mapping[str, Callable[[Any], Program]] = {
    "bar": bars.bars,
    "grouped_bar": bars.bars,
    "stacked_bar": bars.bars,
    "percent_bar": bars.bars,
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
