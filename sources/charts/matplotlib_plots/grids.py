"""Quantities over two coordinates: heat maps and contours."""

import matplotlib
from matplotlib.colors import to_hex

from sources.charts.chart import ContourChart, SeriesChart
from sources.charts.colours import contrasting_colour
from sources.charts.matplotlib_plots.bars import row_names
from sources.charts.matplotlib_plots.frame import TICK_PX, Frame, numbers
from sources.charts.program import Name, Program

BAR_PX = 18  # width of a colour bar


def heat_map(chart: SeriesChart) -> Program:
    """Draw coloured cells with their numbers: series from top to bottom, rows from left to right."""
    frame, style = Frame.begin(chart), chart.style
    series, names = chart.table.series, row_names(chart)
    frame.left += max(frame.width(column.name) for column in series) + TICK_PX + 0.8 * style.font_px
    below = frame.reserve_names(names)
    frame.axes()
    program = frame.program
    cells = [numbers(column.values) for column in series]
    values = program.let("values", cells)
    low, high = min(map(min, cells)), max(map(max, cells))
    program.call("ax.imshow", values, cmap=style.colormap, aspect="auto", vmin=low, vmax=high)
    colours = matplotlib.colormaps[style.colormap]
    rows = [
        (i, j, frame.number(value), contrasting_colour(to_hex(colours((cells[j][i] - low) / (high - low)))))
        for j, column in enumerate(series)
        for i, value in enumerate(column.numbers())
    ]
    program.loop(
        ("x", "y", "text", "color"), rows, "ax.text", Name("x"), Name("y"), Name("text"), color=Name("color"),
        ha="center", va="center",
    )  # fmt: skip
    columns = program.let("columns", names)
    frame.names_axis(columns, below, chart.table.rows.header(), list(range(len(names))))
    program.call("ax.set_yticks", list(range(len(series))), [column.name for column in series])
    return program


def contour(chart: ContourChart) -> Program:
    """Draw filled bands, lines at the levels, and a colour bar with the levels."""
    frame, style = Frame.begin(chart), chart.style
    widest = max(frame.width(frame.number(level)) for level in chart.levels)
    frame.right += BAR_PX + 1.6 * style.font_px + widest + TICK_PX
    labels_px = frame.reserve_numbers(chart.y_axis, "left")
    below = frame.reserve_ticks(chart.x_axis)
    frame.axes()
    program = frame.program
    x, y = program.let("x", [round(v, 4) for v in chart.x]), program.let("y", [round(v, 4) for v in chart.y])
    z = program.let("z", [list(row) for row in chart.z])
    levels = program.let("levels", numbers(chart.levels))
    program.call("ax.contourf", x, y, z, levels=levels, cmap=style.colormap, result="bands")
    program.call("ax.contour", x, y, z, levels=levels, colors=style.ink, linewidths=0.6)
    left, bottom, width, height = frame.rectangle()
    place = (
        round(left + width + 1.2 * style.font_px / style.width_px, 4),
        bottom,
        round(BAR_PX / style.width_px, 4),
        height,
    )
    program.call("fig.add_axes", place, result="bar")
    program.call("fig.colorbar", Name("bands"), cax=Name("bar"))
    program.call("bar.set_yticks", levels, [frame.number(level) for level in chart.levels])
    frame.number_axis("x", chart.x_axis, below)
    frame.number_axis("y", chart.y_axis, labels_px)
    program.call("ax.grid", True)
    return program
