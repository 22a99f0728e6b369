"""The Vega-Lite renderer: vl-convert draws specifications offline, and the boxes of texts come from its SVG."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache

import numpy as np
import vl_convert
from PIL import Image

from sources.charts.fonts import Face, font_file, text_width
from sources.charts.picture import Picture, TextBox
from sources.charts.vega_specs.frame import Spec

ASCENT, DESCENT = 0.88, 0.22  # of a line of text, in font sizes
VEGA_LITE = "6.4"
LINE_LENGTH = 100
_TRANSLATE = re.compile(r"translate\((-?[\d.]+)[ ,](-?[\d.]+)\)")
_ROTATE = re.compile(r"rotate\((-?[\d.]+)")
_ROLES = {"title": "title", "axis-title": "axis_title", "axis-label": "tick", "legend-label": "legend"}


def draw(spec: Spec, face: Face) -> Picture:
    """Draw a specification whose texts use one font."""
    _register_fonts(face)
    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    with Image.open(io.BytesIO(vl_convert.svg_to_png(svg))) as image:
        pixels = np.asarray(image.convert("RGB"))
    root = ElementTree.fromstring(svg)
    return Picture(
        pixels=pixels,
        texts=tuple(_texts(root, 0.0, 0.0, "value", face)),
        marks=np.zeros((0, 2)),
        code=_fold_json(json.dumps(spec, ensure_ascii=False, indent=2)),
        code_language="json",
    )


def _fold_json(text: str) -> str:
    """Put short lists and objects without nested ones on one line each."""

    def fold(match: re.Match[str]) -> str:
        line = " ".join(match[0].split())
        return line if len(line) <= LINE_LENGTH else match[0]

    return re.sub(r"[\[{][^\[\]{}]*[\]}]", fold, text)


@cache
def _register_fonts(face: Face) -> None:
    """Register the folder of a font, as vl-convert finds the fonts of the system only."""
    vl_convert.register_font_directory(str(font_file(face).parent))


def _texts(element: ElementTree.Element, x: float, y: float, role: str, face: Face) -> Iterator[TextBox]:
    """Yield the texts below an element that begins at x, y, with the role of the groups around them."""
    moved = _TRANSLATE.search(element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    found = re.search(r"role-([\w-]+)", element.get("class", ""))
    if found:
        role = _role(found[1], role)
    if element.tag.endswith("}text"):
        yield from _boxes(element, x, y, role, face)
        return
    for child in element:
        yield from _texts(child, x, y, role, face)


def _role(name: str, outer: str) -> str:
    for part, role in _ROLES.items():
        if name.startswith(part):
            return role
    return outer


def _boxes(element: ElementTree.Element, x: float, y: float, role: str, face: Face) -> Iterator[TextBox]:
    text = "".join(element.itertext())
    size = float(element.get("font-size", "11px").removesuffix("px"))
    if not text.strip() or element.get("opacity") == "0":
        return
    length = text_width(text, face, size, bold=element.get("font-weight") == "bold")
    start = {"start": 0.0, "middle": -length / 2, "end": -length}[element.get("text-anchor", "start")]
    rotated = _ROTATE.search(element.get("transform", ""))
    degrees = float(rotated[1]) % 360 if rotated else 0.0
    assert degrees in (0, 270), degrees
    if degrees == 0:
        yield TextBox(text, role, x + start, y - ASCENT * size, x + start + length, y + DESCENT * size)
    else:  # from bottom to top
        yield TextBox(text, role, x - ASCENT * size, y - start - length, x + DESCENT * size, y - start, upright=True)
