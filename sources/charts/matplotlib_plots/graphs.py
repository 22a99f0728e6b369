"""Flow charts and networks: boxes, diamonds and arrows, laid out in pixels."""

import math

from sources.charts.chart import GraphChart
from sources.charts.colours import mix
from sources.charts.matplotlib_plots.frame import Frame
from sources.charts.program import Call, Program

Point = tuple[float, float]
BOX_HEIGHT = 2.6  # in font sizes
DIAMOND_HEIGHT = 4.2
LABEL_SHARES = (0.5, 0.38, 0.62, 0.28, 0.72)  # as fractions of the length of an edge
SIDE_OUT = 1.6  # font sizes between a side node and an arrow that goes down from it
LOOP_OUT = 2.6  # font sizes between the main column's widest node and an arrow that goes back up


def graph(chart: GraphChart) -> Program:
    """Draw nodes at their places, edges between their borders, and labels next to the edges."""
    frame, font = Frame.begin(chart), chart.style.font_px
    sizes = [_size(frame, chart, k) for k in range(len(chart.nodes))]
    if chart.kind == "flow_chart":  # arrows pass on both sides
        frame.left += 1.5 * (LOOP_OUT + 1) * font
        frame.right += (SIDE_OUT + 1) * font
    frame.axes()
    program = frame.program
    program.call("ax.set_axis_off")
    program.call("ax.set_xlim", 0, round(frame.plot_width, 1))
    program.call("ax.set_ylim", 0, round(frame.plot_height, 1))
    if chart.kind == "flow_chart":
        centres = _flow_centres(frame, chart, sizes)
        for i, j, label in chart.edges:
            route, place = _flow_route(centres, sizes, i, j, font)
            _edge(frame, chart, route, label, place)
    else:
        centres = _circle_centres(frame, chart, sizes)
        ways = [
            [_border_point(centres[i], sizes[i], centres[j]), _border_point(centres[j], sizes[j], centres[i])]
            for i, j, _ in chart.edges
        ]
        labels: list[Point] = []
        for k, (way, (_, _, label)) in enumerate(zip(ways, chart.edges, strict=True)):
            labels.append(_choose_label_place(way, [*ways[:k], *ways[k + 1 :]], labels))
            _edge(frame, chart, way, label, labels[-1])
    _nodes(program, chart, centres, sizes)
    return program


def _flow_centres(frame: Frame, chart: GraphChart, sizes: list[Point]) -> list[Point]:
    """Return the centres of the steps: main steps in one column, side steps in another one to the right."""
    font = frame.style.font_px
    widest, highest = max(w for w, _ in sizes), max(h for _, h in sizes)
    side = max([w for k, (w, _) in enumerate(sizes) if chart.places[k][0] > 0] or [0])
    room = frame.plot_width - font
    first = widest / 2 + 0.5 * font
    far = min(room - side / 2, first + widest / 2 + side / 2 + 7 * font) if side else first
    shift = max(0.0, (room - (far + side / 2)) / 2 - font)
    rows = frame.plot_height - highest
    return [(shift + (first if x == 0 else far), highest / 2 + y * rows) for x, y in chart.places]


def _circle_centres(frame: Frame, chart: GraphChart, sizes: list[Point]) -> list[Point]:
    """Return the centres of nodes on a circle that is stretched to the available area."""
    pad = 0.5 * frame.style.font_px
    left, low = pad + max(w for w, _ in sizes) / 2, pad + max(h for _, h in sizes) / 2
    width, height = frame.plot_width - 2 * left, frame.plot_height - 2 * low
    return [(left + x * width, low + y * height) for x, y in chart.places]


def _nodes(program: Program, chart: GraphChart, centres: list[Point], sizes: list[Point]) -> None:
    """Draw boxes, diamonds for questions, and their names."""
    style = chart.style
    fill, other = mix(style.colours[0], 0.75, style.background), mix(style.colours[1], 0.7, style.background)
    for k, (name, (x, y), (w, h)) in enumerate(zip(chart.nodes, centres, sizes, strict=True)):
        if k in chart.questions:
            corners = [(x - w / 2, y), (x, y + h / 2), (x + w / 2, y), (x, y - h / 2)]
            round_half_up = [(round(a, 1), round(b, 1)) for a, b in corners]
            patch = Call("plt.Polygon", round_half_up, facecolor=other, edgecolor=style.ink)
        else:
            corner = (round(x - w / 2, 1), round(y - h / 2, 1))
            patch = Call("plt.Rectangle", corner, round(w, 1), round(h, 1), facecolor=fill, edgecolor=style.ink)
        program.call("ax.add_patch", patch)
        program.call("ax.text", round(x, 1), round(y, 1), name, ha="center", va="center")


