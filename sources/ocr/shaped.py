"""Characters of scripts whose letters depend on their neighbours, with the ink of the shaped glyphs."""

from typing import Any

import numpy as np
from pymupdf import mupdf

from sources.ocr.alignment import Characters
from sources.ocr.blocks import INSET
from sources.ocr.typefaces import NO_INK, GlyphBox, check_drawn, ink_box
from sources.text.glyphs import is_blank
from sources.text.thai import ZERO_WIDTH_SPACE

MISSING = 0  # glyph number of the box that is drawn for a missing character
NO_GLYPH, NO_CHARACTER = (
    -1,
    -1,
)  # the character is part of the glyph before; the glyph is a further one of the character


class _Trace(mupdf.FzDevice2):
    """A MuPDF device that records the glyphs and pictures of a display list in reading order."""

    def __init__(self, inks: dict[tuple[str, int], GlyphBox], faces: frozenset[str]):
        super().__init__()
        self.use_virtual_fill_text()
        self.use_virtual_fill_image()
        self._inks, self._faces = inks, faces
        self.text: list[str] = []
        self.boxes: list[GlyphBox] = []
        self.baselines: list[float] = []
        self.sizes: list[float] = []
        self.unknown_character = ""  # the first character that no font has; MuPDF does not propagate exceptions

    def fill_text(self, _context: Any, text: Any, _matrix: Any, *_rest: Any) -> None:
        span = text.head
        while span:
            wrapped = mupdf.FzTextSpan(span)
            font, size = wrapped.font(), wrapped.trm().a
            name = mupdf.fz_font_name(font)
            for k in range(span.len):
                item = wrapped.items(k)
                self._add(name, font, item.gid, item.ucs, item.x, item.y, size)
            span = span.next

    def _add(self, name: str, font: Any, glyph: int, code: int, x: float, y: float, size: float) -> None:
        if code == ord(ZERO_WIDTH_SPACE):
            return
        sign = chr(code) if code != NO_CHARACTER else ""
        ink = NO_INK
        if glyph != NO_GLYPH:
            if (name, glyph) not in self._inks:
                self._inks[name, glyph] = ink_box(font, glyph)
            ink = self._inks[name, glyph]
        is_missing = name not in self._faces or glyph == MISSING or (glyph != NO_GLYPH and ink is NO_INK)
        if sign and is_missing and not is_blank(sign):
            self.unknown_character = self.unknown_character or sign
        x0, y0, x1, y1 = (edge * size + start for edge, start in zip(ink, (x, y, x, y), strict=True))
        if sign:
            self.text.append(sign)
            self.boxes.append((x0, y0, x1, y1))
            self.baselines.append(y)
            self.sizes.append(size)
        elif self.boxes and ink != NO_INK:
            a0, b0, a1, b1 = self.boxes[-1]
            self.boxes[-1] = (min(a0, x0), min(b0, y0), max(a1, x1), max(b1, y1)) if a1 > a0 else (x0, y0, x1, y1)

    def fill_image(self, _context: Any, _image: Any, matrix: Any, *_rest: Any) -> None:
        self.text.append(INSET)
        self.boxes.append((matrix.e, matrix.f, matrix.e + matrix.a, matrix.f + matrix.d))
        self.baselines.append(matrix.f + matrix.d)
        self.sizes.append(matrix.d)


_inks: dict[tuple[str, int], GlyphBox] = {}  # by face and glyph, measured once per process


def trace_characters(picture: mupdf.FzDisplayList, rect: mupdf.FzRect, faces: frozenset[str]) -> Characters:
    """Return the characters that a display list draws.

    Args:
        faces: names of the fonts that may be used.
    Raises:
        Illegible: `missing_glyph`, a character is drawn by another font or by none.
    """
    trace = _Trace(_inks, faces)
    mupdf.fz_run_display_list(picture, trace, mupdf.FzMatrix(), rect, mupdf.FzCookie())
    mupdf.fz_close_device(trace)
    if trace.unknown_character:
        check_drawn(trace.unknown_character)
    return Characters(
        text="".join(trace.text),
        boxes=np.array(trace.boxes, np.float64).reshape(-1, 4),
        baselines=np.array(trace.baselines),
        sizes=np.array(trace.sizes),
    )
