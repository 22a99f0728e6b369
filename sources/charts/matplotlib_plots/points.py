"""Points in the plane: scatter, bubbles, trend lines."""

from sources.charts.chart import PointsChart
from sources.charts.colours import contrasting_colour
from sources.charts.matplotlib_plots.frame import Frame, numbers
from sources.charts.program import Name, Program

MARKER_PX = 7
BUBBLE_PX = (34, 84)  # diameters of the smallest and largest bubble


def points(chart: PointsChart) -> Program:
    """Draw one mark per row of the table."""
    frame, table, style = Frame.begin(chart), chart.table, chart.style
    group = chart.group
    names = sorted({str(value) for value in group.values}) if group is not None else []
    legend = frame.reserve_legend(names) if names else None
    labels_px = frame.reserve_numbers(chart.y_axis, "left")
    below = frame.reserve_ticks(chart.x_axis)
    frame.axes()
    program = frame.program
    x_values, y_values = (numbers(table.columns[k].values) for k in (0, 1))
    area = round(frame.points(MARKER_PX) ** 2, 2)
    marker = style.marker or "o"
    if group is not None:
        for k, name in enumerate(names):
            rows = [j for j, value in enumerate(group.values) if value == name]
            x = program.let(f"x_{k + 1}", [x_values[j] for j in rows])
            y = program.let(f"y_{k + 1}", [y_values[j] for j in rows])
            program.call("ax.scatter", x, y, s=area, color=style.colours[k], marker="osD"[k], label=name)
    else:
        x, y = program.let("x", x_values), program.let("y", y_values)
        if chart.size is not None:
            _bubbles(frame, chart, x, y)
        else:
            program.call("ax.scatter", x, y, s=area, color=style.colours[0], marker=marker)
    if chart.trend is not None:
        slope, intercept = chart.trend
        ends = [min(x_values), max(x_values)]
        program.call(
            "ax.plot", ends, [round(intercept + slope * end, 6) for end in ends], color=style.colours[1], linewidth=1.8
        )
    frame.number_axis("x", chart.x_axis, below)
    frame.number_axis("y", chart.y_axis, labels_px)
    frame.grid("both")
    if legend is not None:
        frame.legend(legend, below_px=below + 1.5 * style.font_px, marks="ax.collections")
    return program


def _bubbles(frame: Frame, chart: PointsChart, x: Name, y: Name) -> None:
    """Draw circles whose areas are proportional to the sizes printed in them."""
    assert chart.size is not None
    sizes = chart.size.numbers()
    low, high = BUBBLE_PX
    span = max(sizes) - min(sizes)
    diameters = [
        (low**2 + (high**2 - low**2) * float((size - min(sizes)) / span)) ** 0.5 for size in sizes
    ]  # fmt: skip
    colour = chart.style.colours[0]
    frame.program.let("sizes", numbers(sizes))
    areas = [round(frame.points(diameter) ** 2, 1) for diameter in diameters]
    frame.program.call("ax.scatter", x, y, s=areas, color=colour, alpha=0.75, edgecolors=chart.style.background)
    rows = [
        (float(a), float(b), f"{size:f}")
        for a, b, size in zip(chart.table.columns[0].numbers(), chart.table.columns[1].numbers(), sizes, strict=True)
    ]
    frame.program.loop(
        ("a", "b", "size"), rows, "ax.text", Name("a"), Name("b"), Name("size"), ha="center", va="center",
        color=contrasting_colour(colour),
    )  # fmt: skip
