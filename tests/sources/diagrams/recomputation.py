"""Recompute answers about diagrams from the emitted data alone: netlist, JSON or Mermaid.

This uses nothing of `sources/diagrams`; a check gets the data, the slots of the question and its language.
"""

import itertools
import json
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

Slots = Mapping[str, str]
Check = Callable[[Any, Slots, bool], Any]
YES = {(True, False): "Yes", (False, False): "No", (True, True): "是", (False, True): "否"}


def parse(language: str, text: str) -> Any:
    """Return the data of a diagram."""
    if language == "json":
        return json.loads(text)
    return {"netlist": _netlist, "mermaid": _mermaid}[language](text)


def _netlist(text: str) -> dict[str, Any]:
    parts = [line.split() for line in text.splitlines() if not line.startswith(".")]
    resistors = {part[0]: (part[1], part[2], Fraction(part[3])) for part in parts if re.fullmatch(r"R\d+", part[0])}
    switch = [part[3] for part in parts if part[0] == "RS1"]
    return {"volts": Fraction(parts[0][3]), "resistors": resistors, "open": switch == ["1G"]}


def _in_parallel(data: dict[str, Any]) -> list[str]:
    ends = [{a, b} for a, b, _ in data["resistors"].values()]
    return [name for name, (a, b, _) in data["resistors"].items() if ends.count({a, b}) > 1]


def _resistance(data: dict[str, Any]) -> Fraction:
    parallel = _in_parallel(data)
    values = {name: ohms for name, (_, _, ohms) in data["resistors"].items()}
    series = sum((ohms for name, ohms in values.items() if name not in parallel), Fraction(0))
    return series + 1 / sum(1 / values[name] for name in parallel)


def _current(data: dict[str, Any], slots: Slots, zh: bool) -> Fraction:
    return Fraction(0) if data["open"] else data["volts"] * 1000 / _resistance(data)


def _mermaid(text: str) -> dict[str, Any]:
    lines = [line.strip() for line in text.splitlines()[1:]]
    names = dict(re.fullmatch(r"participant (P\d+) as (.+)", line).groups() for line in lines if "participant" in line)  # type: ignore[union-attr, misc]
    found = [re.fullmatch(r"(P\d+)(-{1,2})>>(P\d+): (.+)", line) for line in lines if "participant" not in line]
    return {
        "names": list(names.values()),
        "messages": [(names[m[1]], names[m[3]], m[4], m[2] == "--") for m in found if m],
    }  # fmt: skip


def _message(data: dict[str, Any], text: str) -> tuple[str, str, str, bool]:
    found: tuple[str, str, str, bool] = next(message for message in data["messages"] if message[2] == text)
    return found


def _area(data: dict[str, Any], room: str) -> Fraction:
    found = next(entry for entry in data["rooms"] if entry["name"] == room)
    return Fraction(found["width_m"]) * Fraction(found["depth_m"])


def _by_area(data: dict[str, Any]) -> list[str]:
    return sorted((entry["name"] for entry in data["rooms"]), key=lambda room: _area(data, room))


def _step(text: str) -> int:
    return int(text.split("–")[0])


def _stops(data: dict[str, Any], start: str, end: str) -> int:
    near = {frozenset(pair) for route in data["lines"].values() for pair in itertools.pairwise(route)}
    reached, steps = {start}, 0
    while end not in reached:
        reached |= {stop for pair in near if pair & reached for stop in pair}
        steps += 1
    return steps


def _sides(data: dict[str, Any]) -> dict[str, int]:
    """Return all sides of a triangle with a right angle, or those that are given."""
    sides = {"".join(sorted(side)): length for side, length in data["sides_cm"].items()}
    if data["shape"] == "right_triangle":
        corner = data["right_angle"]
        every = ["".join(sorted(pair)) for pair in (data["name"][:2], data["name"][1:], data["name"][::2])]
        missing = next(side for side in every if side not in sides)
        squares = {side: length**2 for side, length in sides.items()}
        hypotenuse = next(side for side in every if corner not in side)
        square = sum(squares.values()) if missing == hypotenuse else 2 * squares[hypotenuse] - sum(squares.values())
        sides[missing] = math.isqrt(square)
    if data["shape"] == "parallelogram":
        a, b, c, d = data["name"]
        sides["".join(sorted(c + d))] = sides["".join(sorted(a + b))]
    return sides


