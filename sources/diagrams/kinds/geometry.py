"""Figures of plane geometry: triangles, parallelograms and circles with some lengths and angles given."""

import json
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from sources.charts.questions.question import Question
from sources.diagrams.canvas import PAD, Canvas, Point
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

LETTERS = ("ABC", "PQR", "KLM", "XYZ", "DEF", "RST")
QUADS = ("ABCD", "PQRS", "KLMN", "EFGH", "WXYZ")
TRIPLES = (
    (3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (12, 35, 37), (9, 40, 41), (28, 45, 53),
    (11, 60, 61), (16, 63, 65), (33, 56, 65), (48, 55, 73),
)  # fmt: skip
TITLES: Mapping[str, Mapping[str, str]] = {
    "right_triangle": {"en": "Right triangle {name}", "zh": "直角三角形{name}"},
    "angles": {"en": "Triangle {name}", "zh": "三角形{name}"},
    "isosceles": {"en": "Isosceles triangle {name}", "zh": "等腰三角形{name}"},
    "parallelogram": {"en": "Parallelogram {name}", "zh": "平行四边形{name}"},
    "circle": {"en": "Circle with centre O", "zh": "以O为圆心的圆"},
    "parallel_lines": {"en": "Parallel lines cut by a line", "zh": "被一条直线所截的平行线"},
}
GIVEN = {"en": "{title}. Given: {facts}.", "zh": "{title}。已知：{facts}。"}
Figure = tuple[dict[str, Any], list[str], list[Question], Callable[[Canvas], None]]


def geometry(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a figure of one of six shapes."""
    shape = random.choice(tuple(TITLES))
    spec, facts, questions, draw = _SHAPES[shape](language, random)
    title = pick(TITLES[shape], language, name=spec.get("name", ""))
    canvas = Canvas(style, title)
    draw(canvas)
    description = pick(GIVEN, language, title=title, facts={"en": ", ", "zh": "，"}[language].join(facts))
    content = json.dumps({"shape": shape, **spec}, ensure_ascii=False)
    return Diagram(
        kind="geometry", language=language, title=title, canvas=canvas, data=("json", content), description=description,
        questions=tuple(questions),
    )  # fmt: skip


def _fit(canvas: Canvas, points: list[Point], turn: float) -> list[Point]:
    """Turn points and scale them into the free area; y grows upwards before and downwards after."""
    turned = [
        (x * math.cos(turn) - y * math.sin(turn), -(x * math.sin(turn) + y * math.cos(turn))) for x, y in points
    ]  # fmt: skip
    margin = 4.2 * canvas.style.font_px
    low = (min(x for x, _ in turned), min(y for _, y in turned))
    high = (max(x for x, _ in turned), max(y for _, y in turned))
    width, height = canvas.width - 2 * PAD - 2 * margin, canvas.height - canvas.top - PAD - 2 * margin
    scale = min(width / (high[0] - low[0]), height / (high[1] - low[1]))
    shift = (
        canvas.width / 2 - scale * (low[0] + high[0]) / 2,
        (canvas.top + canvas.height - PAD) / 2 - scale * (low[1] + high[1]) / 2,
    )
    return [(shift[0] + scale * x, shift[1] + scale * y) for x, y in turned]


def _outside(centre: Point, place: Point, distance: float) -> Point:
    """Move a place away from the centre."""
    length = math.dist(centre, place) or 1
    share = 1 + distance / length
    return centre[0] + (place[0] - centre[0]) * share, centre[1] + (place[1] - centre[1]) * share


def _centre(points: list[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _polygon(canvas: Canvas, points: list[Point], names: str, lengths: Mapping[str, str]) -> None:
    """Draw a polygon with the names of its corners and the lengths of some sides, written outside."""
    font, centre = canvas.style.font_px, _centre(points)
    canvas.line(points, close=True, fill=canvas.look.fills[0])
    for place, name in zip(points, names, strict=True):
        canvas.text(_outside(centre, place, 1.1 * font), name, bold=True)
    for side, text in lengths.items():
        a, b = (points[names.index(letter)] for letter in side)
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        normal = (b[1] - a[1], a[0] - b[0])
        if normal[0] * (middle[0] - centre[0]) + normal[1] * (middle[1] - centre[1]) < 0:
            normal = (-normal[0], -normal[1])
        size = math.hypot(*normal)
        # Half the text's width keeps wide texts off steep sides.
        out = 0.9 * font + abs(normal[0]) / size * canvas.measure(text) / 2
        canvas.text((middle[0] + normal[0] / size * out, middle[1] + normal[1] / size * out), text)


def _angle_mark(canvas: Canvas, corner: Point, a: Point, b: Point, text: str, *, right: bool = False) -> None:
    """Mark the angle at a corner between two other points, with its size or with the square of a right angle."""
    font = canvas.style.font_px
    u = [(p[0] - corner[0], p[1] - corner[1]) for p in (a, b)]
    u = [(x / math.hypot(x, y), y / math.hypot(x, y)) for x, y in u]
    if right:
        size = 0.9 * font
        first, second = ((corner[0] + x * size, corner[1] + y * size) for x, y in u)
        canvas.line([first, (first[0] + u[1][0] * size, first[1] + u[1][1] * size), second], width=1.2)
        return
    opening = math.acos(max(-1.0, min(1.0, u[0][0] * u[1][0] + u[0][1] * u[1][1])))
    radius = min(3.2, max(1.8, 1.3 / opening)) * font
    first, second = ((corner[0] + x * radius, corner[1] + y * radius) for x, y in u)
    sweep = 1 if u[0][0] * u[1][1] - u[0][1] * u[1][0] > 0 else 0
    canvas.path(
        f"M{first[0]:.1f} {first[1]:.1f} A{radius:.1f} {radius:.1f} 0 0 {sweep} {second[0]:.1f} {second[1]:.1f}",
        colour=canvas.look.colours[0], width=1.3,
    )  # fmt: skip
    middle = (u[0][0] + u[1][0], u[0][1] + u[1][1])
    length = math.hypot(*middle)
    away = radius + 0.75 * font + canvas.measure(text) * 0.35
    canvas.text((corner[0] + middle[0] / length * away, corner[1] + middle[1] / length * away), text)


def _right_triangle(language: str, random: Random) -> Figure:
    a, b, c = random.choice(TRIPLES)
    factor = random.choice((1, 1, 2, 3)) if c < 40 else 1
    a, b, c = a * factor, b * factor, c * factor
    if random.random() < 0.5:
        a, b = b, a
    name = random.choice(LETTERS)
    hidden = random.choice(("hypotenuse", "leg"))
    corner, first, second = tuple(name)
    sides = {corner + first: a, corner + second: b, first + second: c}
    unknown = first + second if hidden == "hypotenuse" else corner + first
    shown = {side: f"{length} cm" for side, length in sides.items() if side != unknown}
    spec = {"name": name, "right_angle": corner, "sides_cm": {s: v for s, v in sides.items() if s != unknown}}
    facts = [f"{side} = {text}" for side, text in shown.items()] + [f"∠{corner} = 90°"]
    turn = random.uniform(0, 2 * math.pi)

    def draw(canvas: Canvas) -> None:
        points = _fit(canvas, [(0, 0), (a, 0), (0, b)], turn)
        _polygon(canvas, points, name, shown)
        _angle_mark(canvas, points[0], points[1], points[2], "", right=True)

    asked = [
        Question(name="side", slots={"side": unknown}, answer=f"{sides[unknown]} cm",
                 options=tuple(f"{sides[unknown] + k} cm" for k in (-3, -2, -1, 1, 2, 4) if sides[unknown] + k > 0)),
        Question(name="area", slots={"name": name}, answer=f"{_half(a * b)} cm²"),
        Question(name="perimeter", slots={"name": name}, answer=f"{a + b + c} cm", working=f"{a} + {b} + {c}"),
        Question(name="right_angle", slots={}, answer=corner, options=tuple(name)),
    ]  # fmt: skip
    return spec, facts, asked, draw


def _half(value: int) -> str:
    return str(value // 2) if value % 2 == 0 else f"{value / 2:.1f}"


def _triangle_points(alpha: float, beta: float) -> list[Point]:
    """Return a triangle with base 1 and two angles at it, in degrees."""
    a, b = math.radians(alpha), math.radians(beta)
    x = math.tan(b) / (math.tan(a) + math.tan(b)) if 90 not in (alpha, beta) else (0.0 if alpha == 90 else 1.0)
    height = x * math.tan(a) if alpha != 90 else math.tan(b)
    return [(0, 0), (1, 0), (x, height)]


def _angles(language: str, random: Random) -> Figure:
    alpha, beta = random.randint(32, 84), random.randint(32, 84)
    gamma = 180 - alpha - beta
    if gamma < 28 or 90 in (alpha, beta):
        return _angles(language, random)
    name = random.choice(LETTERS)
    a, b, c = tuple(name)
    turn = random.uniform(0, 2 * math.pi)

    def draw(canvas: Canvas) -> None:
        points = _fit(canvas, _triangle_points(alpha, beta), turn)
        _polygon(canvas, points, name, {})
        _angle_mark(canvas, points[0], points[1], points[2], f"{alpha}°")
        _angle_mark(canvas, points[1], points[2], points[0], f"{beta}°")

    sizes = {a: alpha, b: beta, c: gamma}
    largest = max(sizes, key=lambda corner: sizes[corner])
    asked = [
        Question(name="angle", slots={"corner": c}, answer=f"{gamma}°", working=f"180 - {alpha} - {beta}",
                 options=tuple(f"{gamma + k}°" for k in (-20, -10, 10, 20))),
        Question(name="exterior", slots={"corner": c}, answer=f"{180 - gamma}°", working=f"{alpha} + {beta}"),
    ]  # fmt: skip
    if list(sizes.values()).count(sizes[largest]) == 1:
        side = "".join(corner for corner in name if corner != largest)
        asked.append(Question(name="longest_side", slots={}, answer=side, options=(a + b, b + c, a + c)))
    return {"name": name, "angles_deg": {a: alpha, b: beta}}, [f"∠{a} = {alpha}°", f"∠{b} = {beta}°"], asked, draw


def _isosceles(language: str, random: Random) -> Figure:
    base = random.randint(35, 75)
    apex = 180 - 2 * base
    name = random.choice(LETTERS)
    a, b, c = tuple(name)
    leg = random.randint(4, 30)
    shown = {a + c: f"{leg} cm", b + c: f"{leg} cm"}
    turn = random.uniform(-0.6, 0.6)

    def draw(canvas: Canvas) -> None:
        points = _fit(canvas, _triangle_points(base, base), turn)
        _polygon(canvas, points, name, shown)
        _angle_mark(canvas, points[2], points[0], points[1], f"{apex}°")

    asked = [
        Question(name="angle", slots={"corner": a}, answer=f"{base}°", working=f"(180 - {apex}) / 2",
                 options=tuple(f"{base + k}°" for k in (-10, -5, 5, 10))),
        Question(name="exterior", slots={"corner": b}, answer=f"{180 - base}°", working=f"180 - {base}"),
    ]  # fmt: skip
    spec = {"name": name, "sides_cm": {a + c: leg, b + c: leg}, "angles_deg": {c: apex}}
    return spec, [f"{a}{c} = {b}{c} = {leg} cm", f"∠{c} = {apex}°"], asked, draw


def _parallelogram(language: str, random: Random) -> Figure:
    width, side, height = random.randint(8, 24), random.randint(6, 16), 0
    height = random.randint(max(3, side // 2), side - 1)
    name = random.choice(QUADS)
    a, b, c, d = tuple(name)
    shift = math.sqrt(side**2 - height**2)
    shown = {a + b: f"{width} cm", b + c: f"{side} cm"}

    def draw(canvas: Canvas) -> None:
        foot = [(shift, 0.0), (shift, float(height))]
        points = _fit(canvas, [(0, 0), (width, 0), (width + shift, height), (shift, height), *foot], 0)
        _polygon(canvas, points[:4], name, shown)
        canvas.line(points[4:], dash="5 4", colour=canvas.look.colours[1])
        _angle_mark(canvas, points[4], points[1], points[5], "", right=True)
        middle = (points[4][0] + 0.6 * canvas.style.font_px, (points[4][1] + points[5][1]) / 2)
        canvas.text(middle, f"{height} cm", anchor="start")

    asked = [
        Question(name="area", slots={"name": name}, answer=f"{width * height} cm²", working=f"{width} * {height}",
                 options=(f"{width * side} cm²", f"{width * height // 2} cm²", f"{width + height} cm²")),
        Question(name="perimeter", slots={"name": name}, answer=f"{2 * (width + side)} cm",
                 working=f"2 * ({width} + {side})"),
        Question(name="side", slots={"side": c + d}, answer=f"{width} cm"),
    ]  # fmt: skip
    spec = {"name": name, "sides_cm": {a + b: width, b + c: side}, "height_cm": height}
    height_fact = {"en": f"height {height} cm", "zh": f"高{height} cm"}[language]
    return spec, [f"{a}{b} = {width} cm", f"{b}{c} = {side} cm", height_fact], asked, draw


def _circle(language: str, random: Random) -> Figure:
    radius = random.randint(2, 30)
    inscribed = random.randint(24, 70)
    first = random.uniform(0, 2 * math.pi)
    a, b, c = "A", "B", "C"

    def draw(canvas: Canvas) -> None:
        size = min(canvas.width, canvas.height - canvas.top) / 2 - PAD - 1.6 * canvas.style.font_px
        centre = (canvas.width / 2, (canvas.top + canvas.height - PAD) / 2)
        angles = [first, first + 2 * math.radians(inscribed)]
        angles.append(sum(angles) / 2 + math.pi)
        points = [(centre[0] + size * math.cos(t), centre[1] + size * math.sin(t)) for t in angles]
        canvas.circle(centre, size, fill=canvas.look.fills[0])
        canvas.line([points[0], points[2], points[1]])
        canvas.line([points[0], centre, points[1]], colour=canvas.look.colours[1])
        canvas.circle(centre, 3, fill=canvas.look.ink)
        for place, name in zip(points, (a, b, c), strict=True):
            canvas.text(_outside(centre, place, 1.1 * canvas.style.font_px), name, bold=True)
        inside = math.dist(points[2], centre)
        canvas.text((centre[0] - (points[2][0] - centre[0]) * -0.1, centre[1] - (points[2][1] - centre[1]) * -0.1), "O",
                    bold=True)  # fmt: skip
        _angle_mark(canvas, points[2], points[0], points[1], f"{inscribed}°")
        middle = ((points[0][0] + centre[0]) / 2, (points[0][1] + centre[1]) / 2)
        side = (points[0][1] - centre[1], centre[0] - points[0][0])
        out = (1.0 * canvas.style.font_px + abs(side[0]) / inside * canvas.measure(f"{radius} cm") / 2) / inside
        canvas.text((middle[0] - side[0] * out, middle[1] - side[1] * out), f"{radius} cm", halo=False)

    asked = [
        Question(name="central_angle", slots={"angle": f"{a}O{b}"}, answer=f"{2 * inscribed}°",
                 working=f"2 * {inscribed}",
                 options=(f"{inscribed}°", f"{180 - inscribed}°", f"{90 + inscribed}°")),
        Question(name="diameter", slots={}, answer=f"{2 * radius} cm", working=f"2 * {radius}",
                 options=(f"{radius} cm", f"{3 * radius} cm", f"{4 * radius} cm")),
        Question(name="circle_area", slots={}, answer=f"{radius**2}π cm²",
                 options=(f"{2 * radius}π cm²", f"{2 * radius**2}π cm²", f"{4 * radius**2}π cm²")),
    ]  # fmt: skip
    facts = [f"O{a} = {radius} cm", f"∠{a}{c}{b} = {inscribed}°"]
    return {"radius_cm": radius, "inscribed_angle_deg": {f"{a}{c}{b}": inscribed}}, facts, asked, draw


def _parallel_lines(language: str, random: Random) -> Figure:
    angle = random.randint(38, 82)
    turn = random.choice((0.0, 0.12, -0.12, 0.2))

    def draw(canvas: Canvas) -> None:
        lean = 1 / math.tan(math.radians(angle))
        raw = [(-1.8, 0.55), (1.8, 0.55), (-1.8, -0.55), (1.8, -0.55), (1.1 * lean, 1.1), (-1.1 * lean, -1.1)]
        crossings = [(0.55 * lean, 0.55), (-0.55 * lean, -0.55)]
        points = _fit(canvas, [*raw, *crossings], turn)
        for k, name in ((0, "m"), (2, "n")):
            canvas.line(points[k : k + 2])
            canvas.text((points[k + 1][0] + canvas.style.font_px, points[k + 1][1]), name, bold=True)
        canvas.line(points[4:6], colour=canvas.look.colours[0])
        canvas.text((points[4][0] + canvas.style.font_px, points[4][1] - 0.5 * canvas.style.font_px), "t", bold=True)
        upper, lower = points[6:]
        _angle_mark(canvas, upper, points[1], points[4], f"{angle}°")
        _angle_mark(canvas, lower, points[3], upper, "1")
        _angle_mark(canvas, lower, upper, points[2], "2")

    asked = [
        Question(name="numbered_angle", slots={"number": "1"}, answer=f"{angle}°",
                 options=(f"{180 - angle}°", f"{90 - angle // 2}°", f"{angle + 10}°")),
        Question(name="numbered_angle", slots={"number": "2"}, answer=f"{180 - angle}°", working=f"180 - {angle}",
                 options=(f"{angle}°", f"{180 - angle + 10}°", f"{170 - angle}°")),
    ]  # fmt: skip
    return {"parallel": ["m", "n"], "angle_deg": angle}, ["m ∥ n", f"∠(m, t) = {angle}°"], asked, draw


_SHAPES: Mapping[str, Callable[[str, Random], Figure]] = {
    "right_triangle": _right_triangle,
    "angles": _angles,
    "isosceles": _isosceles,
    "parallelogram": _parallelogram,
    "circle": _circle,
    "parallel_lines": _parallel_lines,
}
