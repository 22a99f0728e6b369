"""Bars: vertical, horizontal, grouped, stacked, 100 %, lollipops, funnels and waterfalls."""

from decimal import Decimal
from typing import Any

from sources.charts.chart import SeriesChart
from sources.charts.colours import contrasting_colour
from sources.charts.matplotlib_plots.frame import Frame, Names, numbers
from sources.charts.program import Name, Program
from sources.charts.table import Column, format_value

BAR_WIDTH = 0.7
GROUP_WIDTH = 0.8
LABEL_SIZE = 0.88  # relative to the tick labels


def bars(chart: SeriesChart) -> Program:
    """Draw vertical bars, one or several per row, grouped or stacked."""
    assert chart.axis is not None
    frame, series, names = Frame.begin(chart), chart.table.series, row_names(chart)
    legend = frame.reserve_legend([column.name for column in series]) if len(series) > 1 else None
    labels_px = frame.reserve_numbers(chart.axis, "left")
    below = frame.reserve_names(names)
    frame.axes()
    program, stacked = frame.program, chart.kind in ("stacked_bar", "percent_bar")
    names_variable = program.let("names", names)
    width = BAR_WIDTH if stacked or len(series) == 1 else round(GROUP_WIDTH / len(series), 3)
    bottoms = [Decimal(0)] * len(names)
    for k, column in enumerate(series):
        values = program.let(f"values_{k + 1}" if len(series) > 1 else "values", numbers(column.values))
        shift = 0.0 if stacked else (k - (len(series) - 1) / 2) * width
        options: dict[str, Any] = {"color": chart.style.colours[k], "width": width}
        if len(series) > 1:
            options["label"] = column.name
        if stacked and k:
            options["bottom"] = numbers(bottoms)
        container = program.call(
            "ax.bar", [round(j + shift, 3) if shift else j for j in range(len(names))], values, result="bars", **options
        )
        if chart.exact:
            _label(frame, container, column, chart.style.colours[k] if stacked else None)
        bottoms = [
            bottom + (v if isinstance(v, Decimal) else 0) for bottom, v in zip(bottoms, column.values, strict=True)
        ]
    _name_rows(frame, chart, labels_px, below, names_variable)
    if legend is not None:
        frame.legend(legend, below_px=below.total_px, marks="ax.containers")
    return program


def horizontal_bars(chart: SeriesChart) -> Program:
    """Draw one bar per row from left to right, the first at the top."""
    assert chart.axis is not None
    frame, column, names = Frame.begin(chart), chart.table.series[0], row_names(chart)
    frame.left += max(map(frame.width, names)) + 1.4 * frame.style.font_px
    below = frame.reserve_ticks(chart.axis)
    frame.axes()
    program = frame.program
    names_variable = program.let("names", names)
    values = program.let("values", numbers(column.values))
    container = program.call(
        "ax.barh", list(range(len(names))), values, height=BAR_WIDTH, color=chart.style.colours[0], result="bars"
    )
    if chart.exact:
        _label(frame, container, column, None)
    program.call("ax.set_yticks", list(range(len(names))), names_variable)
    program.call("ax.set_ylim", len(names) - 0.4, -0.6)
    frame.number_axis("x", chart.axis, below)
    _zero_line(frame, chart, "axvline")
    frame.grid("x")
    return program


def lollipops(chart: SeriesChart) -> Program:
    """Draw a stem and a dot for each value."""
    assert chart.axis is not None
    frame, column, names = Frame.begin(chart), chart.table.series[0], row_names(chart)
    labels_px = frame.reserve_numbers(chart.axis, "left")
    below = frame.reserve_names(names)
    frame.axes()
    program, colour = frame.program, chart.style.colours[0]
    names_variable = program.let("names", names)
    values = program.let("values", numbers(column.values))
    places = list(range(len(names)))
    program.call("ax.vlines", places, 0, values, color=colour, linewidth=2)
    program.call("ax.plot", places, values, "o", color=colour, markersize=frame.points(10))
    if chart.exact:
        label_points(frame, places, column, chart)
    _name_rows(frame, chart, labels_px, below, names_variable)
    return program


def waterfall(chart: SeriesChart) -> Program:
    """Draw a start, floating changes and the end."""
    assert chart.axis is not None
    frame, names = Frame.begin(chart), row_names(chart)
    values = chart.table.series[0].numbers()
    labels_px = frame.reserve_numbers(chart.axis, "left")
    below = frame.reserve_names(names)
    frame.axes()
    program, style = frame.program, chart.style
    names_variable = program.let("names", names)
    bottoms, level = [Decimal(0)], values[0]
    for change in values[1:-1]:
        bottoms.append(min(level, level + change))
        level += change
    bottoms.append(Decimal(0))
    rise, fall, whole = style.colours[2], style.colours[1], style.colours[0]
    colours = [whole, *(rise if change > 0 else fall for change in values[1:-1]), whole]
    places = list(range(len(names)))
    program.let("changes", numbers(values))
    heights = numbers([abs(value) for value in values])
    container = program.call(
        "ax.bar", places, heights, bottom=numbers(bottoms), width=0.6, color=colours, result="bars"
    )
    signed = [frame.number(values[0]), *(_signed(frame, change) for change in values[1:-1]), frame.number(values[-1])]
    program.call("ax.bar_label", container, signed, padding=2, fontsize=frame.points(style.font_px * LABEL_SIZE))
    _name_rows(frame, chart, labels_px, below, names_variable)
    return program


