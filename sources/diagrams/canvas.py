"""A canvas: vector drawing as SVG, with the box of every text, and its pixels."""

import io
import math
from collections.abc import Sequence
from functools import cache
from html import escape

import numpy as np
import vl_convert
from PIL import Image

from sources.charts.fonts import Face, font_file, text_width
from sources.charts.picture import Picture, TextBox
from sources.diagrams.style import DiagramStyle

Point = tuple[float, float]
ASCENT, DESCENT = 0.8, 0.22  # of a line of text, in font sizes
LINE = 1.3  # distance of lines of text, in font sizes
PAD = 18  # around the drawing, in pixels
TITLE = 1.35  # size of the title relative to labels


class Canvas:
    """Collects shapes and texts; y grows downwards, lengths are pixels.

    Args:
        top: first y below the title.
    """

    def __init__(self, style: DiagramStyle, title: str):
        self.style = style
        self.look = style.colours
        self.width, self.height = style.width_px, style.height_px
        self.top = float(PAD)
        self.texts: list[TextBox] = []
        self._shapes: list[str] = []
        if style.title:
            size = style.font_px * TITLE
            room = self.width - 2 * PAD
            size = max(style.font_px, min(size, size * room / self.measure(title, size=size, bold=True)))
            self.text((self.width / 2, PAD + size * 0.6), title, role="title", size=size, bold=True)
            self.top += size * 1.5

    def measure(self, text: str, *, size: float = 0, bold: bool = False) -> float:
        """Return the width of a line of text in pixels."""
        return text_width(text, self.style.face, size or self.style.font_px, bold=bold)

    def line(
        self, points: Sequence[Point], *, colour: str = "", width: float = 0, dash: str = "", close: bool = False,
        fill: str = "none",
    ) -> None:  # fmt: skip
        """Draw straight lines through points; if `close`, a polygon."""
        tag = "polygon" if close else "polyline"
        places = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._shapes.append(f'<{tag} points="{places}" fill="{fill}" {self._stroke(colour, width, dash)}/>')

    def rect(
        self, corner: Point, size: Point, *, fill: str = "none", colour: str = "", width: float = 0, radius: float = 0
    ) -> None:
        """Draw a rectangle from its upper left corner."""
        self._shapes.append(
            f'<rect x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(size[0])}" height="{_n(size[1])}" '
            f'rx="{_n(radius)}" fill="{fill}" {self._stroke(colour, width, "")}/>'
        )

    def circle(
        self, centre: Point, radius: float, *, fill: str = "none", colour: str = "", width: float = 0
    ) -> None:  # fmt: skip
        """Draw a circle."""
        self._shapes.append(
            f'<circle cx="{_n(centre[0])}" cy="{_n(centre[1])}" r="{_n(radius)}" fill="{fill}" '
            f"{self._stroke(colour, width, '')}/>"
        )

    def path(self, commands: str, *, fill: str = "none", colour: str = "", width: float = 0) -> None:
        """Draw an SVG path."""
        self._shapes.append(f'<path d="{commands}" fill="{fill}" {self._stroke(colour, width, "")}/>')

    def arrow(self, start: Point, end: Point, *, colour: str = "", width: float = 0, size: float = 9) -> None:
        """Draw a line with a filled head at its end."""
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        base = (end[0] - size * math.cos(angle), end[1] - size * math.sin(angle))
        self.line([start, base], colour=colour, width=width)
        side = (size * 0.45 * math.sin(angle), -size * 0.45 * math.cos(angle))
        head = [end, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
        self.line(head, colour=colour, width=0.5, close=True, fill=colour or self.look.ink)

    def embed(self, svg: str) -> None:
        """Add the elements of another SVG as they are."""
        self._shapes.append(svg)

    def text(
        self, place: Point, text: str, *, anchor: str = "middle", role: str = "value", size: float = 0,
        bold: bool = False, colour: str = "", halo: bool = False,
    ) -> TextBox:  # fmt: skip
        """Draw a line of text centred in height at a place.

        Args:
            anchor: `start`, `middle` or `end`: which part of the text is at x.
            halo: a rim in the colour of the paper keeps lines away from the letters.
        Returns:
            Its box.
        """
        size = round(size or self.style.font_px, 1)
        length = self.measure(text, size=size, bold=bold)
        x0 = place[0] - {"start": 0.0, "middle": length / 2, "end": length}[anchor]
        base = place[1] + size * (ASCENT - DESCENT) / 2 + size * 0.06
        rim = f' stroke="{self.look.paper}" stroke-width="4" paint-order="stroke"' if halo else ""
        self._shapes.append(
            f'<text x="{_n(place[0])}" y="{_n(base)}" font-family="{self.style.face.family}" font-size="{size}" '
            f'font-weight="{"bold" if bold else "normal"}" text-anchor="{anchor}" '
            f'fill="{colour or self.look.ink}"{rim}>{escape(text)}</text>'
        )
        box = TextBox(text, role, x0, base - ASCENT * size, x0 + length, base + DESCENT * size)
        self.texts.append(box)
        return box

    def svg(self) -> str:
        """Return the drawing as an SVG file."""
        body = "\n".join(self._shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}">\n'
            f'<rect width="{self.width}" height="{self.height}" fill="{self.look.paper}"/>\n{body}\n</svg>'
        )

    def picture(self) -> Picture:
        """Return the pixels and the boxes of the texts."""
        _register_fonts(self.style.face)
        svg = self.svg()
        with Image.open(io.BytesIO(vl_convert.svg_to_png(svg))) as image:
            pixels = np.asarray(image.convert("RGB"))
        return Picture(
            pixels=pixels, texts=tuple(self.texts), marks=np.zeros((0, 2)), code=svg, code_language="svg"
        )  # fmt: skip

    def _stroke(self, colour: str, width: float, dash: str) -> str:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        return (
            f'stroke="{colour or self.look.ink}" stroke-width="{_n(width or self.style.stroke_px)}" '
            f'stroke-linejoin="round" stroke-linecap="round"{dashes}'
        )


def _n(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


@cache
def _register_fonts(face: Face) -> None:
    """Register the folder of a font, as the renderer finds the fonts of the system only."""
    vl_convert.register_font_directory(str(font_file(face).parent))
