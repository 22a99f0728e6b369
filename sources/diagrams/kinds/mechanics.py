"""Simple mechanics: a block on an inclined plane, a lever, and a pulley with two masses."""

import json
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from random import Random
from typing import Any

from sources.charts.questions.question import Question, round_half_up
from sources.diagrams.canvas import PAD, Canvas, Point
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

G = 10  # m/s², given with every problem
TITLES: Mapping[str, Mapping[str, str]] = {
    "incline": {"en": "Block on an inclined plane (g = 10 m/s²)", "zh": "斜面上的物块（g = 10 m/s²）"},
    "lever": {"en": "Lever (g = 10 m/s²)", "zh": "杠杆（g = 10 m/s²）"},
    "pulley": {"en": "Two masses on a pulley (g = 10 m/s²)", "zh": "滑轮两侧的重物（g = 10 m/s²）"},
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    "incline": {
        "en": "A block of {m} kg lies on a plane inclined at {angle}°; friction is neglected and g is 10 m/s².",
        "zh": "质量为{m} kg的物块放在倾角为{angle}°的斜面上，不计摩擦，g取10 m/s²。",
    },
    "lever": {
        "en": "A lever carries {m1} kg at {d1} m to the left and {m2} kg at {d2} m to the right of its support; "
              "g is 10 m/s².",
        "zh": "杠杆支点左侧{d1} m处挂{m1} kg，右侧{d2} m处挂{m2} kg，g取10 m/s²。",
    },
    "pulley": {
        "en": "A rope over a fixed pulley joins {m1} kg on the left and {m2} kg on the right; rope and pulley have no "
              "mass, and g is 10 m/s².",
        "zh": "定滑轮上的绳子左端挂{m1} kg，右端挂{m2} kg，绳和滑轮质量不计，g取10 m/s²。",
    },
}  # fmt: skip
SIDES = {"en": {-1: "To the left", 0: "It balances", 1: "To the right"},
         "zh": {-1: "向左", 0: "保持平衡", 1: "向右"}}  # fmt: skip
MASS_SIDES = {"en": {-1: "The left one", 0: "Neither", 1: "The right one"},
              "zh": {-1: "左边", 0: "都不下降", 1: "右边"}}  # fmt: skip
Problem = tuple[dict[str, Any], list[Question], Callable[[Canvas], None]]


