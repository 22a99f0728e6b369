"""Descriptions: what a chart shows in a few sentences, from its table alone."""

from decimal import Decimal

from sources.charts.chart import Chart, SeriesChart
from sources.charts.questions.question import with_unit
from sources.charts.table import plain


def describe(chart: Chart) -> str:
    """A paragraph in the chart's language."""
    assert isinstance(chart, SeriesChart)
    sentences = [chart.title + "."]
    for column in chart.table.series:
        known = [(plain(r), v) for r, v in zip(chart.table.rows.values, column.values, strict=True) if isinstance(v, Decimal)]
        high = max(known, key=lambda e: e[1])
        sentences.append(f"{column.name}: {high[0]} {with_unit(high[1], column.unit, chart.language)}")
    return " ".join(sentences)