def funnel(chart: SeriesChart) -> Program:
    """Draw centred bars below each other, with their values inside or next to them."""
    frame, column, names = Frame.begin(chart), chart.table.series[0], row_names(chart)
    frame.left += max(map(frame.width, names)) + 1.2 * frame.style.font_px
    frame.axes()
    program, style = frame.program, chart.style
    values = column.numbers()
    program.call(
        "ax.barh", list(range(len(names))), numbers(values), left=numbers([-value / 2 for value in values]),
        height=0.82, color=[style.colours[k % len(style.colours)] for k in range(len(names))],
    )  # fmt: skip
    widest = values[0]
    rows: list[tuple[float | int, int, str, str, str]] = []
    for k, value in enumerate(values):
        text = frame.number(value)
        fits = frame.width(text) * 1.3 < float(value / widest) * frame.plot_width
        colour = contrasting_colour(style.colours[k % len(style.colours)]) if fits else style.ink
        place = 0 if fits else float(value / 2 + widest * Decimal("0.015"))
        rows.append((place, k, text, colour, "center" if fits else "left"))
    variables = ("x", "y", "text", "color", "align")
    program.loop(
        variables, rows, "ax.text", Name("x"), Name("y"), Name("text"), color=Name("color"), ha=Name("align"),
        va="center_baseline",
    )  # fmt: skip
    program.call("ax.set_yticks", list(range(len(names))), names)
    program.call("ax.set_ylim", len(names) - 0.4, -0.6)
    program.call("ax.set_xlim", -float(widest) / 2, float(widest) / 2)
    program.call("ax.set_xticks", [])
    program.call("ax.tick_params", left=False)
    program.call("ax.set_frame_on", False)
    return program


def row_names(chart: SeriesChart) -> list[str]:
    """Return the names of the rows as text."""
    return [format_value(value) for value in chart.table.rows.values]


def label_points(frame: Frame, places: list[int], column: Column, chart: SeriesChart) -> None:
    """Print values above the points of a line, or below them at a minimum."""
    assert chart.axis is not None
    known = [(place, value) for place, value in zip(places, column.values, strict=True) if isinstance(value, Decimal)]
    rows = []
    for k, (place, value) in enumerate(known):
        around = [known[j][1] for j in (k - 1, k + 1) if 0 <= j < len(known)]
        low = value < sum(around) / len(around) and chart.axis.share(value) > 1 / 8
        if chart.kind == "lollipop":
            low = value < 0
        rows.append((place, float(value), frame.number(value), -0.75 if low else 0.75))
    size = frame.style.font_px * LABEL_SIZE
    program = frame.program
    program.loop(
        ("x", "y", "text", "dy"),
        [(x, y, text, round(frame.points(size * 1.25) * sign / 0.75, 2)) for x, y, text, sign in rows],
        "ax.annotate", Name("text"), (Name("x"), Name("y")), xytext=(0, Name("dy")), textcoords="offset points",
        ha="center", va="center", fontsize=frame.points(size),
        bbox={"facecolor": frame.style.background, "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _name_rows(frame: Frame, chart: SeriesChart, labels_px: float, below: Names, names: Name) -> None:
    """Draw both axes of a chart with vertical bars."""
    assert chart.axis is not None
    count = len(chart.table)
    frame.program.call("ax.set_xlim", -0.6, count - 0.4)
    frame.names_axis(names, below, chart.table.rows.header(), list(range(count)))
    frame.number_axis("y", chart.axis, labels_px)
    _zero_line(frame, chart, "axhline")
    frame.grid("y")


def _zero_line(frame: Frame, chart: SeriesChart, function: str) -> None:
    if chart.axis is not None and chart.axis.low < 0:
        frame.program.call(f"ax.{function}", 0, color=chart.style.ink, linewidth=0.8)


def _label(frame: Frame, container: Name, column: Column, inside: str | None) -> None:
    texts = [frame.number(value) if isinstance(value, Decimal) else "" for value in column.values]
    options: dict[str, Any] = {"fontsize": frame.points(frame.style.font_px * LABEL_SIZE)}
    if inside is not None:
        options |= {"label_type": "center", "color": contrasting_colour(inside)}
    else:
        options["padding"] = 2
    frame.program.call("ax.bar_label", container, texts, **options)


def _signed(frame: Frame, value: Decimal) -> str:
    return f"+{frame.number(value)}" if value > 0 else frame.number(value)
