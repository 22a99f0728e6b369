"""Tables in ten styles: filled rows and columns, rules, texts."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

from sources.charts.chart import RecordsChart
from sources.charts.colours import contrasting_colour, mix
from sources.charts.matplotlib_plots.frame import LINE, PAD, Frame
from sources.charts.program import Call, Name, Program
from sources.charts.table import Column, Value, format_value

ROW_HEIGHT = 2.4  # greatest height, in font sizes
TITLE_LINES = 2  # height of the title, in sizes of its font
CELL_PAD = 1.6  # total horizontal padding, in font sizes
PALE, PALER = 0.68, 0.87  # fractions of white in fills


@dataclass(frozen=True, slots=True)
class TableStyle:
    """The style of a table.

    Args:
        header, first, stripes: fill the header row, the first column, every second row.
        dark_header: fill the header with the first colour of the palette.
        rules: lines between `rows` or `columns`, below the header (`head`), around the table (`around`).
        numbers_right: right-align numbers; else centre them.
    """

    header: bool = False
    first: bool = False
    stripes: bool = False
    dark_header: bool = False
    rules: frozenset[str] = frozenset()
    bold: bool = True
    numbers_right: bool = True


TABLE_STYLES = {
    "plain": TableStyle(),
    "grid": TableStyle(rules=frozenset({"rows", "columns", "head", "around"}), numbers_right=False),
    "striped": TableStyle(header=True, stripes=True),
    "ruled": TableStyle(rules=frozenset({"rows", "head"})),
    "booktabs": TableStyle(rules=frozenset({"head", "around_level"}), bold=False),
    "header": TableStyle(header=True, rules=frozenset({"rows", "columns", "head", "around"})),
    "coloured_header": TableStyle(header=True, dark_header=True, rules=frozenset({"rows"})),
    "first_column": TableStyle(first=True, header=True, bold=False, rules=frozenset({"columns", "head"})),
    "outlined": TableStyle(rules=frozenset({"around", "head"}), numbers_right=False),
    "cards": TableStyle(header=True, dark_header=True, stripes=True, rules=frozenset({"around"})),
}


def table(chart: RecordsChart) -> Program:
    """Draw a table as wide as its texts and as high as its rows."""
    table_style, columns = TABLE_STYLES[chart.table_style], chart.table.columns
    font = chart.style.font_px
    height = round(
        (2 * PAD + ROW_HEIGHT * (len(chart.table) + 1) + (LINE if chart.source else 0)) * font
        + TITLE_LINES * chart.style.title_px
    )
    style = dataclasses.replace(chart.style, height_px=min(height, chart.style.height_px))  # as high as necessary
    frame = Frame.begin(chart, style)
    texts = [[column.header(), *(_to_text(frame, value) for value in column.values)] for column in columns]
    num_rows = len(chart.table) + 1
    widths = [max(map(frame.width, column)) * 1.1 + CELL_PAD * style.font_px for column in texts]
    spare = max(0.0, frame.plot_width - sum(widths))
    widths = [width + spare * 0.7 / len(widths) for width in widths]
    row_px = min(ROW_HEIGHT * style.font_px, frame.plot_height / num_rows)
    beside = (frame.plot_width - sum(widths)) / 2
    frame.left, frame.right = frame.left + beside, frame.right + beside
    frame.bottom = style.height_px - frame.top - row_px * num_rows
    frame.axes()
    program = frame.program
    edges = [round(sum(widths[:k]), 1) for k in range(len(widths) + 1)]
    program.call("ax.set_axis_off")
    program.call("ax.set_xlim", 0, edges[-1])
    program.call("ax.set_ylim", num_rows, 0)
    _fill(program, chart, table_style, edges, num_rows)
    _rule(program, chart, table_style, edges, num_rows)
    dark = contrasting_colour(style.colours[0]) if table_style.dark_header else style.ink
    pad = CELL_PAD * style.font_px / 2
    for k, (column, cells) in enumerate(zip(columns, texts, strict=True)):
        x, align = _alignment(column, table_style, edges[k] + pad, edges[k + 1] - pad, k == 0)
        options = {"ha": align, "va": "center_baseline"}
        program.call(
            "ax.text", x, 0.5, cells[0], color=dark, fontweight="bold" if table_style.bold else "normal", **options
        )
        rows = [(round(j + 1.5, 1), text) for j, text in enumerate(cells[1:])]
        program.loop(("y", "text"), rows, "ax.text", x, Name("y"), Name("text"), **options)
    return program


def _to_text(frame: Frame, value: Value) -> str:
    return frame.number(value) if isinstance(value, Decimal) else format_value(value)


def _alignment(column: Column, table_style: TableStyle, left: float, right: float, is_first: bool) -> tuple[float, str]:
    """Return x and the horizontal alignment of the texts of a column."""
    if is_first:
        return round(left, 1), "left"
    if column.is_numeric and table_style.numbers_right:
        return round(right, 1), "right"
    return round((left + right) / 2, 1), "center"


def _fill(program: Program, chart: RecordsChart, table_style: TableStyle, edges: list[float], num_rows: int) -> None:
    colour = chart.style.colours[0]
    fills: list[tuple[tuple[float, float], float, float, str]] = []
    if table_style.stripes:
        fills += [((0, row), edges[-1], 1, mix(colour, PALER, chart.style.background)) for row in range(2, num_rows, 2)]
    if table_style.first:
        fills.append(((0, 1), edges[1], num_rows - 1, mix(colour, PALER, chart.style.background)))
    if table_style.header:
        fills.append(
            ((0, 0), edges[-1], 1, colour if table_style.dark_header else mix(colour, PALE, chart.style.background))
        )
    if fills:
        program.loop(
            ("corner", "width", "height", "color"), fills, "ax.add_patch",
            Call("plt.Rectangle", Name("corner"), Name("width"), Name("height"), facecolor=Name("color"), linewidth=0),
        )  # fmt: skip


def _rule(program: Program, chart: RecordsChart, table_style: TableStyle, edges: list[float], num_rows: int) -> None:
    ink, right = chart.style.ink, edges[-1]
    level = set(range(2, num_rows)) if "rows" in table_style.rules else set()
    if level:
        program.call("ax.hlines", sorted(level), 0, right, color="#B0B0B0", linewidth=0.8)
    strong = ([1] if "head" in table_style.rules else []) + (
        [0, num_rows] if table_style.rules & {"around", "around_level"} else []
    )
    if strong:
        program.call("ax.hlines", sorted(strong), 0, right, color=ink, linewidth=1.2, clip_on=False)
    if "columns" in table_style.rules:
        program.call("ax.vlines", edges[1:-1], 0, num_rows, color="#B0B0B0", linewidth=0.8)
    if "around" in table_style.rules:
        program.call("ax.vlines", [0, right], 0, num_rows, color=ink, linewidth=1.2, clip_on=False)
