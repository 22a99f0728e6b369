"""Circuits: a battery with resistors in series and in parallel, as a schematic and as a netlist."""

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from sources.charts.questions.question import Question, round_half_up
from sources.diagrams.canvas import PAD, Canvas
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

OHMS = (10, 15, 20, 22, 30, 33, 40, 47, 50, 60, 68, 75, 80, 90, 100, 120, 150, 180, 200, 220, 270, 300, 330)
VOLTS = (3, 5, 6, 9, 12, 15, 18, 24)
TITLE = {"en": "Circuit with {count} resistors", "zh": "含{count}个电阻的电路"}
INTRO = {
    "en": "The schematic shows a {volts} V source with {count} resistors. {series} {parallel}{switch}",
    "zh": "电路图中有一个{volts} V电源和{count}个电阻。{series}{parallel}{switch}",
}
SERIES = {"en": "In series with the source: {names}.", "zh": "与电源串联的有：{names}。"}
PARALLEL = {"en": "In parallel with each other: {names}.", "zh": "相互并联的有：{names}。"}
SWITCH = {"en": " The switch S1 is {state}.", "zh": "开关S1{state}。"}
STATE = {"en": {True: "open", False: "closed"}, "zh": {True: "断开", False: "闭合"}}
YES = {"en": {True: "Yes", False: "No"}, "zh": {True: "是", False: "否"}}


@dataclass(frozen=True, slots=True)
class Circuit:
    """Resistances in ohms: those in series with the source, and those in parallel branches behind them."""

    volts: int
    series: tuple[int, ...]
    parallel: tuple[int, ...]
    switch: bool
    open: bool

    @property
    def resistance(self) -> Fraction:
        return Fraction(sum(self.series)) + 1 / sum((Fraction(1, ohms) for ohms in self.parallel), Fraction(0))

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the designators of the resistors in series and in parallel."""
        count = len(self.series)
        return (
            tuple(f"R{k + 1}" for k in range(count)),
            tuple(f"R{count + k + 1}" for k in range(len(self.parallel))),
        )


def circuit(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a circuit of three to six resistors."""
    has_switch = random.random() < 0.5
    spec = Circuit(
        random.choice(VOLTS),
        tuple(random.choice(OHMS) for _ in range(random.randint(1, 3))),
        tuple(random.choice(OHMS) for _ in range(random.randint(2, 3))),
        has_switch,
        has_switch and random.random() < 0.4,
    )
    title = pick(TITLE, language, count=len(spec.series) + len(spec.parallel))
    canvas = Canvas(style, title)
    _draw(canvas, spec)
    series, parallel = spec.names()
    comma = {"en": ", ", "zh": "、"}[language]
    switch = pick(SWITCH, language, state=STATE[language][spec.open]) if spec.switch else ""
    description = pick(
        INTRO, language, volts=spec.volts, count=len(series) + len(parallel), switch=switch,
        series=pick(SERIES, language, names=comma.join(_listed(series, spec.series))),
        parallel=pick(PARALLEL, language, names=comma.join(_listed(parallel, spec.parallel))),
    )  # fmt: skip
    return Diagram(
        kind="circuit", language=language, title=title, canvas=canvas, data=("netlist", netlist(spec)),
        description=description, questions=tuple(_questions(spec, language, random)),
    )  # fmt: skip


def netlist(spec: Circuit) -> str:
    """Return a SPICE netlist; node 0 is the negative end of the source, an open switch is a resistor of 1G."""
    series, parallel = spec.names()
    lines = [f"V1 1 0 {spec.volts}"]
    node = 1
    if spec.switch:
        lines.append(f"RS1 1 2 {'1G' if spec.open else '0'} ; switch S1 {'open' if spec.open else 'closed'}")
        node = 2
    for name, ohms in zip(series, spec.series, strict=True):
        lines.append(f"{name} {node} {node + 1} {ohms}")
        node += 1
    lines += [f"{name} {node} 0 {ohms}" for name, ohms in zip(parallel, spec.parallel, strict=True)]
    return "\n".join([*lines, ".end"])


def _listed(names: tuple[str, ...], values: tuple[int, ...]) -> list[str]:
    return [f"{name} ({ohms} Ω)" for name, ohms in zip(names, values, strict=True)]


