"""Bars: vertical, horizontal, grouped, stacked, 100 %, and lollipops."""

from decimal import Decimal

from sources.charts.chart import SeriesChart
from sources.charts.matplotlib_plots.frame import Frame, numbers
from sources.charts.program import Name, Program
from sources.charts.table import Column, plain

BAR_WIDTH = 0.7


def bars(chart: SeriesChart) -> Program:
    """Upright bars, one row of them or several beside or above each other."""
    frame = Frame.begin(chart.title, chart.style)
    axis, series, names = chart.axis, chart.table.series, [plain(value) for value in chart.table.rows.values]
    assert axis is not None
    legend = frame.reserve_legend([column.name for column in series]) if len(series) > 1 else None
    labels_px = frame.reserve_numbers(axis, "left")
    below = frame.reserve_names(names)
    frame.axes()
    program = frame.program
    names_variable = program.let("names", names)
    stacked = chart.kind in ("stacked_bar", "percent_bar")
    width = BAR_WIDTH if stacked or len(series) == 1 else round(0.8 / len(series), 3)
    bottoms = [Decimal(0)] * len(chart.table)
    for k, column in enumerate(series):
        values = program.let(f"values_{k + 1}" if len(series) > 1 else "values", numbers(column.values))
        places = list(range(len(names)))
        if not stacked and len(series) > 1:
            places = [round(place + (k - (len(series) - 1) / 2) * width, 3) for place in places]
        options: dict[str, object] = {"color": chart.style.colours[k], "width": width}
        if len(series) > 1:
            options["label"] = column.name
        if stacked and k:
            options["bottom"] = numbers(bottoms)
        drawn = program.call("ax.bar", places, values, result="bars", **options)
        if chart.exact:
            _label(frame, drawn, column, chart.style.colours[k] if stacked else None)
        bottoms = [bottom + (value if isinstance(value, Decimal) else 0) for bottom, value in zip(bottoms, column.values, strict=True)]
    assert names_variable
    _finish(frame, chart, labels_px, below, names)
    if legend is not None:
        frame.legend(legend, below_px=below.total_px)
    return program


def _finish(frame: Frame, chart: SeriesChart, labels_px: float, below, names) -> None:
    assert chart.axis is not None
    frame.program.call("ax.set_xlim", -0.6, len(names) - 0.4)
    frame.names_axis(names, below, chart.table.rows.header())
    frame.number_axis("y", chart.axis, labels_px)
    if chart.axis.low < 0:
        frame.program.call("ax.axhline", 0, color=chart.style.ink, linewidth=0.8)
    frame.grid("y")


def _label(frame: Frame, drawn: Name, column: Column, inside: str | None) -> None:
    texts = ["" if value is None else frame.number(value) for value in column.values if not isinstance(value, str)]
    options: dict[str, object] = {"fontsize": frame.points(frame.style.font_px * 0.88)}
    if inside is not None:
        options |= {"label_type": "center", "color": readable_on(inside)}
    else:
        options["padding"] = 2
    frame.program.call("ax.bar_label", drawn, texts, **options)


def readable_on(colour: str) -> str:
    """Black or white, whichever stands out more from a `#RRGGBB` colour."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#FFFFFF"  # WCAG contrast: equal at 0.179
