"""Candlesticks: a wick from low to high, a body from open to close."""

from sources.charts.chart import SeriesChart
from sources.charts.matplotlib_plots.bars import row_names
from sources.charts.matplotlib_plots.frame import Frame, numbers
from sources.charts.program import Program

RISE_AND_FALL = {"en": ("Close above open", "Close below open"), "zh": ("收高", "收低")}


def candlesticks(chart: SeriesChart) -> Program:
    """Draw one candle per day; the legend explains the colours."""
    assert chart.axis is not None
    frame, style, names = Frame.begin(chart), chart.style, row_names(chart)
    meaning = RISE_AND_FALL[chart.language]
    legend = frame.reserve_legend(meaning)
    labels_px = frame.reserve_numbers(chart.axis, "left")
    below = frame.reserve_names(names)
    frame.axes()
    program = frame.program
    days = program.let("days", names)
    opened, high, low, close = (column.numbers() for column in chart.table.series)
    for name, column in (("opened", opened), ("high", high), ("low", low), ("close", close)):
        program.let(name, numbers(column))
    places = list(range(len(names)))
    program.call("ax.vlines", places, numbers(low), numbers(high), color=style.ink, linewidth=1.2, zorder=1)
    for rises, colour, label in ((True, style.colours[2], meaning[0]), (False, style.colours[1], meaning[1])):
        chosen = [k for k in places if (close[k] > opened[k]) == rises]
        heights = numbers([abs(close[k] - opened[k]) for k in chosen])
        bottoms = numbers([min(close[k], opened[k]) for k in chosen])
        program.call("ax.bar", chosen, heights, bottom=bottoms, width=0.6, color=colour, label=label)
    program.call("ax.set_xlim", -0.7, len(names) - 0.3)
    frame.names_axis(days, below, chart.table.rows.header(), places)
    frame.number_axis("y", chart.axis, labels_px)
    frame.grid("y")
    frame.legend(legend, below_px=below.total_px)
    return program
