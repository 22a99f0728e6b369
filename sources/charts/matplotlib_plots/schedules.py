"""Gantt charts and timelines."""

from datetime import date

from sources.charts.chart import ScheduleChart
from sources.charts.matplotlib_plots.frame import LINE, TICK_PX, Frame
from sources.charts.program import Name, Program
from sources.charts.table import format_value

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def gantt(chart: ScheduleChart) -> Program:
    """Draw one bar per task from its start to its end, with a grid line at each labelled date."""
    frame, style = Frame.begin(chart), chart.style
    tasks, starts, ends = ([format_value(value) for value in column.values] for column in chart.table.columns)
    frame.left += max(map(frame.width, tasks)) + TICK_PX + 0.8 * style.font_px
    ticks = [short_date(tick, chart.language) for tick in chart.ticks]
    frame.right += frame.width(ticks[-1]) / 2
    below = frame.reserve_names(ticks, slots=max(1, len(ticks) - 1))
    frame.axes()
    program = frame.program
    names = program.let("tasks", tasks)
    begin = program.let("start_days", [(date.fromisoformat(start) - chart.first).days for start in starts])
    days = [(date.fromisoformat(e) - date.fromisoformat(s)).days for s, e in zip(starts, ends, strict=True)]
    length = program.let("num_days", days)
    colours = [style.colours[k % len(style.colours)] for k in range(len(tasks))] if style.box else style.colours[0]
    places = list(range(len(tasks)))
    program.call("ax.barh", places, length, left=begin, height=0.55, color=colours)
    program.call("ax.set_yticks", places, names)
    program.call("ax.set_ylim", len(tasks) - 0.4, -0.6)
    program.call("ax.set_xlim", 0, (chart.last - chart.first).days)
    labels = program.let("dates", ticks)
    year = {"en": "Date (from {})", "zh": "日期（{}年起）"}[chart.language].format(chart.first.year)
    frame.names_axis(labels, below, year, [(tick - chart.first).days for tick in chart.ticks])
    program.call("ax.grid", axis="x")
    return program


def timeline(chart: ScheduleChart) -> Program:
    """Draw events on a horizontal line, their names alternately above and below it."""
    frame, style = Frame.begin(chart), chart.style
    events, years = ([format_value(value) for value in column.values] for column in chart.table.columns)
    side = max(frame.width(text) for text in (events[0], events[-1])) / 2
    frame.left += side
    frame.right += side
    frame.axes()
    program = frame.program
    program.call("ax.set_axis_off")
    days = [(tick - chart.first).days for tick in chart.ticks]
    span = days[-1]
    program.call("ax.set_xlim", 0, span)
    program.call("ax.set_ylim", -1, 1)
    program.call("ax.plot", [0, span], [0, 0], color=style.ink, linewidth=2, clip_on=False)
    program.call(
        "ax.plot", days, [0] * len(days), style.marker or "o", color=style.colours[0],
        markersize=frame.points(13), clip_on=False,
    )  # fmt: skip
    heights = (0.28, -0.28, 0.66, -0.66)
    lines = 2 * LINE * style.font_px * 2 / frame.plot_height  # height of the text in units of the axis, which has two
    rows = []
    for k, (day, event, year) in enumerate(zip(days, events, years, strict=True)):
        height = heights[k % len(heights)]
        away = 0.55 * lines if height > 0 else -0.55 * lines
        rows.append((day, height, round(height + away, 4), f"{event}\n{year}"))
    program.call("ax.vlines", days, 0, [row[1] for row in rows], color=style.colours[0], linewidth=1, clip_on=False)
    program.loop(
        ("x", "y", "text"), [(x, y, text) for x, _, y, text in rows], "ax.text", Name("x"), Name("y"), Name("text"),
        ha="center", va="center",
    )  # fmt: skip
    return program


def short_date(day: date, language: str) -> str:
    """Return a date without its year."""
    return f"{day.month}月{day.day}日" if language == "zh" else f"{MONTHS[day.month - 1]} {day.day}"
