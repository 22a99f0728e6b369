"""Drawings: small pictures of a few shapes (landscapes, streets, things, people, patterns), as SVG in the page.

They stand for the photographs of a page. Their code is short and draws exactly what is seen, so a page with drawings
can be answered with its code.
"""

import math
import random as random_module
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 160, 100  # units of a drawing


def landscape(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    sky, sun, far, near = random.sample(tints, 4)
    x, y, r = random.randint(20, 140), random.randint(18, 40), random.randint(7, 15)
    a, b, c = (random.randint(45, 70) for _ in range(3))
    d, e = random.randint(70, 84), random.randint(70, 88)
    return [
        _rect(0, 0, WIDTH, HEIGHT, sky),
        _circle(x, y, r, sun),
        _path(
            f"M0 {a}L{random.randint(25, 60)} {b - 18}L80 {b}L{random.randint(100, 130)} {c - 20}L160 {c}V100H0z", far
        ),
        _path(f"M0 {d}Q40 {d - 16} 80 {e}T160 {d}V100H0z", near),
    ]


def street(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    sky, window, *walls = random.sample(tints, 5)
    shapes = [_rect(0, 0, WIDTH, HEIGHT, sky)]
    x = random.randint(-8, 0)
    while x < WIDTH:
        width, top = random.randint(22, 40), random.randint(18, 55)
        shapes.append(_rect(x, top, width, HEIGHT - top, random.choice(walls)))
        columns = range(x + 5, x + width - 8, 10)
        for row in range(top + 7, 86, random.choice((14, 18))):
            shapes += [_rect(column, row, 5, 7, window) for column in columns if random.random() < 0.7]
        x += width + random.choice((0, 0, 3))
    return shapes


def still_life(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    wall, table, first, second = random.sample(tints, 4)
    shapes = [_rect(0, 0, WIDTH, HEIGHT, wall), _rect(0, 74, WIDTH, 26, table)]
    places = random.sample((36, 80, 122), random.randint(1, 3))
    for place, thing in zip(places, random.choices(THINGS, k=len(places)), strict=True):
        shapes.append(thing(place, *random.sample((first, second), 2)))
    return shapes


def portrait(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    back, coat, hair = random.sample(tints, 3)
    skin = random.choice(("#f1c9a5", "#d8a47f", "#a8744f", "#7a4e33"))
    shapes = [_rect(0, 0, WIDTH, HEIGHT, back), _path("M40 100Q42 72 80 70T120 100z", coat)]
    if random.random() < 0.4:
        shapes.append(_path("M58 46Q54 84 62 84H98Q106 84 102 46z", hair))
    return [*shapes, _circle(80, 48, 20, skin), _path("M60 46Q60 24 80 25T100 46Q90 36 60 46z", hair)]


def pattern(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    back, first, second = random.sample(tints, 3)
    size = random.choice((16, 20, 25))
    kind = random.randrange(3)
    shapes = [_rect(0, 0, WIDTH, HEIGHT, back)]
    for k, x in enumerate(range(0, WIDTH, 2 * size)):
        for j, y in enumerate(range(0, HEIGHT, 2 * size)):
            colour = (first, second)[(k + j) % 2]
            shapes.append(
                (
                    _circle(x + size, y + size, size * 2 // 3, colour),
                    _rect(x + size // 2, y + size // 2, size, size, colour),
                    _path(f"M{x} {y + 2 * size}l{size} -{size}l{size} {size}z", colour),
                )[kind]
            )
    return shapes


def waves(random: random_module.Random, tints: Sequence[str]) -> list[str]:
    colours = random.sample(tints, random.randint(3, 5))
    shapes = [_rect(0, 0, WIDTH, HEIGHT, colours[0])]
    for k, colour in enumerate(colours[1:], start=1):
        y, rise = HEIGHT * k // len(colours), random.randint(6, 18)
        shapes.append(_path(f"M0 {y}C40 {y - rise} 60 {y + rise} 90 {y}S140 {y - rise} 160 {y}V100H0z", colour))
    return shapes


def _cup(x: int, first: str, second: str) -> str:
    ring = f'<circle cx="{x + 16}" cy="64" r="7" fill="none" stroke="{first}" stroke-width="3"/>'
    return ring + _path(f"M{x - 14} 52h28l-4 30h-20z", first) + _rect(x - 14, 57, 28, 4, second)


def _vase(x: int, first: str, second: str) -> str:
    flowers = "".join(_circle(x + dx, 30 + abs(dx) // 2, 6, second) for dx in (-14, 0, 14))
    return (
        flowers
        + _path(f"M{x} 56L{x - 14} 38M{x} 56V32M{x} 56L{x + 14} 38", "none", second)
        + _path(f"M{x - 5} 52h10q12 16 4 32h-18q-8 -16 4 -32z", first)
    )


def _lamp(x: int, first: str, second: str) -> str:
    return (
        _rect(x - 2, 50, 4, 32, second) + _rect(x - 12, 80, 24, 4, second) + _path(f"M{x - 10} 28h20l10 24h-40z", first)
    )


def _book(x: int, first: str, second: str) -> str:
    return _rect(x - 16, 40, 10, 44, first) + _rect(x - 5, 36, 9, 48, second) + _rect(x + 5, 44, 11, 40, first)


def _box(x: int, first: str, second: str) -> str:
    return _rect(x - 18, 50, 36, 34, first) + _rect(x - 3, 50, 6, 34, second)


def _fruit(x: int, first: str, second: str) -> str:
    return _circle(x - 9, 73, 11, first) + _circle(x + 11, 74, 10, second) + _path(f"M{x - 9} 63l4 -8", "none", second)


def _bottle(x: int, first: str, second: str) -> str:
    return _path(f"M{x - 4} 30h8v14q8 4 8 14v26h-24v-26q0 -10 8 -14z", first) + _rect(x - 12, 62, 24, 12, second)


THINGS = (_cup, _vase, _lamp, _book, _box, _fruit, _bottle)
SCENES: Mapping[str, Callable[[random_module.Random, Sequence[str]], list[str]]] = {
    each.__name__: each for each in (landscape, street, still_life, portrait, pattern, waves)
}


def drawing(scene: str, random: random_module.Random, tints: Sequence[str]) -> Markup:
    """Return the shapes of a drawing, for an SVG element with the view box of WIDTH and HEIGHT.

    Args:
        tints: at least six colours.
    """
    return Markup("".join(SCENES[scene](random, tints)))  # numbers and colours of ours only


def trend(values: Sequence[float], width: int, height: int) -> str:
    """Return the path of a line through values from 0 to 1, in a box of `width` and `height`."""
    step = width / (len(values) - 1)
    return "M" + "L".join(f"{math.floor(k * step)} {round(height * (1 - value))}" for k, value in enumerate(values))


def _rect(x: int, y: int, width: int, height: int, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'


def _circle(x: int, y: int, radius: int, fill: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>'


def _path(shape: str, fill: str, stroke: str = "") -> str:
    line = f' stroke="{stroke}" stroke-width="2"' if stroke else ""
    return f'<path d="{shape}" fill="{fill}"{line}/>'
