"""Lines and areas: single, several, stepped, stacked, with two axes, as radar, in small multiples."""

import math
from decimal import Decimal
from typing import Any

from sources.charts.chart import SeriesChart
from sources.charts.matplotlib_plots.bars import label_points, row_names
from sources.charts.matplotlib_plots.frame import GAP, LINE, TICK_PX, Frame, numbers
from sources.charts.program import Name, Program

MARKER_PX = 6
LINE_STYLES = ("-", "-", "--", "-.")


def lines(chart: SeriesChart) -> Program:
    """Draw lines over time, with or without markers."""
    assert chart.axis is not None
    frame, series, names = Frame.begin(chart), chart.table.series, row_names(chart)
    legend = frame.reserve_legend([column.name for column in series]) if len(series) > 1 else None
    labels_px = frame.reserve_numbers(chart.axis, "left")
    if "area" in chart.kind or chart.every > 1:  # the last name is centred on, or near, the end of the axis
        frame.right += frame.width(names[-1]) / 2
    shown = names[:: chart.every]
    below = frame.reserve_names(shown)
    frame.axes()
    program, style = frame.program, chart.style
    names_variable = program.let("names", shown)
    places = list(range(len(names)))
    bottoms: Name | list[float | int] | None = None
    running = [Decimal(0)] * len(names)
    for k, column in enumerate(series):
        values = program.let(f"values_{k + 1}" if len(series) > 1 else "values", numbers(column.values))
        label = {"label": column.name} if len(series) > 1 else {}
        colour = style.colours[k]
        if chart.kind == "stacked_area":
            running = [a + (b if isinstance(b, Decimal) else 0) for a, b in zip(running, column.values, strict=True)]
            top = numbers(running)
            program.call("ax.fill_between", places, bottoms or 0, top, color=colour, linewidth=0, **label)
            bottoms = top
            continue
        if chart.kind == "area":
            program.call("ax.fill_between", places, values, color=colour, alpha=0.35, linewidth=0)
        options: dict[str, Any] = {"where": "mid"} if chart.kind == "step" else {}
        if chart.kind != "step" and style.marker:
            options = {"marker": style.marker, "markersize": frame.points(MARKER_PX)}
        function = "ax.step" if chart.kind == "step" else "ax.plot"
        dash = LINE_STYLES[k] if style.marker == "" else "-"
        program.call(function, places, values, color=colour, linewidth=1.8, linestyle=dash, **options, **label)
        if chart.exact:
            label_points(frame, places, column, chart)
    margin = 0.5 if chart.kind == "step" else 0 if "area" in chart.kind else 0.35
    program.call("ax.set_xlim", -margin, len(names) - 1 + margin)
    frame.names_axis(names_variable, below, chart.table.rows.header(), places[:: chart.every])
    if chart.every > 1:
        program.call("ax.set_xticks", places, minor=True)
    frame.number_axis("y", chart.axis, labels_px)
    frame.grid("y")
    if legend is not None:
        marks = "ax.collections" if chart.kind == "stacked_area" else "ax.lines"
        frame.legend(legend, below_px=below.total_px, marks=marks)
    return program


def dual_axis(chart: SeriesChart) -> Program:
    """Draw bars on the left axis and a line on the right one; axis titles have the colours of their marks."""
    assert chart.axis is not None
    assert chart.second_axis is not None
    frame, names = Frame.begin(chart), row_names(chart)
    first, second = chart.table.series
    legend = frame.reserve_legend([first.name, second.name])
    left_px = frame.reserve_numbers(chart.axis, "left")
    right_px = frame.reserve_numbers(chart.second_axis, "right")
    below = frame.reserve_names(names)
    frame.axes()
    program, style = frame.program, chart.style
    names_variable, places = program.let("names", names), list(range(len(names)))
    heights = program.let("values_1", numbers(first.values))
    points = program.let("values_2", numbers(second.values))
    program.call("ax.bar", places, heights, width=0.6, color=style.colours[0], result="bars")
    program.call("ax.twinx", result="ax2")
    program.call(
        "ax2.plot", places, points, color=style.colours[1], linewidth=2, marker=style.marker or "o",
        markersize=frame.points(MARKER_PX), result="line,",
    )  # fmt: skip
    program.call("ax2.spines.right.set_visible", True)
    program.call("ax.set_xlim", -0.6, len(names) - 0.4)
    frame.names_axis(names_variable, below, chart.table.rows.header(), places)
    frame.number_axis("y", chart.axis, left_px)
    frame.number_axis("y", chart.second_axis, right_px, "ax2", right=True)
    frame.grid("y")
    handles, labels = [Name("bars"), Name("line")], [first.name, second.name]
    aside = right_px + LINE * style.font_px
    frame.legend(legend, "ax", handles, labels, below_px=below.total_px, aside_px=aside)
    return program