def _shape_area(data: dict[str, Any], slots: Slots, zh: bool) -> Fraction:
    if data["shape"] == "parallelogram":
        return Fraction(data["sides_cm"][data["name"][:2]] * data["height_cm"])
    legs = [length for side, length in _sides(data).items() if data["right_angle"] in side]
    return Fraction(legs[0] * legs[1], 2)


def _perimeter(data: dict[str, Any], slots: Slots, zh: bool) -> int:
    return 2 * sum(data["sides_cm"].values()) if data["shape"] == "parallelogram" else sum(_sides(data).values())


def _angle(data: dict[str, Any], corner: str) -> int:
    given = data["angles_deg"]
    if corner in given:
        return int(given[corner])
    rest = 180 - sum(given.values())
    return rest // 2 if data["shape"] == "isosceles" else rest


def _longest(data: dict[str, Any], slots: Slots, zh: bool) -> str:
    widest = max(data["name"], key=lambda corner: _angle(data, corner))
    return "".join(corner for corner in data["name"] if corner != widest)


def _turns(data: dict[str, Any], slots: Slots, zh: bool) -> str:
    left, right = data["m1"] * data["d1"], data["m2"] * data["d2"]
    words = ("It balances", "To the left", "To the right"), ("保持平衡", "向左", "向右")
    return words[zh][0 if left == right else 1 if left > right else 2]


def _sinks(data: dict[str, Any], slots: Slots, zh: bool) -> str:
    words = ("Neither", "The left one", "The right one"), ("都不下降", "左边", "右边")
    return words[zh][0 if data["m1"] == data["m2"] else 1 if data["m1"] > data["m2"] else 2]


def _torque(data: dict[str, Any], slots: Slots, zh: bool) -> int:
    k = "1" if slots["side"] in ("left", "左") else "2"
    return int(data["m" + k] * data["g"] * data["d" + k])


def _decomposed(data: dict[str, Any], function: Callable[[float], float], mass: bool = True) -> float:
    return (data["m"] if mass else 1) * data["g"] * function(math.radians(data["angle"]))


