"""Maps of invented lands: regions shaded by a number with a legend, and networks of transit lines."""

import dataclasses
import itertools
import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sources.charts.colours import contrasting_colour
from sources.charts.questions.question import Question
from sources.diagrams.canvas import PAD, Canvas, Point
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

STARTS = (
    ("Al", "阿"),
    ("Bren", "布伦"),
    ("Cor", "科"),
    ("Dun", "敦"),
    ("El", "埃"),
    ("Far", "法"),
    ("Gal", "加"),
    ("Har", "哈"),
    ("Il", "伊"),
    ("Jor", "约"),
    ("Kel", "凯"),
    ("Lor", "洛"),
    ("Mar", "马"),
    ("Nor", "诺"),
    ("Os", "奥"),
    ("Pel", "佩"),
)
ENDS = (
    ("dale", "谷"),
    ("ford", "渡"),
    ("wick", "镇"),
    ("mere", "湖"),
    ("ton", "屯"),
    ("haven", "港"),
    ("wood", "林"),
    ("field", "野"),
    ("bury", "堡"),
    ("moor", "原"),
)
MEASURES = (
    (("Population density", "人口密度"), ("people per km²", "人/平方公里"), (0, 50, 100, 200, 400, 800)),
    (("Forest cover", "森林覆盖率"), ("%", "%"), (0, 10, 20, 35, 50, 80)),
    (("Annual rainfall", "年降水量"), ("mm", "毫米"), (200, 400, 600, 900, 1200, 1800)),
    (("Median age", "年龄中位数"), ("years", "岁"), (20, 28, 34, 40, 46, 54)),
    (("Farms per 100 km²", "每百平方公里农场数"), ("", ""), (0, 5, 10, 20, 40, 60)),
    (("Broadband households", "宽带家庭比例"), ("%", "%"), (20, 40, 55, 70, 85, 100)),
)  # fmt: skip
RAMPS = (
    ("#EFF3FF", "#BDD7E7", "#6BAED6", "#3182BD", "#08519C"), ("#EDF8E9", "#BAE4B3", "#74C476", "#31A354", "#006D2C"),
    ("#FEEDDE", "#FDBE85", "#FD8D3C", "#E6550D", "#A63603"), ("#F2F0F7", "#CBC9E2", "#9E9AC8", "#756BB1", "#54278F"),
)  # fmt: skip
GREYS = ("#F2F2F2", "#CCCCCC", "#999999", "#636363", "#333333")
YES = {"en": {True: "Yes", False: "No"}, "zh": {True: "是", False: "否"}}
LINE_NAMES = {"en": "Line {k}", "zh": "{k}号线"}


def _names(count: int, language: str, random: Random) -> list[str]:
    """Return different invented names of places."""
    starts = random.sample(STARTS, min(count, len(STARTS)))
    k = language == "zh"
    return [start[k] + random.choice(ENDS)[k] for start in starts]


@dataclass(frozen=True, slots=True)
class Land:
    """Regions by name, their class (index of a step of the legend) and their neighbours."""

    names: tuple[str, ...]
    classes: tuple[int, ...]
    neighbours: tuple[tuple[int, int], ...]
    corners: tuple[tuple[Point, ...], ...]


