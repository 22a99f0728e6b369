"""Draws the results of `gpu.py` as SVG: how many times as fast as the port, and the share of the device's bound."""

import html
from collections.abc import Iterator, Mapping
from typing import Any

LEFT, WIDTH, BAR = 260, 420, 22
COLOURS = {"times as fast as the port": "#3b6fb6", "share of the bound": "#d9822b"}


def figures(result: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every measurement of the results that was compared, with its name."""
    if "ratio" in result:
        yield name, result
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from figures(value, f"{name} {key}".strip())


def draw(result: Mapping[str, Any]) -> str:
    """Return the picture: for each measurement a bar of the ratio with its interval, and one of the share."""
    found = list(figures(result))
    most = max([1.0, *(each.get("interval", [0, each["ratio"]])[1] for _, each in found)])
    lines, y = [], 40
    for name, each in found:
        lines.append(_text(LEFT - 8, y + 14, name, "end"))
        lines.append(
            _bar(y, WIDTH * each["ratio"] / most, f"{each['ratio']:.2f} ×", COLOURS["times as fast as the port"])
        )
        if "interval" in each:
            low, high = (LEFT + WIDTH * end / most for end in each["interval"])
            lines.append(f'<path d="M{low:.1f} {y + 8}H{high:.1f}" stroke="black"/>')
        y += BAR
        share = each.get("share_of_bound")
        if share is not None:
            lines.append(_bar(y, WIDTH * share, f"{share:.0%}", COLOURS["share of the bound"]))
            y += BAR
        y += 8
    equal = LEFT + WIDTH / most
    lines.append(f'<path d="M{equal:.1f} 32V{y}" stroke="grey" stroke-dasharray="3"/>')
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + 200 * number
        lines.append(f'<rect x="{x}" y="10" width="10" height="10" fill="{colour}"/>{_text(x + 14, 19, name)}')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{y + 10}"'
    return (
        "\n".join(
            [
                f'{head} font-family="sans-serif" font-size="12">',
                '<rect width="100%" height="100%" fill="white"/>',
                *lines,
                "</svg>",
            ]
        )
        + "\n"
    )


def _bar(y: int, width: float, label: str, colour: str) -> str:
    bar = f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 6}" fill="{colour}"/>'
    return bar + _text(LEFT + width + 6, y + 13, label)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{html.escape(text)}</text>'
