"""Shares of a whole: pies, donuts, treemaps."""

import math
from collections.abc import Sequence
from decimal import Decimal

from sources.charts.chart import SeriesChart
from sources.charts.colours import contrasting_colour
from sources.charts.matplotlib_plots.bars import row_names
from sources.charts.matplotlib_plots.frame import LINE, Frame, numbers
from sources.charts.program import Call, Name, Program


def pie(chart: SeriesChart) -> Program:
    """Draw a pie or donut; names are around it or in a legend, values in the slices."""
    frame, column, names = Frame.begin(chart), chart.table.series[0], row_names(chart)
    style, program = chart.style, frame.program
    around = style.box  # names around the pie instead of a legend
    legend = None if around else frame.reserve_legend(names)
    if around:
        room = max(map(frame.width, names)) + 0.8 * style.font_px
        frame.left += room
        frame.right += room
        frame.top += LINE * style.font_px
        frame.bottom += LINE * style.font_px
    is_donut = chart.kind == "donut"
    if column.unit != "%" and not is_donut:
        frame.note(column.header())
    frame.axes()
    program.let("names", names)
    program.let("values", numbers(column.values))
    colours = [style.colours[k % len(style.colours)] for k in range(len(names))]
    program.call(
        "ax.pie", Name("values"), colors=colours, startangle=90, counterclock=False, labeldistance=1.06,
        labels=Name("names") if around else None,
        wedgeprops={"linewidth": 1, "edgecolor": style.background, **({"width": 0.45} if is_donut else {})},
        result="pie",
    )  # fmt: skip
    texts = [f"{frame.number(v)}{'%' if column.unit == '%' else ''}" for v in column.numbers()]
    distance = 0.775 if is_donut else 0.68
    rows = []
    total, turned = sum(column.numbers(), Decimal(0)), Decimal(0)
    for k, value in enumerate(column.numbers()):
        angle = float((turned + value / 2) / total)
        turned += value
        rows.append((*_at(angle, distance), texts[k], contrasting_colour(colours[k])))
    program.loop(
        ("x", "y", "text", "color"), rows, "ax.text", Name("x"), Name("y"), Name("text"), color=Name("color"),
        ha="center", va="center",
    )  # fmt: skip
    if column.unit != "%" and is_donut:
        program.call("ax.text", 0, 0, column.header().replace(" (", "\n("), ha="center", va="center")
    if legend is not None:
        frame.legend(legend, "ax", Name("pie.wedges"), Name("names"))
    return program


def _at(turn: float, distance: float) -> tuple[float, float]:
    """Return x and y at a fraction of a full turn, clockwise from the top."""
    return round(distance * math.sin(2 * math.pi * turn), 4), round(distance * math.cos(2 * math.pi * turn), 4)


def treemap(chart: SeriesChart) -> Program:
    """Draw rectangles whose areas are the values, as square as possible."""
    frame, column, names = Frame.begin(chart), chart.table.series[0], row_names(chart)
    style, program = chart.style, frame.program
    frame.note(column.header())
    frame.axes()
    program.call("ax.set_axis_off")
    width, height = round(frame.plot_width), round(frame.plot_height)
    program.call("ax.set_xlim", 0, width)
    program.call("ax.set_ylim", 0, height)
    order = sorted(range(len(names)), key=lambda k: -column.numbers()[k])
    areas = squarify([float(column.numbers()[k]) for k in order], width, height)
    rectangles, labels = [], []
    for place, (k, (x, y, w, h)) in enumerate(zip(order, areas, strict=True)):
        colour = style.colours[place % len(style.colours)]
        rectangles.append(((round(x, 1), round(y, 1)), round(w, 1), round(h, 1), colour))
        text = f"{names[k]}\n{frame.number(column.numbers()[k])}{'%' if column.unit == '%' else ''}"
        labels.append((round(x + w / 2, 1), round(y + h / 2, 1), text, contrasting_colour(colour)))
    program.loop(
        ("corner", "width", "height", "color"), rectangles, "ax.add_patch",
        Call("plt.Rectangle", Name("corner"), Name("width"), Name("height"), facecolor=Name("color"),
             edgecolor=style.background, linewidth=1.5),
    )  # fmt: skip
    program.loop(
        ("x", "y", "text", "color"), labels, "ax.text", Name("x"), Name("y"), Name("text"), color=Name("color"),
        ha="center", va="center",
    )  # fmt: skip
    return program


def squarify(values: Sequence[float], width: float, height: float) -> list[tuple[float, float, float, float]]:
    """Return rectangles (x, y, width, height) that fill an area in proportion to values, largest first.

    Bruls, Huizing, van Wijk, Squarified Treemaps (2000): a row along the shorter side grows while that makes its
    worst rectangle squarer.
    """
    scale = width * height / sum(values)
    left = [value * scale for value in values]
    found: list[tuple[float, float, float, float]] = []
    x = y = 0.0
    while left:
        side = min(width, height)
        count = 1
        while count < len(left) and _worst(left[: count + 1], side) <= _worst(left[:count], side):
            count += 1
        row, left = left[:count], left[count:]
        thickness, place = sum(row) / side, 0.0
        for area in row:
            length = area / thickness
            found.append((x, y + place, thickness, length) if width >= height else (x + place, y, length, thickness))
            place += length
        if width >= height:
            x, width = x + thickness, width - thickness
        else:
            y, height = y + thickness, height - thickness
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """Return the largest aspect ratio in a row of areas along a side."""
    thickness = sum(row) / side
    return max(max(thickness * thickness / area, area / (thickness * thickness)) for area in row)