def mechanics(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a problem of one of three machines."""
    machine = random.choice(tuple(TITLES))
    spec, questions, draw = _MACHINES[machine](language, random)
    title = TITLES[machine][language]
    canvas = Canvas(style, title)
    if not style.title:
        canvas.text((canvas.width - PAD, PAD + style.font_px * 0.6), "g = 10 m/s²", anchor="end")
    draw(canvas)
    return Diagram(
        kind="mechanics", language=language, title=title, canvas=canvas,
        data=("json", json.dumps({"machine": machine, **spec, "g": G})),
        description=pick(TEXTS[machine], language, **spec), questions=tuple(questions),
    )  # fmt: skip


def _incline(language: str, random: Random) -> Problem:
    mass, angle = random.randint(1, 40), random.randint(15, 60)
    weight = mass * G
    along = round_half_up(Fraction(str(round(weight * math.sin(math.radians(angle)), 6))), 1)
    normal = round_half_up(Fraction(str(round(weight * math.cos(math.radians(angle)), 6))), 1)
    faster = round_half_up(Fraction(str(round(G * math.sin(math.radians(angle)), 6))), 1)

    def draw(canvas: Canvas) -> None:
        font, slope = canvas.style.font_px, math.radians(angle)
        width, height = canvas.width - 2 * PAD - 9 * font, canvas.height - canvas.top - PAD - 6 * font
        length = min(width, height / math.tan(slope))
        foot = (canvas.width / 2 - length / 2, canvas.height - PAD - 2 * font)
        end = (foot[0] + length, foot[1])
        top = (end[0], foot[1] - length * math.tan(slope))
        canvas.line([foot, end, top], close=True, fill=canvas.look.fills[0])
        radius = 4.2 * font
        stop = (foot[0] + radius * math.cos(slope), foot[1] - radius * math.sin(slope))
        arc = f"A{radius:.1f} {radius:.1f} 0 0 0 {stop[0]:.1f} {stop[1]:.1f}"
        canvas.path(f"M{foot[0] + radius:.1f} {foot[1]:.1f} {arc}", colour=canvas.look.colours[0], width=1.3)
        away = radius + 1.5 * font
        canvas.text((foot[0] + away * math.cos(slope / 2), foot[1] - away * math.sin(slope / 2)), f"{angle}°")
        size = 3.8 * font
        ux, uy = math.cos(slope), -math.sin(slope)
        nx, ny = -math.sin(slope), -math.cos(slope)
        share = 0.6 * length / math.cos(slope)
        base = (foot[0] + ux * share, foot[1] + uy * share)
        block = [(base[0] + a * size * ux + b * size * nx, base[1] + a * size * uy + b * size * ny)
                 for a, b in ((-0.7, 0), (0.7, 0), (0.7, 1), (-0.7, 1))]  # fmt: skip
        canvas.line(block, close=True, fill=canvas.look.fills[1])
        centre = (sum(x for x, _ in block) / 4, sum(y for _, y in block) / 4)
        canvas.text(centre, f"{mass} kg")

    asked = [
        Question(name="mass", slots={}, answer=f"{mass} kg", options=tuple(f"{mass + k} kg" for k in (1, 2, 5))),
        Question(name="incline_angle", slots={}, answer=f"{angle}°",
                 options=tuple(f"{angle + k}°" for k in (-10, 5, 10))),
        Question(name="weight", slots={}, answer=f"{weight} N", working=f"{mass} * 10",
                 options=(f"{mass} N", f"{weight + 20} N", f"{weight * 2} N")),
        Question(name="along", slots={}, answer=f"{along} N"),
        Question(name="normal", slots={}, answer=f"{normal} N"),
        Question(name="acceleration", slots={}, answer=f"{faster} m/s²"),
    ]  # fmt: skip
    return {"m": mass, "angle": angle}, asked, draw


def _mass(canvas: Canvas, top: Point, mass: int, fill: str, largest: int) -> None:
    """Draw a hanging box whose size grows with its mass."""
    font = canvas.style.font_px
    side = font * (3.4 + 1.8 * (mass / largest) ** 0.5)
    canvas.rect((top[0] - side / 2, top[1]), (side, side * 0.8), fill=fill)
    canvas.text((top[0], top[1] + side * 0.4), f"{mass} kg")


def _lever(language: str, random: Random) -> Problem:
    d1, d2 = random.randint(1, 8), random.randint(1, 8)
    m1 = random.randint(1, 24)
    m2 = m1 * d1 // d2 if m1 * d1 % d2 == 0 and random.random() < 0.5 else random.randint(1, 24)
    side = (m2 * d2 > m1 * d1) - (m2 * d2 < m1 * d1)

    def draw(canvas: Canvas) -> None:
        font = canvas.style.font_px
        y = canvas.top + (canvas.height - canvas.top) * 0.42
        unit = (canvas.width - 2 * PAD - 7 * font) / (d1 + d2)
        left = PAD + 3.5 * font
        support = left + d1 * unit
        canvas.rect((left - font, y - 4), ((d1 + d2) * unit + 2 * font, 8), fill=canvas.look.fills[2])
        triangle = [(support, y + 4), (support - 1.3 * font, y + 3.2 * font), (support + 1.3 * font, y + 3.2 * font)]
        canvas.line(triangle, close=True, fill=canvas.look.fills[3])
        for x, mass, fill in ((left, m1, 0), (left + (d1 + d2) * unit, m2, 1)):
            canvas.line([(x, y + 4), (x, y + 4.6 * font)])
            _mass(canvas, (x, y + 4.6 * font), mass, canvas.look.fills[fill], max(m1, m2))
        above = y - 2.4 * font
        for start, end, length in ((left, support, d1), (support, left + (d1 + d2) * unit, d2)):
            middle = (start + end) / 2
            half = canvas.measure(f"{length} m") / 2 + 5
            if end - start > 2 * half + 14:
                canvas.arrow((middle - half, above), (start + 2, above), width=1.2)
                canvas.arrow((middle + half, above), (end - 2, above), width=1.2)
            canvas.text((middle, above), f"{length} m")
        for x in (left, support, left + (d1 + d2) * unit):
            canvas.line([(x, above - 0.7 * font), (x, y - 6)], dash="3 4", width=1, colour=canvas.look.pale)

    asked = [
        Question(name="tips", slots={}, answer=SIDES[language][side], options=tuple(SIDES[language].values())),
        Question(name="torque", slots={"side": {"en": "left", "zh": "左"}[language]}, answer=f"{m1 * G * d1} N·m",
                 working=f"{m1} * 10 * {d1}"),
        Question(name="torque", slots={"side": {"en": "right", "zh": "右"}[language]}, answer=f"{m2 * G * d2} N·m",
                 working=f"{m2} * 10 * {d2}"),
        Question(name="balance", slots={}, answer=f"{round_half_up(Fraction(m1 * d1, d2), 2)} kg"),
    ]  # fmt: skip
    return {"m1": m1, "d1": d1, "m2": m2, "d2": d2}, asked, draw


def _pulley(language: str, random: Random) -> Problem:
    m1, m2 = random.randint(1, 30), random.randint(1, 30)
    side = (m2 > m1) - (m2 < m1)
    faster = round_half_up(Fraction(abs(m1 - m2) * G, m1 + m2), 2)
    tension = round_half_up(Fraction(2 * m1 * m2 * G, m1 + m2), 1)

    def draw(canvas: Canvas) -> None:
        font = canvas.style.font_px
        x, ceiling = canvas.width / 2, canvas.top + 0.8 * font
        radius = 5.2 * font
        y = ceiling + radius + 2 * font
        canvas.line([(x - 9 * font, ceiling), (x + 9 * font, ceiling)], width=2 * canvas.style.stroke_px)
        for k in range(-9, 9):
            canvas.line([(x + k * font, ceiling), (x + (k + 0.6) * font, ceiling - 0.6 * font)], width=1)
        canvas.line([(x, ceiling), (x, y)])
        canvas.circle((x, y), radius, fill=canvas.look.fills[4])
        canvas.circle((x, y), 4, fill=canvas.look.ink)
        room = canvas.height - PAD - y - 5 * font
        for place, mass, share, fill in (
            (x - radius, m1, 0.45 + 0.25 * (side < 0), 0),
            (x + radius, m2, 0.45 + 0.25 * (side > 0), 1),
        ):
            canvas.line([(place, y), (place, y + room * share)])
            _mass(canvas, (place, y + room * share), mass, canvas.look.fills[fill], max(m1, m2))

    asked = [
        Question(name="sinks", slots={}, answer=MASS_SIDES[language][side],
                 options=tuple(MASS_SIDES[language].values())),
        Question(name="pulley_acceleration", slots={}, answer=f"{faster} m/s²"),
        Question(name="tension", slots={}, answer=f"{tension} N"),
        Question(name="mass_difference", slots={}, answer=f"{abs(m1 - m2)} kg",
                 working=f"{max(m1, m2)} - {min(m1, m2)}"),
    ]  # fmt: skip
    return {"m1": m1, "m2": m2}, asked, draw


_MACHINES: Mapping[str, Callable[[str, Random], Problem]] = {"incline": _incline, "lever": _lever, "pulley": _pulley}
