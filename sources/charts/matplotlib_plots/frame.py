"""The frame of a plot: figure, axes that leave space for all texts, ticks, titles, legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sources.charts.axis import Axis
from sources.charts.chart import Chart
from sources.charts.fonts import text_width
from sources.charts.program import Name, Program
from sources.charts.style import Style
from sources.charts.table import format_grouped

PAD = 0.9  # around the picture, in font sizes
LINE = 1.5  # height of a line of text, in font sizes
TICK_PX = 4
GAP = 0.45  # between a text and its mark, in font sizes
NOTE_SIZE = 0.85  # of the source line, relative to the tick labels
POINTS_PER_INCH = 72


@dataclass(slots=True)
class Frame:
    """Writes the parts of a program that all plots share; lengths in pixels.

    Args:
        top, bottom, left, right: margins in use, from the sides of the picture.
    """

    program: Program
    style: Style
    top: float = 0
    bottom: float = 0
    left: float = 0
    right: float = 0

    @staticmethod
    def begin(chart: Chart, style: Style | None = None) -> "Frame":
        """Return a frame with a figure, its title and its source; `style` replaces the style of the chart."""
        style, title = style or chart.style, chart.title
        frame = Frame(Program(), style)
        pad = PAD * style.font_px
        frame.top = frame.bottom = frame.left = frame.right = pad
        frame._figure()
        room = style.width_px - 2 * pad
        size = style.title_px
        needed = text_width(title, style.face, size, bold=style.bold_title)
        size = max(style.font_px, min(size, size * room / needed))
        x = pad / style.width_px if style.title_left else 0.5
        frame.program.call(
            "fig.suptitle",
            title,
            x=round(x, 4),
            y=round(1 - pad / style.height_px, 4),
            ha="left" if style.title_left else "center",
            va="top",
            fontsize=frame.points(size),
            fontweight="bold" if style.bold_title else "normal",
        )
        frame.top += size * LINE + GAP * style.font_px
        if chart.source:
            frame.source_line(chart.source)
        return frame

    def _figure(self) -> None:
        style = self.style
        self.program.call(
            "plt.rcParams.update",
            {
                "font.family": [style.face.family],
                "font.size": self.points(style.font_px),
                "axes.unicode_minus": False,
                "text.parse_math": False,  # two dollar signs in a name are no formula
                "axes.linewidth": 0.8,
                "axes.edgecolor": style.ink,
                "axes.labelcolor": style.ink,
                "axes.spines.top": style.box,
                "axes.spines.right": style.box,
                "axes.axisbelow": True,
                "text.color": style.ink,
                "xtick.color": style.ink,
                "ytick.color": style.ink,
                "grid.color": "#B8B8B8",
                "grid.linewidth": 0.6,
                "grid.alpha": 0.7,
                "patch.linewidth": 0.8,
                "xtick.major.size": self.points(TICK_PX),
                "ytick.major.size": self.points(TICK_PX),
                "xtick.major.pad": self.points(GAP * style.font_px),
                "ytick.major.pad": self.points(GAP * style.font_px),
            },
        )
        self.program.call(
            "plt.figure",
            figsize=(style.width_px / style.dpi, style.height_px / style.dpi),
            dpi=style.dpi,
            facecolor=style.background,
            result="fig",
        )

    def points(self, size_px: float) -> float:
        """Convert pixels to points at the resolution of the picture."""
        return round(size_px * POINTS_PER_INCH / self.style.dpi, 2)

    def width(self, text: str) -> float:
        """Return the width of a text in pixels."""
        return text_width(text, self.style.face, self.style.font_px)

    def number(self, value: Decimal) -> str:
        """Format a number as this chart prints it."""
        return format_grouped(value) if self.style.grouped_numbers else f"{value:f}"

    @property
    def plot_width(self) -> float:
        return self.style.width_px - self.left - self.right

    @property
    def plot_height(self) -> float:
        return self.style.height_px - self.top - self.bottom

    def rectangle(self) -> tuple[float, float, float, float]:
        """The rest of the figure for the axes: left, bottom, width, height as fractions of the figure."""
        style = self.style
        return (
            round(self.left / style.width_px, 4),
            round(self.bottom / style.height_px, 4),
            round(self.plot_width / style.width_px, 4),
            round(self.plot_height / style.height_px, 4),
        )

    def axes(self, name: str = "ax", **options: object) -> None:
        """Add axes in the rest of the figure."""
        self.program.call("fig.add_axes", self.rectangle(), facecolor=self.style.background, result=name, **options)

    def reserve_legend(self, names: Sequence[str]) -> "Legend":
        """Reserve space for a legend; call `legend` after the marks are drawn."""
        font = self.style.font_px
        widths = [self.width(name) + 2.1 * font for name in names]
        place = self.style.legend
        if place == "right":
            self.right += max(widths) + 1.2 * font
            return Legend(tuple(names), place, 1, 1)
        room = self.style.width_px - 2 * PAD * font - 0.6 * font
        columns = len(names)
        while columns > 1 and max(widths) * columns + 1.3 * font * (columns - 1) > room:
            columns -= 1
        rows = -(-len(names) // columns)
        height = rows * 1.6 * font + 0.7 * font
        if place == "top":
            self.top += height
        else:
            self.bottom += height
        return Legend(tuple(names), place, columns, height)

    def legend(
        self, legend: "Legend", axes: str = "ax", *args: object, below_px: float = 0, aside_px: float = 0,
        above_px: float = 0, marks: str = "",
    ) -> None:  # fmt: skip
        """Draw the legend in its reserved space.

        Args:
            args: handles and names, if the marks do not have them.
            marks: the marks in the order of the names, a path such as `ax.lines`.
            below_px, aside_px, above_px: heights or widths of labels below, right of and above the axes.
        """
        font = self.style.font_px
        anchors = {
            "right": ("center left", (round(1 + (aside_px + 0.6 * font) / self.plot_width, 4), 0.5)),
            "top": ("lower center", (0.5, round(1 + (above_px + 0.2 * font) / self.plot_height, 4))),
            "bottom": ("upper center", (0.5, round(-(below_px + 0.3 * font) / self.plot_height, 4))),
        }
        loc, anchor = anchors[legend.place]
        if marks and any(name.startswith("_") for name in legend.names):  # matplotlib leaves such labels out
            args = (Name(marks), list(legend.names))
        self.program.call(
            f"{axes}.legend", *args, loc=loc, bbox_to_anchor=anchor, ncols=legend.columns, frameon=False,
            handlelength=1.4, handletextpad=0.5, columnspacing=1.3, labelspacing=0.4, borderpad=0.2, borderaxespad=0,
        )  # fmt: skip

    def source_line(self, text: str) -> None:
        """Add the line that names the source, at the bottom on the left."""
        style = self.style
        place = PAD * style.font_px
        self.program.call(
            "fig.text", round(place / style.width_px, 4), round(place / style.height_px, 4), text,
            ha="left", va="bottom", fontsize=self.points(style.font_px * NOTE_SIZE),
        )  # fmt: skip
        self.bottom += LINE * style.font_px

    def note(self, text: str) -> None:
        """Add a line at the bottom, e.g. the unit of numbers without an axis. Call it before `axes`."""
        font = self.style.font_px
        self.program.call(
            "fig.text", round(1 - PAD * font / self.style.width_px, 4), round(self.bottom / self.style.height_px, 4),
            text, ha="right", va="bottom", fontsize=self.points(font * 0.9),
        )  # fmt: skip
        self.bottom += LINE * font

    def reserve_numbers(self, axis: Axis, side: str) -> float:
        """Reserve space for tick labels and title of a vertical axis; return the width of the tick labels with gap."""
        font = self.style.font_px
        widest = max(self.width(self.number(tick)) for tick in axis.ticks)
        labels = widest + TICK_PX + 0.7 * font
        taken = labels + LINE * font
        if side == "left":
            self.left += taken
        else:
            self.right += taken
        return labels

    def reserve_ticks(self, axis: Axis) -> float:
        """Reserve space for tick labels and title of a horizontal axis; return the height of the labels with gap."""
        height = TICK_PX + 0.5 * self.style.font_px + LINE * self.style.font_px
        self.bottom += height + LINE * self.style.font_px
        # The first and last labels are centred on the ends of the axis.
        self.left = max(self.left, PAD * self.style.font_px + self.width(self.number(axis.ticks[0])) / 2)
        self.right += self.width(self.number(axis.ticks[-1])) / 2
        return height

    def reserve_names(self, names: Sequence[str], *, has_title: bool = True, slots: int | None = None) -> "Names":
        """Reserve space below the axes for tick labels and a title. Call it when left and right are final.

        Names that do not fit horizontally are vertical.
        """
        font = self.style.font_px
        slot = self.plot_width / (slots or len(names))
        widths = [self.width(name) for name in names]
        upright = max(widths) + 0.6 * font > slot
        height = TICK_PX + 0.7 * font + (max(widths) + 0.3 * font if upright else LINE * font)
        self.bottom += height + (LINE * font if has_title else 0)
        return Names(upright, height, LINE * font if has_title else 0)

    def number_axis(self, which: str, axis: Axis, labels_px: float, axes: str = "ax", *, right: bool = False) -> None:
        """Draw limits, ticks and title of an axis of numbers; `which` is x or y."""
        if axis.is_log:
            self.program.call(f"{axes}.set_{which}scale", "log")
        self.program.call(f"{axes}.set_{which}lim", float(axis.low), float(axis.high))
        self.program.call(f"{axes}.set_{which}ticks", numbers(axis.ticks), [self.number(tick) for tick in axis.ticks])
        if axis.is_log:  # tick marks at 2 to 9 times every power of ten, without labels
            marks = numbers([tick * k for tick in axis.ticks[:-1] for k in range(2, 10)])
            self.program.call(f"{axes}.set_{which}ticks", marks, [""] * len(marks), minor=True)
        self.axis_title(which, axis.title, labels_px, axes, right=right)

    def axis_title(self, which: str, title: str, labels_px: float, axes: str = "ax", *, right: bool = False) -> None:
        """Draw the title of an axis at a distance of `labels_px`."""
        self.program.call(f"{axes}.set_{which}label", title)
        if which == "y":
            distance = labels_px / self.plot_width
            place = (round(1 + distance if right else -distance, 4), 0.5)
        else:
            place = (0.5, round(-labels_px / self.plot_height, 4))
        self.program.call(f"{axes}.{which}axis.set_label_coords", *place)

    def names_axis(self, names: Name, layout: "Names", title: str, places: Sequence[float]) -> None:
        """Draw ticks with names below the axes, and the title below them."""
        self.program.call("ax.set_xticks", list(places), names, rotation=90 if layout.upright else 0)
        if layout.title_px:
            self.axis_title("x", title, layout.labels_px)

    def grid(self, which: str, axes: str = "ax") -> None:
        """Draw grid lines if the style has them."""
        if self.style.grid:
            self.program.call(f"{axes}.grid", axis=which)


@dataclass(frozen=True, slots=True)
class Legend:
    """Names in the legend, its position, its number of columns and its height in pixels."""

    names: tuple[str, ...]
    place: str
    columns: int
    height_px: float


@dataclass(frozen=True, slots=True)
class Names:
    """Layout of names below the axes: vertical or not, their height and the height of the title in pixels."""

    upright: bool
    labels_px: float
    title_px: float

    @property
    def total_px(self) -> float:
        return self.labels_px + self.title_px


def _number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)


def numbers(values: Sequence[object]) -> list[float | int]:
    """Return exact numbers as floats; missing ones are NaN, which matplotlib skips."""
    return [_number(value) if isinstance(value, Decimal) else float("nan") for value in values]