def choropleth(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a land of 9 to 16 regions in a warped grid, shaded in five classes."""
    k = language == "zh"
    columns, rows = random.choice(((3, 3), (4, 3), (3, 4), (4, 4), (5, 3)))
    measure, unit, steps = random.choice(MEASURES)
    land = _land(columns, rows, _names(columns * rows, language, random), random)
    title = measure[k] + ((f"（{unit[k]}）" if k else f" ({unit[k]})") if unit[k] else "")
    canvas = Canvas(dataclasses.replace(style, title=True), title)  # only the title names the quantity
    labels = tuple(f"{low}–{high}" for low, high in itertools.pairwise(steps))
    ramp = GREYS if style.look == "publication" else random.choice(RAMPS)
    if style.look == "dark":
        ramp = ramp[::-1]
    _draw_land(canvas, land, ramp, labels)
    classes = {name: labels[c] for name, c in zip(land.names, land.classes, strict=True)}
    borders = [[land.names[i], land.names[j]] for i, j in land.neighbours]
    text = {"en": "The map shows {what} in {count} regions: {list}.", "zh": "地图显示{count}个地区的{what}：{list}。"}
    listed = {"en": "; ", "zh": "；"}[language].join(f"{name} {label}" for name, label in classes.items())
    return Diagram(
        kind="choropleth", language=language, title=title, canvas=canvas,
        data=("json", json.dumps({"measure": title, "regions": classes, "borders": borders}, ensure_ascii=False)),
        description=pick(text, language, what=title.lower() if not k else title, count=len(classes), list=listed),
        questions=tuple(_land_questions(land, labels, measure[k], language, random)),
    )  # fmt: skip


def _land(columns: int, rows: int, names: Sequence[str], random: Random) -> Land:
    grid = [
        [(x + random.uniform(-0.2, 0.2), y + random.uniform(-0.2, 0.2)) for x in range(columns + 1)]
        for y in range(rows + 1)
    ]
    edges: dict[tuple[Point, Point], list[Point]] = {}

    def edge(a: Point, b: Point) -> list[Point]:
        """Return a crooked border, the same from both sides."""
        if (b, a) in edges:
            return edges[b, a][::-1]
        if (a, b) not in edges:
            length = math.dist(a, b)
            normal = ((a[1] - b[1]) / length, (b[0] - a[0]) / length)
            inner = [(s, random.uniform(-0.07, 0.07)) for s in (0.2, 0.35, 0.5, 0.65, 0.8)]
            edges[a, b] = [a] + [
                (a[0] + s * (b[0] - a[0]) + o * normal[0], a[1] + s * (b[1] - a[1]) + o * normal[1]) for s, o in inner
            ]
        return edges[a, b] + [b] if (a, b) in edges else []

    corners = []
    for y in range(rows):
        for x in range(columns):
            loop = [grid[y][x], grid[y][x + 1], grid[y + 1][x + 1], grid[y + 1][x]]
            points: list[Point] = []
            for a, b in zip(loop, [*loop[1:], loop[0]], strict=True):
                points += edge(a, b)
            corners.append(tuple(points))
    count = columns * rows
    right = [(n, n + 1) for n in range(count) if (n + 1) % columns]
    below = [(n, n + columns) for n in range(count - columns)]
    classes = [random.randrange(5) for _ in range(count)]
    return Land(tuple(names), tuple(classes), tuple(sorted(right + below)), tuple(corners))


def _draw_land(canvas: Canvas, land: Land, ramp: Sequence[str], labels: Sequence[str]) -> None:
    font = canvas.style.font_px
    legend = max(canvas.measure(label) for label in labels) + 3.4 * font
    xs = [x for points in land.corners for x, _ in points]
    ys = [y for points in land.corners for _, y in points]
    width, height = canvas.width - 2 * PAD - legend, canvas.height - canvas.top - PAD - 0.5 * font
    sx, sy = width / (max(xs) - min(xs)), height / (max(ys) - min(ys))
    for name, c, points in zip(land.names, land.classes, land.corners, strict=True):
        places = [(PAD + (x - min(xs)) * sx, canvas.top + 0.3 * font + (y - min(ys)) * sy) for x, y in points]
        canvas.line(places, close=True, fill=ramp[c], colour=canvas.look.ink, width=1.2)
        centre = (sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places))
        canvas.text(centre, name, colour=contrasting_colour(ramp[c]))
    x = canvas.width - PAD - legend + 1.2 * font
    for k, label in enumerate(labels):
        y = canvas.top + 2 * font + 2.1 * font * k
        canvas.rect((x, y - 0.75 * font), (1.5 * font, 1.5 * font), fill=ramp[k], width=1)
        canvas.text((x + 2 * font, y), label, anchor="start", role="legend")


def _land_questions(
    land: Land, labels: Sequence[str], measure: str, language: str, random: Random
) -> list[Question]:  # fmt: skip
    k = random.randrange(len(land.names))
    label = random.randrange(5)
    i, j = random.choice(land.neighbours)
    a, b = random.sample(range(len(land.names)), 2)
    counts = tuple(str(n) for n in range(7))
    number = sum(k in pair for pair in land.neighbours)
    asked = [
        Question(name="class_of", slots={"region": land.names[k], "what": measure.lower()},
                 answer=labels[land.classes[k]], options=tuple(labels)),
        Question(name="count_class", slots={"label": labels[label]}, answer=str(land.classes.count(label)),
                 options=counts),
        Question(name="count_regions", slots={}, answer=str(len(land.names)),
                 options=tuple(str(len(land.names) + n) for n in (-2, -1, 1, 2))),
        Question(name="borders", slots={"a": land.names[i], "b": land.names[j]}, answer=YES[language][True])
        if random.random() < 0.5
        else Question(name="same_class", slots={"a": land.names[a], "b": land.names[b]},
                      answer=YES[language][land.classes[a] == land.classes[b]]),
        Question(name="count_neighbours", slots={"region": land.names[k]}, answer=str(number), options=counts),
    ]  # fmt: skip
    if land.classes[a] != land.classes[b]:
        higher = a if land.classes[a] > land.classes[b] else b
        asked.append(Question(name="higher_region", answer=land.names[higher],
                              slots={"a": land.names[a], "b": land.names[b], "what": measure.lower()}))  # fmt: skip
    return asked


def transit(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a transit map of two or three lines that cross at named stations."""
    columns = random.randint(5, 6)
    num_lines = random.randint(2, 3)
    names = iter(_names(16, language, random))
    lines: list[list[tuple[int, float]]] = []
    across = random.sample(range(1, columns - 1), num_lines - 1)
    lines.append([(x, 1.5) for x in range(columns)])
    for n, x in enumerate(across):
        lines.append([(x, 0.0 + 0.75 * y) for y in range(5 if n == 0 else 4)])
    stations: dict[tuple[int, float], str] = {}
    for line in lines:
        for place in line:
            stations.setdefault(place, "")
    for place in stations:
        stations[place] = next(names)
    routes = {LINE_NAMES[language].format(k=k + 1): [stations[p] for p in line] for k, line in enumerate(lines)}
    title = {"en": "Transit map", "zh": "轨道交通图"}[language]
    canvas = Canvas(style, title)
    _draw_transit(canvas, lines, stations, list(routes), columns)
    comma = {"en": ", ", "zh": "、"}[language]
    text = {"en": "The transit map has {count} lines. ", "zh": "轨道交通图有{count}条线路。"}
    listed = {"en": " ", "zh": ""}[language].join(
        f"{name}{':' if language == 'en' else '：'} {comma.join(stops)}{'.' if language == 'en' else '。'}"
        for name, stops in routes.items()
    )
    return Diagram(
        kind="transit_map", language=language, title=title, canvas=canvas,
        data=("json", json.dumps({"lines": routes}, ensure_ascii=False)),
        description=pick(text, language, count=len(routes)) + listed,
        questions=tuple(_transit_questions(routes, random)),
    )  # fmt: skip


def _draw_transit(
    canvas: Canvas, lines: list[list[tuple[int, float]]], stations: dict[tuple[int, float], str], names: list[str],
    columns: int,
) -> None:  # fmt: skip
    font = canvas.style.font_px
    left, top = PAD + 3.2 * font, canvas.top + 1.4 * font
    dx = (canvas.width - PAD - 3.2 * font - left) / (columns - 1)
    dy = (canvas.height - PAD - 2.6 * font - top) / 3.0

    def at(place: tuple[int, float]) -> Point:
        return left + place[0] * dx, top + place[1] * dy

    dashes = ("", "14 7", "3 8") if canvas.style.look == "publication" else ("", "", "")
    for k, line in enumerate(lines):
        colour = canvas.look.colours[k]
        canvas.line([at(place) for place in line], colour=colour, width=6, dash=dashes[k])
        end = at(line[0])
        if k == 0:
            canvas.text((end[0] - 2.9 * font, end[1] + 1.7 * font), names[k], colour=colour, bold=True, anchor="start")
        else:
            canvas.text((end[0] + 0.9 * font, end[1] - 1.0 * font), names[k], colour=colour, bold=True, anchor="start")
    for place, name in stations.items():
        crossing = sum(place in line for line in lines) > 1
        point = at(place)
        canvas.circle(point, 9 if crossing else 6.5, fill=canvas.look.paper, width=2.4)
        if place in lines[0] and not crossing:
            canvas.text((point[0], point[1] - 1.5 * font), name, halo=True)
        elif crossing:
            canvas.text((point[0] + 0.9 * font, point[1] + 1.4 * font), name, anchor="start", halo=True)
        else:
            canvas.text((point[0] + 1.1 * font, point[1]), name, anchor="start", halo=True)


def _transit_questions(routes: dict[str, list[str]], random: Random) -> list[Question]:
    lines = tuple(routes)
    line = random.choice(lines)
    stops = routes[line]
    everything = tuple(dict.fromkeys(stop for route in routes.values() for stop in route))
    a, b = random.sample(everything, 2)
    crossing = [stop for stop in everything if sum(stop in route for route in routes.values()) > 1]
    i, j = sorted(random.sample(range(len(stops)), 2))
    single = random.choice([stop for stop in everything if stop not in crossing])
    return [
        Question(name="count_lines", slots={}, answer=str(len(lines)), options=("1", "2", "3", "4")),
        Question(name="count_stops", slots={"line": line}, answer=str(len(stops)), options=("3", "4", "5", "6", "7")),
        Question(name="line_of", slots={"stop": single}, answer=next(n for n, r in routes.items() if single in r),
                 options=lines),
        Question(name="stops_between", slots={"a": stops[i], "b": stops[j], "line": line}, answer=str(j - i),
                 options=("1", "2", "3", "4", "5")),
        Question(name="count_transfers", slots={}, answer=str(len(crossing)), options=("0", "1", "2", "3")),
        Question(name="fewest_stops", slots={"a": a, "b": b}, answer=str(_distance(routes, a, b)),
                 options=tuple("1234567")),
    ]  # fmt: skip


def _distance(routes: dict[str, list[str]], start: str, end: str) -> int:
    """Return the least number of stops from one station to another."""
    near: dict[str, set[str]] = {}
    for route in routes.values():
        for a, b in itertools.pairwise(route):
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    seen, waiting = {start: 0}, deque([start])
    while waiting:
        stop = waiting.popleft()
        for other in sorted(near[stop] - seen.keys()):
            seen[other] = seen[stop] + 1
            waiting.append(other)
    return seen[end]