CHECKS: dict[str, dict[str, Check]] = {
    "circuit": {
        "count_resistors": lambda d, s, z: len(d["resistors"]),
        "value": lambda d, s, z: d["resistors"][s["name"]][2],
        "source": lambda d, s, z: d["volts"],
        "total": lambda d, s, z: _resistance(d),
        "current": _current,
        "parallel_with": lambda d, s, z: ", ".join(name for name in _in_parallel(d) if name != s["name"]),
        "count_series": lambda d, s, z: len(d["resistors"]) - len(_in_parallel(d)),
        "flows": lambda d, s, z: YES[not d["open"], z],
    },
    "floor_plan": {
        "count_rooms": lambda d, s, z: len(d["rooms"]),
        "area": lambda d, s, z: _area(d, s["room"]),
        "largest": lambda d, s, z: _by_area(d)[-1],
        "smallest": lambda d, s, z: _by_area(d)[0],
        "total": lambda d, s, z: sum(_area(d, entry["name"]) for entry in d["rooms"]),
        "difference": lambda d, s, z: _area(d, s["a"]) - _area(d, s["b"]),
        "is_joined": lambda d, s, z: YES[any({s["a"], s["b"]} == set(door) for door in d["doors"]), z],
        "entrance": lambda d, s, z: d["entrance"],
        "count_doors": lambda d, s, z: sum(s["room"] in door for door in d["doors"]) + (d["entrance"] == s["room"]),
    },
    "choropleth": {
        "class_of": lambda d, s, z: d["regions"][s["region"]],
        "count_class": lambda d, s, z: list(d["regions"].values()).count(s["label"]),
        "count_regions": lambda d, s, z: len(d["regions"]),
        "borders": lambda d, s, z: YES[any({s["a"], s["b"]} == set(border) for border in d["borders"]), z],
        "same_class": lambda d, s, z: YES[d["regions"][s["a"]] == d["regions"][s["b"]], z],
        "count_neighbours": lambda d, s, z: sum(s["region"] in border for border in d["borders"]),
        "higher_region": lambda d, s, z: max((s["a"], s["b"]), key=lambda name: _step(d["regions"][name])),
    },
    "transit_map": {
        "count_lines": lambda d, s, z: len(d["lines"]),
        "count_stops": lambda d, s, z: len(d["lines"][s["line"]]),
        "line_of": lambda d, s, z: next(line for line, route in d["lines"].items() if s["stop"] in route),
        "stops_between": lambda d, s, z: abs(d["lines"][s["line"]].index(s["a"]) - d["lines"][s["line"]].index(s["b"])),
        "count_transfers": lambda d, s, z: (
            sum(map(len, d["lines"].values())) - len({stop for route in d["lines"].values() for stop in route})
        ),
        "fewest_stops": lambda d, s, z: _stops(d, s["a"], s["b"]),
    },
    "sequence": {
        "count_participants": lambda d, s, z: len(d["names"]),
        "count_messages": lambda d, s, z: len(d["messages"]),
        "sender": lambda d, s, z: _message(d, s["text"])[0],
        "receiver": lambda d, s, z: _message(d, s["text"])[1],
        "next_message": lambda d, s, z: d["messages"][d["messages"].index(_message(d, s["text"])) + 1][2],
        "first_message": lambda d, s, z: d["messages"][0][2],
        "count_sent": lambda d, s, z: sum(message[0] == s["who"] for message in d["messages"]),
        "count_received": lambda d, s, z: sum(message[1] == s["who"] for message in d["messages"]),
        "count_replies": lambda d, s, z: sum(message[3] for message in d["messages"]),
    },
    "geometry": {
        "side": lambda d, s, z: _sides(d)["".join(sorted(s["side"]))],
        "area": _shape_area,
        "perimeter": _perimeter,
        "right_angle": lambda d, s, z: d["right_angle"],
        "angle": lambda d, s, z: _angle(d, s["corner"]),
        "exterior": lambda d, s, z: 180 - _angle(d, s["corner"]),
        "longest_side": _longest,
        "central_angle": lambda d, s, z: 2 * next(iter(d["inscribed_angle_deg"].values())),
        "diameter": lambda d, s, z: 2 * d["radius_cm"],
        "circle_area": lambda d, s, z: f"{d['radius_cm'] ** 2}π cm²",
        "numbered_angle": lambda d, s, z: d["angle_deg"] if s["number"] == "1" else 180 - d["angle_deg"],
    },
    "mechanics": {
        "mass": lambda d, s, z: d["m"],
        "incline_angle": lambda d, s, z: d["angle"],
        "weight": lambda d, s, z: d["m"] * d["g"],
        "along": lambda d, s, z: _decomposed(d, math.sin),
        "normal": lambda d, s, z: _decomposed(d, math.cos),
        "acceleration": lambda d, s, z: _decomposed(d, math.sin, mass=False),
        "tips": _turns,
        "torque": _torque,
        "balance": lambda d, s, z: Fraction(d["m1"] * d["d1"], d["d2"]),
        "sinks": _sinks,
        "pulley_acceleration": lambda d, s, z: Fraction(abs(d["m1"] - d["m2"]) * d["g"], d["m1"] + d["m2"]),
        "tension": lambda d, s, z: Fraction(2 * d["m1"] * d["m2"] * d["g"], d["m1"] + d["m2"]),
        "mass_difference": lambda d, s, z: abs(d["m1"] - d["m2"]),
    },
}
