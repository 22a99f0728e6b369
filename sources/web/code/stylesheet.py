"""Writes a short style sheet: shorthands, rules by tag, and a class for every other set of declarations."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sources.web.code.node import Node

Declarations = tuple[tuple[str, str], ...]

SIDES = ("top", "right", "bottom", "left")
CORNERS = ("top-left", "top-right", "bottom-right", "bottom-left")
BORDERED = frozenset(("button", "input", "select", "textarea", "fieldset", "hr"))  # by the browser
GENERIC = frozenset(
    ("serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "math", "ui-monospace", "ui-serif")
)
FUNCTIONS = frozenset(
    [
        "rgb",
        "rgba",
        "hsl",
        "hsla",
        "hwb",
        "lab",
        "lch",
        "oklab",
        "oklch",
        "color",
        "calc",
        "min",
        "max",
        "clamp",
        "minmax",
        "repeat",
        "fit-content",
        "matrix",
        "matrix3d",
        "linear-gradient",
        "radial-gradient",
        "conic-gradient",
        "repeating-linear-gradient",
        "repeating-radial-gradient",
    ]
)
MAX_FAMILIES = 3  # before the generic one; Chinese families often come after two Latin ones
PLACEHOLDER = "::placeholder"  # in place of a property: the colour of that part
BORDER_BOX = ("box-sizing", "border-box")
SIZED_WITH_BORDER = frozenset(("button", "input", "meter", "progress", "select", "table"))  # by the browser
_PLAIN = re.compile(r"[\w\s.,%#()/+*\"\[\]-]*", re.ASCII)
_FUNCTION = re.compile(r"([\w-]*)\(")
_COLOUR = re.compile(r"rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)")
_PIXELS = re.compile(r"(?<![\w.#-])(-?[\d.]+(?:e-\d+)?)px")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}")
_FAMILY = re.compile(r"[\w .&-]{1,60}")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """Rules in order, and the class of every element that has one.

    Args:
        rules: (selector, declarations).
        classes: class name by `id()` of the element.
    """

    rules: Sequence[tuple[str, Declarations]]
    classes: Mapping[int, str] = field(default_factory=dict)


def stylesheet(root: Node, other_fonts: Collection[str]) -> Stylesheet:
    """Return the styles of a tree: declarations common to a tag are rules of the tag, each remaining set is a class."""
    nodes = list(root.walk())
    sets = {id(node): declarations(node, other_fonts) for node in nodes}
    tags: dict[str, list[Node]] = {}
    for node in nodes:
        tags.setdefault(node.tag, []).append(node)
    rules: list[tuple[str, Declarations]] = []
    if all(BORDER_BOX in sets[id(node)] or node.tag in SIZED_WITH_BORDER | {"br"} for node in nodes):
        rules.append(("*", (BORDER_BOX,)))  # as the author most likely wrote it
        sets = {key: tuple(entry for entry in entries if entry != BORDER_BOX) for key, entries in sets.items()}
    for tag, same in tags.items():
        if tag in ("div", "span"):
            continue
        shared = set(sets[id(same[0])]).intersection(*(sets[id(node)] for node in same))
        common = tuple(entry for entry in sets[id(same[0])] if entry in shared)
        if common:
            rules.append((tag, common))
            for node in same:
                sets[id(node)] = tuple(entry for entry in sets[id(node)] if entry not in shared)
    names = _names(nodes, sets)
    rules += [(f".{name}", entries) for entries, name in names.items()]
    rules = [rule for selector, entries in rules for rule in _with_parts(selector, entries)]
    return Stylesheet(rules, {id(node): names[sets[id(node)]] for node in nodes if sets[id(node)]})


def _with_parts(selector: str, entries: Declarations) -> list[tuple[str, Declarations]]:
    """Return the rule of a selector, and that of the part of it which has its own."""
    own = tuple(entry for entry in entries if entry[0] != PLACEHOLDER)
    parts = [(f"{selector}::placeholder", (("color", value),)) for name, value in entries if name == PLACEHOLDER]
    return [*([(selector, own)] if own else []), *parts]


def _names(nodes: Sequence[Node], sets: Mapping[int, Declarations]) -> dict[Declarations, str]:
    """Return a class name for every set: the most common name of its elements, with a number if it is taken."""
    wanted: dict[Declarations, Counter[str]] = {}
    for node in nodes:
        if sets[id(node)]:
            name = node.name if _NAME.fullmatch(node.name) else node.tag
            wanted.setdefault(sets[id(node)], Counter())[name.lower()] += 1
    names: dict[Declarations, str] = {}
    taken: Counter[str] = Counter()
    for entries, counts in wanted.items():
        name = counts.most_common(1)[0][0]
        while True:
            taken[name] += 1
            unique = name if taken[name] == 1 else f"{name}-{taken[name]}"
            if unique not in names.values():
                break
        names[entries] = unique
    return names


def declarations(node: Node, other_fonts: Collection[str]) -> Declarations:
    """Return the declarations of an element in short form and fixed order, without values of unknown form."""
    style = {name: _short(value) for name, value in node.style.items() if name == "font-family" or _is_plain(value)}
    found: dict[str, str] = {}
    for name in list(style):
        if name not in style:  # already part of a shorthand
            continue
        if name.startswith(("margin-", "padding-")):
            kind = name.partition("-")[0]
            found[kind] = _four([style.pop(f"{kind}-{side}", "0") for side in SIDES])
        elif name.endswith("-radius"):
            found["border-radius"] = _four([style.pop(f"border-{corner}-radius", "0") for corner in CORNERS])
        elif name.startswith("border-") and name.partition("-")[2].partition("-")[0] in SIDES:
            found |= _border(style, node.tag)
        elif name.startswith("overflow-") and name[-1] in "xy":
            x, y = style.pop("overflow-x", "visible"), style.pop("overflow-y", "visible")
            found["overflow"] = x if x == y else f"{x} {y}"
        elif name in ("flex-grow", "flex-shrink", "flex-basis"):
            found["flex"] = _flex(*(style.pop(f"flex-{part}", "0") for part in ("grow", "shrink", "basis")))
        elif name in ("row-gap", "column-gap"):
            row, column = style.pop("row-gap", "normal"), style.pop("column-gap", "normal")
            found["gap"] = row if row == column else f"{row} {column}"
        elif name in ("grid-column-start", "grid-column-end", "grid-row-start", "grid-row-end"):
            line = name.rpartition("-")[0]
            start, end = style.pop(f"{line}-start", "auto"), style.pop(f"{line}-end", "auto")
            found[line] = start if end == "auto" else f"{start} / {end}"
        elif name == "font-family":
            found[name] = families(node.style[name], other_fonts)
        elif name == "background-color":
            found["background"] = f"{found.get('background', '')} {style[name]}".strip()
        elif name == "background-image":
            if "gradient" in style[name]:  # the colour is below the last layer
                found["background"] = f"{style[name]} {found.get('background', '')}".strip()
        elif name in ("background-size", "background-position", "background-repeat"):
            if "gradient" in style.get("background-image", ""):
                found[name] = style[name]
        elif name == "text-decoration-line":
            found["text-decoration"] = style[name]
        elif name == "text-decoration-color":
            found[name] = style[name]
        else:
            found[name] = style[name]
    if node.placeholder and _is_plain(node.placeholder):
        found[PLACEHOLDER] = _short(node.placeholder)
    return tuple((name, value) for name, value in found.items() if value)


def _is_plain(value: str) -> bool:
    """Return True if a value has only numbers, words and known functions: nothing that loads or ends the rule."""
    return (
        _PLAIN.fullmatch(value) is not None
        and value.count('"') % 2 == 0
        and value.count("(") == value.count(")")
        and all(name in FUNCTIONS or not name for name in _FUNCTION.findall(value))
    )


def families(value: str, other_fonts: Collection[str]) -> str:
    """Return a list of font families without `other_fonts`: at most `MAX_FAMILIES` and a generic one."""
    others = {name.lower() for name in other_fonts}
    named, generic = [], ""
    for part in value.split(","):
        name = part.strip().strip("\"'")
        if name.lower() in GENERIC:
            generic = generic or name.lower()
        elif _FAMILY.fullmatch(name) and name.lower() not in others and not generic:
            named.append(name)
    quoted = [name if re.fullmatch(r"[A-Za-z][A-Za-z -]*", name) else f'"{name}"' for name in named[:MAX_FAMILIES]]
    return ", ".join([*quoted, *([generic] if generic else [])]) or "sans-serif"


def _border(style: dict[str, str], tag: str) -> dict[str, str]:
    lines = {}
    for side in SIDES:
        width, kind, colour = (style.pop(f"border-{side}-{part}", "") for part in ("width", "style", "color"))
        lines[side] = "" if kind in ("", "none", "hidden") or width in ("", "0") else f"{width} {kind} {colour}".strip()
    if lines["top"] and len(set(lines.values())) == 1:
        return {"border": lines["top"]}
    shown = {f"border-{side}": line for side, line in lines.items() if line}
    return {**({"border": "none"} if tag in BORDERED else {}), **shown}


def _flex(grow: str, shrink: str, basis: str) -> str:
    if (shrink, basis) == ("1", "0%"):
        return grow
    if basis == "auto" and grow == shrink == "0":
        return "none"
    return f"{grow} {shrink} {basis}"


def _four(values: Sequence[str]) -> str:
    """Return the shortest form of values for four sides."""
    top, right, bottom, left = values
    if left != right:
        return " ".join(values)
    if top != bottom:
        return f"{top} {right} {bottom}"
    return top if top == right else f"{top} {right}"


def _short(value: str) -> str:
    return _COLOUR.sub(_hex, _PIXELS.sub(_pixels, value)).replace(", ", ",").replace(",", ", ")


def _pixels(match: re.Match[str]) -> str:
    number = round(float(match[1]), 2)
    text = f"{number:g}" if abs(number) < 1e5 else f"{number:.0f}"
    return "0" if text in ("0", "-0") else f"{text}px"


def _hex(match: re.Match[str]) -> str:
    channels = [min(255, round(float(match[k]))) for k in (1, 2, 3)]
    if match[4] is not None:
        channels.append(min(255, round(float(match[4]) * 255)))
    if len(channels) == 4 and channels[3] == 0:
        return "transparent"
    if all(channel % 17 == 0 for channel in channels):
        return "#" + "".join(f"{channel // 17:x}" for channel in channels)
    return "#" + "".join(f"{channel:02x}" for channel in channels)
