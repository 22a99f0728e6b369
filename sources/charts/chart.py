"""Charts as data, before drawing: one class per family of kinds."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from sources.charts.axis import Axis
from sources.charts.noun import ROW, Noun
from sources.charts.style import Style
from sources.charts.table import Column, Table


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Base class of all charts.

    Args:
        kind: name of the kind, e.g. `stacked_bar`.
        language: language of all texts, `en` or `zh`.
        table: the data, as precise as a reader can take them from the picture; all answers are computed from it.
        exact: True if numbers are printed; else they can be read to the step of their column.
        row_noun, series_noun: nouns for the names of rows and of series, where questions use them.
        absent: names that would fit as rows of the table but are not in the picture.
        source: line that names where the data are from; empty if there is none.
    """

    family: ClassVar[str]

    kind: str
    language: str
    title: str
    table: Table
    style: Style
    exact: bool
    row_noun: Noun = ROW
    series_noun: Noun | None = None
    absent: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class SeriesChart(Chart):
    """One or more series of numbers along named rows: bars, lines, areas, shares, heat maps, etc.

    Args:
        measure, unit: quantity and unit of the numbers.
        axis: axis of the numbers; None if the kind has none (pie, treemap).
        second_axis: axis of the last series, on a chart with two axes.
        over_time: True if the rows are consecutive in time.
        additive: True if totals and shares make sense.
        every: one of so many rows has its name on the axis; the others have a tick mark.
    """

    family: ClassVar[str] = "series"

    measure: str
    unit: str
    axis: Axis | None = None
    second_axis: Axis | None = None
    over_time: bool = False
    additive: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        # A value outside its axis would not be visible.
        columns = self.table.series
        if self.axis is not None and self.kind != "waterfall":
            first_axis = columns[:1] if self.second_axis else columns
            assert all(
                self.axis.low <= value <= self.axis.high for column in first_axis for value in column.numbers()
            ), self
        if self.second_axis is not None:
            values = columns[1].numbers()
            assert all(self.second_axis.low <= value <= self.second_axis.high for value in values), self


@dataclass(frozen=True, kw_only=True)
class PointsChart(Chart):
    """Points in the plane: the columns of the table are x and y, then size and group if there are any.

    Args:
        things: noun for the things that are points.
        trend: slope and intercept of the trend line.
    """

    family: ClassVar[str] = "points"

    x_axis: Axis
    y_axis: Axis
    things: str
    trend: tuple[float, float] | None = None

    @property
    def size(self) -> Column | None:
        """The column of sizes of a bubble chart."""
        return self.table.columns[2] if self.kind == "bubble" else None

    @property
    def group(self) -> Column | None:
        """The column of groups."""
        last = self.table.columns[-1]
        return None if last.is_numeric else last


@dataclass(frozen=True, kw_only=True)
class DistributionChart(Chart):
    """Repeated measurements of groups; the table summarizes them as the picture shows.

    Args:
        samples: measurements of each group.
        axis: axis of the measured quantity.
        count_axis: axis of frequencies (histogram) or densities.
        edges: edges of the bins of a histogram.
    """

    family: ClassVar[str] = "distributions"

    measure: str
    unit: str
    groups: tuple[str, ...]
    samples: tuple[tuple[float, ...], ...]
    axis: Axis
    count_axis: Axis | None = None
    edges: tuple[Decimal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ContourChart(Chart):
    """A quantity over the plane: rows of the table are y, columns are x, and cells are bands between levels."""

    family: ClassVar[str] = "contours"

    measure: str
    unit: str
    x_axis: Axis
    y_axis: Axis
    x: tuple[float, ...]
    y: tuple[float, ...]
    z: tuple[tuple[float, ...], ...]
    levels: tuple[Decimal, ...]


@dataclass(frozen=True, kw_only=True)
class ScheduleChart(Chart):
    """Tasks with start and end (Gantt), or events with a date (timeline).

    Args:
        ticks: labelled dates on the axis.
    """

    family: ClassVar[str] = "schedules"

    first: date
    last: date
    ticks: tuple[date, ...]


@dataclass(frozen=True, kw_only=True)
class RecordsChart(Chart):
    """A table as a picture, in one of ten styles."""

    family: ClassVar[str] = "records"

    table_style: str


@dataclass(frozen=True, kw_only=True)
class GraphChart(Chart):
    """Nodes and edges; the table lists the edges.

    Args:
        nodes: names, in the order of `places`.
        places: centre of each node in the unit square, origin bottom left.
        edges: (from, to, label) with indices of nodes.
        questions: indices of nodes that are drawn as diamonds.
        directed: True if edges have arrow heads.
        node_noun, link_noun: nouns for nodes and edges.
    """

    family: ClassVar[str] = "graphs"

    nodes: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    edges: tuple[tuple[int, int, str], ...]
    directed: bool
    questions: tuple[int, ...] = ()
    node_noun: Noun
    link_noun: Noun