def radar(chart: SeriesChart) -> Program:
    """Draw closed lines around a centre, one spoke per row."""
    assert chart.axis is not None
    frame, series, names = Frame.begin(chart), chart.table.series, row_names(chart)
    style, program, axis = chart.style, frame.program, chart.axis
    legend = frame.reserve_legend([column.name for column in series]) if len(series) > 1 else None
    room = max(map(frame.width, names)) + style.font_px
    frame.note(axis.title)
    frame.left += room
    frame.right += room
    frame.top += LINE * style.font_px
    frame.bottom += LINE * style.font_px
    side = min(frame.plot_width, frame.plot_height)  # a circle in the middle of the free area
    extra = (frame.plot_width - side) / 2, (frame.plot_height - side) / 2
    frame.left, frame.right = frame.left + extra[0], frame.right + extra[0]
    frame.top, frame.bottom = frame.top + extra[1], frame.bottom + extra[1]
    frame.axes(projection="polar")
    angles = [round(2 * math.pi * k / len(names), 5) for k in range(len(names))]
    program.let("angles", angles)
    program.call("ax.set_theta_offset", round(math.pi / 2, 5))
    program.call("ax.set_theta_direction", -1)
    for k, column in enumerate(series):
        values = numbers(column.values)
        label = {"label": column.name} if len(series) > 1 else {}
        program.call(
            "ax.plot", [*angles, angles[0]], [*values, values[0]], color=style.colours[k], linewidth=1.8, **label
        )
        program.call("ax.fill", angles, values, color=style.colours[k], alpha=0.12)
    program.call("ax.set_ylim", float(axis.low), float(axis.high))
    inner = axis.ticks[1:]
    program.call("ax.set_rgrids", numbers(inner), [frame.number(tick) for tick in inner], angle=_between(len(names)),
                 fontsize=frame.points(style.font_px * 0.85), va="center", ha="center",
                 bbox={"facecolor": style.background, "edgecolor": "none", "pad": 0.3, "alpha": 0.7})  # fmt: skip
    program.call("ax.set_xticks", angles, [""] * len(names))
    program.loop(
        ("angle", "name", "align"),
        [(angle, name, _side(angle)) for angle, name in zip(angles, names, strict=True)],
        "ax.text", Name("angle"), round(float(axis.low + axis.span * Decimal("1.05")), 6), Name("name"),
        ha=Name("align"), va="center",
    )  # fmt: skip
    program.call("ax.grid", True)
    if legend is not None:
        beyond = LINE * style.font_px + extra[1]  # names are around the circle, which may not fill the area
        frame.legend(legend, below_px=beyond, aside_px=room + extra[0], above_px=beyond, marks="ax.lines")
    return program


def _between(count: int) -> float:
    """Return the direction between the first two spokes in degrees, where the numbers are printed."""
    return round(180 / count, 3)


def _side(angle: float) -> str:
    """Return the alignment of a name at the end of a spoke, away from the circle."""
    sine = math.sin(angle)  # clockwise from the top
    return "center" if abs(sine) < 0.15 else "left" if sine > 0 else "right"


def small_multiples(chart: SeriesChart) -> Program:
    """Draw one panel per series, all with the same axes."""
    assert chart.axis is not None
    frame, series, names = Frame.begin(chart), chart.table.series, row_names(chart)
    style, program, axis = chart.style, frame.program, chart.axis
    labels_px = frame.reserve_numbers(axis, "left")
    columns = 2
    rows = -(-len(series) // columns)
    panel_width = frame.plot_width / columns
    upright = max(map(frame.width, names)) + 0.6 * style.font_px > (panel_width - 1.5 * style.font_px) / len(names)
    below = TICK_PX + 2 * GAP * style.font_px + (max(map(frame.width, names)) if upright else style.font_px * LINE)
    frame.bottom += below
    head = LINE * style.font_px + GAP * style.font_px
    panel_height = (frame.plot_height + below) / rows
    places = list(range(len(names)))
    program.let("names", names)
    for k, column in enumerate(series):
        row, place = divmod(k, columns)
        left = frame.left + place * panel_width
        bottom = frame.bottom + (rows - 1 - row) * panel_height
        rectangle = (
            round(left / style.width_px, 4), round(bottom / style.height_px, 4),
            round((panel_width - 1.5 * style.font_px) / style.width_px, 4),
            round((panel_height - below - head) / style.height_px, 4),
        )  # fmt: skip
        name = f"ax{k + 1}"
        program.call("fig.add_axes", rectangle, facecolor=style.background, result=name)
        program.call(f"{name}.bar", places, numbers(column.values), width=0.7, color=style.colours[k])
        program.call(f"{name}.set_title", column.name, y=1.0, pad=frame.points(GAP * style.font_px),
                     fontsize=frame.points(style.font_px))  # fmt: skip
        program.call(f"{name}.set_xlim", -0.6, len(names) - 0.4)
        program.call(f"{name}.set_xticks", places, Name("names"), rotation=90 if upright else 0)
        program.call(f"{name}.set_ylim", float(axis.low), float(axis.high))
        shown = axis.ticks[:: 2 if len(axis.ticks) > 5 else 1]
        program.call(
            f"{name}.set_yticks", numbers(shown), [frame.number(t) for t in shown] if place == 0 else [""] * len(shown)
        )
        frame.grid("y", name)
    x = (frame.left - labels_px) / style.width_px
    program.call("fig.text", round(x, 4), 0.5, axis.title, rotation=90, ha="right", va="center")
    return program