def _draw(canvas: Canvas, spec: Circuit) -> None:
    """Draw the source on the left, the series resistors along the top, and the branches on the right."""
    font = canvas.style.font_px
    left, right = PAD + 5.5 * font, canvas.width - PAD - 5.5 * font
    top, bottom = canvas.top + 3 * font, canvas.height - PAD - 1.5 * font
    slots = len(spec.series) + spec.switch
    bus = left + (right - left) * 0.58
    step = (bus - left) / slots
    middle = (top + bottom) / 2
    canvas.line([(left, middle - 8), (left, top)])
    canvas.line([(left, middle + 8), (left, bottom), (right, bottom)])
    canvas.line([(left - 18, middle - 8), (left + 18, middle - 8)])
    canvas.line([(left - 9, middle + 8), (left + 9, middle + 8)], width=canvas.style.stroke_px * 2)
    canvas.text((left - 1.7 * font, middle - 1.6 * font), "V1", anchor="end")
    canvas.text((left - 1.7 * font, middle + 1.6 * font), f"{spec.volts} V", anchor="end")
    canvas.text((left + 1.2 * font, middle - 1.3 * font), "+", anchor="middle")
    x = left
    if spec.switch:
        _switch(canvas, x, step, top, spec.open)
        x += step
    series, parallel = spec.names()
    for name, ohms in zip(series, spec.series, strict=True):
        _resistor(canvas, (x, top), (x + step, top), name, ohms)
        x += step
    canvas.line([(bus, top), (right, top)])
    gap = (right - bus) / max(1, len(parallel) - 1)
    for k, (name, ohms) in enumerate(zip(parallel, spec.parallel, strict=True)):
        place = bus + k * gap
        _resistor(canvas, (place, top), (place, bottom), name, ohms)
        if 0 < k < len(parallel) - 1 or k == 0:
            canvas.circle((place, top), 3.5, fill=canvas.look.ink)
            canvas.circle((place, bottom), 3.5, fill=canvas.look.ink)


def _resistor(canvas: Canvas, start: tuple[float, float], end: tuple[float, float], name: str, ohms: int) -> None:
    """Draw a resistor (a box, as IEC symbols are) with its name and value between two points of a straight wire."""
    font, half, width = canvas.style.font_px, 26, 9
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    if start[1] == end[1]:
        canvas.line([start, (x - half, y)])
        canvas.line([(x + half, y), end])
        canvas.rect((x - half, y - width), (2 * half, 2 * width), fill=canvas.look.fills[0])
        canvas.text((x, y - width - 0.9 * font), name)
        canvas.text((x, y + width + 0.9 * font), f"{ohms} Ω")
    else:
        canvas.line([start, (x, y - half)])
        canvas.line([(x, y + half), end])
        canvas.rect((x - width, y - half), (2 * width, 2 * half), fill=canvas.look.fills[0])
        canvas.text((x + width + 0.5 * font, y - 0.7 * font), name, anchor="start")
        canvas.text((x + width + 0.5 * font, y + 0.7 * font), f"{ohms} Ω", anchor="start")


def _switch(canvas: Canvas, x: float, step: float, y: float, is_open: bool) -> None:
    first, second = x + step / 2 - 20, x + step / 2 + 20
    canvas.line([(x, y), (first, y)])
    canvas.line([(second, y), (x + step, y)])
    canvas.line([(first, y), (second - 3, y - 17) if is_open else (second, y)])
    for place in (first, second):
        canvas.circle((place, y), 3.5, fill=canvas.look.paper)
    canvas.text((x + step / 2, y + 1.5 * canvas.style.font_px), "S1")


def _questions(spec: Circuit, language: str, random: Random) -> list[Question]:
    series, parallel = spec.names()
    values = dict(zip((*series, *parallel), (*spec.series, *spec.parallel), strict=True))
    name = random.choice(sorted(values))
    total = round_half_up(spec.resistance, 1)
    milliamperes = Fraction(0) if spec.open else round_half_up(Fraction(spec.volts * 1000) / spec.resistance, 0)
    choices = tuple(f"{ohms} Ω" for ohms in sorted({*spec.series, *spec.parallel, *random.sample(OHMS, 3)}))
    asked = [
        Question(name="count_resistors", slots={}, answer=str(len(values)), options=("2", "3", "4", "5", "6", "7")),
        Question(name="value", slots={"name": name}, answer=f"{values[name]} Ω", options=choices),
        Question(name="source", slots={}, answer=f"{spec.volts} V", options=tuple(f"{volts} V" for volts in VOLTS)),
        Question(name="total", slots={}, answer=f"{total} Ω"),
        Question(name="current", slots={}, answer=f"{milliamperes} mA"),
        Question(name="parallel_with", slots={"name": parallel[0]}, answer=", ".join(parallel[1:])),
        Question(name="count_series", slots={}, answer=str(len(series)), options=("0", "1", "2", "3", "4")),
    ]  # fmt: skip
    if spec.switch:
        asked.append(Question(name="flows", slots={}, answer=YES[language][not spec.open]))
    return asked
