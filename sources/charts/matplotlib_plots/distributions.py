"""Repeated measurements: histogram, density, box, violin, error bars."""

from dataclasses import dataclass
from typing import Any

from sources.charts.chart import DistributionChart
from sources.charts.distributions import density
from sources.charts.matplotlib_plots.frame import Frame, Names, numbers
from sources.charts.program import Program

GRID_POINTS = 80  # of a density curve


def histogram(chart: DistributionChart) -> Program:
    """Draw touching bars, one per bin."""
    assert chart.count_axis is not None
    frame, style = Frame.begin(chart), chart.style
    labels_px = frame.reserve_numbers(chart.count_axis, "left")
    below = frame.reserve_ticks(chart.axis)
    frame.axes()
    program = frame.program
    counts = chart.table.series[0].numbers()
    values = program.let("counts", numbers(counts))
    width = numbers([chart.edges[1] - chart.edges[0]])[0]
    drawn = program.call(
        "ax.bar", numbers(chart.edges[:-1]), values, width=width, align="edge", color=style.colours[0],
        edgecolor=style.background, result="bars",
    )  # fmt: skip
    if chart.exact:
        size = frame.points(style.font_px * 0.88)
        program.call("ax.bar_label", drawn, [frame.number(count) for count in counts], padding=2, fontsize=size)
    frame.number_axis("x", chart.axis, below)
    frame.number_axis("y", chart.count_axis, labels_px)
    frame.grid("y")
    return program


def densities(chart: DistributionChart) -> Program:
    """Draw one filled smooth curve per group."""
    frame, style = Frame.begin(chart), chart.style
    legend = frame.reserve_legend(chart.groups)
    below = frame.reserve_ticks(chart.axis)
    frame.axes()
    program = frame.program
    low, span = float(chart.axis.low), float(chart.axis.span)
    grid = [round(low + span * k / (GRID_POINTS - 1), 4) for k in range(GRID_POINTS)]
    x = program.let("x", grid)
    for k, (group, sample) in enumerate(zip(chart.groups, chart.samples, strict=True)):
        heights = [float(f"{height:.4g}") for height in density(sample, grid)]
        y = program.let(f"density_{k + 1}", heights)
        program.call("ax.plot", x, y, color=style.colours[k], linewidth=1.8, label=group)
        program.call("ax.fill_between", x, y, color=style.colours[k], alpha=0.2, linewidth=0)
    program.call("ax.set_ylim", bottom=0)
    program.call("ax.set_yticks", [])
    frame.number_axis("x", chart.axis, below)
    frame.grid("x")
    frame.legend(legend, below_px=below + 1.5 * style.font_px, marks="ax.lines")
    return program


def boxes(chart: DistributionChart) -> Program:
    """Draw boxes from quartile to quartile, with whiskers to the extremes."""
    upright = _Upright.begin(chart)
    program, style = upright.frame.program, chart.style
    keys = ("whislo", "q1", "med", "q3", "whishi")
    columns = [numbers(column.values) for column in chart.table.series]
    stats: list[dict[str, Any]] = [
        {**{key: column[k] for key, column in zip(keys, columns, strict=True)}, "fliers": []}
        for k in range(len(chart.groups))
    ]
    drawn = program.let("stats", stats)
    program.call(
        "ax.bxp", drawn, positions=list(range(len(stats))), widths=0.5, showfliers=False, patch_artist=True,
        manage_ticks=False, boxprops={"facecolor": style.colours[0], "edgecolor": style.ink, "alpha": 0.7},
        medianprops={"color": style.ink, "linewidth": 2}, whiskerprops={"color": style.ink},
        capprops={"color": style.ink},
    )  # fmt: skip
    return upright.finish()


def violins(chart: DistributionChart) -> Program:
    """Draw densities on both sides of a vertical line, with bars at median and extremes."""
    upright = _Upright.begin(chart)
    program, style = upright.frame.program, chart.style
    samples = program.let("samples", [list(sample) for sample in chart.samples])
    program.call(
        "ax.violinplot", samples, positions=list(range(len(chart.groups))), widths=0.75, showmedians=True,
        facecolor=(style.colours[0], 0.5), linecolor=style.ink,
    )  # fmt: skip
    return upright.finish()


def error_bars(chart: DistributionChart) -> Program:
    """Draw a dot at the mean and a bar of one standard deviation up and down."""
    upright = _Upright.begin(chart)
    frame, program, style = upright.frame, upright.frame.program, chart.style
    means, errors = (numbers(column.values) for column in chart.table.series)
    y, spread = program.let("means", means), program.let("errors", errors)
    program.call(
        "ax.errorbar", list(range(len(means))), y, yerr=spread, fmt=style.marker or "o", color=style.colours[0],
        ecolor=style.ink, capsize=frame.points(6), markersize=frame.points(9), elinewidth=1.4,
    )  # fmt: skip
    return upright.finish()


@dataclass(frozen=True, slots=True)
class _Upright:
    """A frame with the groups below the axes and the measured quantity on the left."""

    chart: DistributionChart
    frame: Frame
    labels_px: float
    below: Names

    @staticmethod
    def begin(chart: DistributionChart) -> "_Upright":
        frame = Frame.begin(chart)
        labels_px = frame.reserve_numbers(chart.axis, "left")
        below = frame.reserve_names(chart.groups)
        frame.axes()
        return _Upright(chart, frame, labels_px, below)

    def finish(self) -> Program:
        chart, frame = self.chart, self.frame
        names = frame.program.let("groups", list(chart.groups))
        frame.program.call("ax.set_xlim", -0.6, len(chart.groups) - 0.4)
        frame.names_axis(names, self.below, chart.table.rows.name, list(range(len(chart.groups))))
        frame.number_axis("y", chart.axis, self.labels_px)
        frame.grid("y")
        return frame.program
