"""The picture of a calibration: AUC by corruption with its interval, and precision over recall, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from filters.calibration.corruptions import CORRUPTIONS

COLOURS = ("#1f6f5c", "#b4552d", "#3b5b9d", "#8a5aa0", "#7d7a2c", "#96405e")
WIDTH, LEFT, PLOT, GAP = 940, 150, 380, 90
TOP, ROW = 44, 34
FONT = 'font-family="sans-serif" font-size="13"'


def draw(results: Sequence[Mapping[str, Any]]) -> str:
    """Draw results (`Measured.to_json`, with `wanted` where there is a threshold) for the same corruptions."""
    names = [name for name in CORRUPTIONS if any("auc" in r["corruptions"].get(name, {}) for r in results)]
    bottom = TOP + ROW * max(len(names), 6)
    height = bottom + 46 + 20 * len(results)
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-weight="600">AUC by corruption, 95 % interval</text>',
        f'<text x="{LEFT + PLOT + GAP}" y="22" font-weight="600">Precision over recall</text>',
        *_axes(bottom),
    ]
    for row, name in enumerate(names):
        y = TOP + ROW * row + ROW / 2
        pieces.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        pieces.append(f'<path d="M{LEFT} {y:.1f}H{LEFT + PLOT}" stroke="#eee"/>')
        for number, result in enumerate(results):
            pieces += _interval(result["corruptions"].get(name, {}), y + _shift(number, len(results)), _colour(number))
    for number, result in enumerate(results):
        pieces += _curve(result, bottom, _colour(number))
        y = bottom + 52 + 20 * number
        pieces.append(f'<circle cx="{LEFT}" cy="{y - 4}" r="5" fill="{_colour(number)}"/>')
        pieces.append(f'<text x="{LEFT + 12}" y="{y}">{escape(_legend(result))}</text>')
    return "\n".join([*pieces, "</svg>\n"])


def _axes(bottom: int) -> list[str]:
    right = LEFT + PLOT + GAP
    pieces = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = LEFT + PLOT * tick, bottom - (bottom - TOP) * tick
        dash = ' stroke-dasharray="4 3"' if tick == 0.5 else ""
        pieces.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ccc"{dash}/>')
        pieces.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#555">{tick:g}</text>')
        x = right + PLOT * 0.8 * tick
        pieces.append(f'<path d="M{right} {y:.1f}H{right + PLOT * 0.8:.1f}" stroke="#ddd"/>')
        pieces.append(f'<text x="{right - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{0.5 + tick / 2:g}</text>')
        pieces.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#555">{tick:g}</text>')
    return pieces


def _interval(found: Mapping[str, Any], y: float, colour: str) -> list[str]:
    if "auc" not in found:
        return []
    low, value, high = (LEFT + PLOT * found[key] for key in ("low", "auc", "high"))
    return [
        f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="{colour}" stroke-width="2"/>',
        f'<circle cx="{value:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"><title>{found["auc"]:.3f}</title></circle>',
    ]


def _curve(result: Mapping[str, Any], bottom: int, colour: str) -> list[str]:
    """Precision from 0.5 to 1; what is below lies on the axis."""

    def place(precision: float, recall: float) -> tuple[float, float]:
        return LEFT + PLOT + GAP + PLOT * 0.8 * recall, bottom - (bottom - TOP) * max(0.0, 2 * precision - 1)

    corners = [place(precision, recall) for _, precision, recall in result["curve"]]
    if not corners:
        return []
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    pieces = [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    wanted = result.get("wanted") or {}
    if wanted.get("threshold") is not None:
        x, y = place(wanted["precision"], wanted["recall"])
        pieces.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#fff" stroke="{colour}" stroke-width="2"/>')
    return pieces


def _legend(result: Mapping[str, Any]) -> str:
    told = f"{result['score']}, {result['samples']:,} samples"
    wanted = result.get("wanted") or {}
    if wanted.get("threshold") is not None:
        told += f"; {wanted['setting']} = {wanted['threshold']:g}: precision {wanted['precision']:.3f}"
        told += f", recall {wanted['recall']:.3f}"
    return told


def _shift(number: int, count: int) -> float:
    return (number - (count - 1) / 2) * min(9.0, 24 / max(count, 1))


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