def _size(frame: Frame, chart: GraphChart, k: int) -> Point:
    """Return width and height of a node in pixels."""
    font, width = frame.style.font_px, frame.width(chart.nodes[k])
    if k in chart.questions:
        return width * 1.5 + 2.5 * font, DIAMOND_HEIGHT * font
    return width + 1.6 * font, BOX_HEIGHT * font


def _edge(frame: Frame, chart: GraphChart, route: list[Point], label: str, place: Point) -> None:
    program, style = frame.program, chart.style
    round_half_up = [(round(x, 1), round(y, 1)) for x, y in route]
    if len(round_half_up) > 2 or not chart.directed:
        xs, ys = [x for x, _ in round_half_up], [y for _, y in round_half_up]
        stop = None if not chart.directed else -1
        program.call("ax.plot", xs[:stop], ys[:stop], color=style.ink, linewidth=1.2)
    if chart.directed:
        arrow = {
            "arrowstyle": "-|>",
            "color": style.ink,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 13,
        }
        program.call("ax.annotate", "", xy=round_half_up[-1], xytext=round_half_up[-2], arrowprops=arrow)
    if label:
        program.call(
            "ax.text", round(place[0], 1), round(place[1], 1), label, ha="center", va="center",
            fontsize=frame.points(style.font_px * 0.9),
            bbox={"facecolor": style.background, "edgecolor": "none", "pad": 1},
        )  # fmt: skip


def _choose_label_place(route: list[Point], others: list[list[Point]], used_places: list[Point]) -> Point:
    """Return the place of a label near the middle of a straight route, far from other routes and labels."""
    (x, y), (u, v) = route
    places = [(x + share * (u - x), y + share * (v - y)) for share in LABEL_SHARES]

    def room(place: Point) -> float:
        return min(
            [math.dist(place, label) for label in used_places] + [_distance(place, *way) for way in others],
            default=math.inf,
        )

    return max(places, key=room)


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return the distance from a point to a line segment."""
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = ((point[0] - start[0]) * along[0] + (point[1] - start[1]) * along[1]) / length if length else 0.0
    share = min(1.0, max(0.0, share))
    return math.dist(point, (start[0] + share * along[0], start[1] + share * along[1]))


def _border_point(centre: Point, size: Point, towards: Point) -> Point:
    """Return the point where the line from the centre of a box to another point leaves the box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    share = min(
        size[0] / 2 / abs(dx) if dx else math.inf,
        size[1] / 2 / abs(dy) if dy else math.inf,
    )
    return centre[0] + dx * share, centre[1] + dy * share


def _flow_route(centres: list[Point], sizes: list[Point], i: int, j: int, font: float) -> tuple[list[Point], Point]:
    """Return a route down to the next node, across to a neighbour, or around the outside to any other node."""
    (x, y), (w, h) = centres[i], sizes[i]
    (u, v), (p, q) = centres[j], sizes[j]
    if abs(x - u) < 1 and j == i + 1:
        return [(x, y - h / 2), (u, v + q / 2)], (x + 1.3 * font, (y - h / 2 + v + q / 2) / 2)
    if abs(y - v) < 1:
        return [(x + w / 2, y), (u - p / 2, v)], ((x + w / 2 + u - p / 2) / 2, y + 0.9 * font)
    if x == u:  # back up, or over nodes between, along the left
        out = min(centre[0] - size[0] / 2 for centre, size in zip(centres, sizes, strict=True)) - LOOP_OUT * font
        label = (out + (x - w / 2 - out) / 2, y + 0.9 * font)
        return [(x - w / 2, y), (out, y), (out, v), (u - p / 2, v)], label
    if x < u:  # from the main column to a side node at another height
        return [(x + w / 2, y), (u, y), (u, v + math.copysign(q / 2, y - v))], (x + w / 2 + 1.6 * font, y + 0.9 * font)
    label = ((x + u + p / 2) / 2, v + 0.9 * font)  # from a side node back to the main column
    if v > y:
        return [(x, y + h / 2), (x, v), (u + p / 2, v)], label
    out = x + w / 2 + SIDE_OUT * font  # round the outside: other edges come up to the node from below
    return [(x + w / 2, y), (out, y), (out, v), (u + p / 2, v)], label
