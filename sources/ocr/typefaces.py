"""Font files for MuPDF, loaded once per process, with the ink box of every glyph."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import pymupdf
from PIL import Image
from pymupdf import mupdf

from sources.base.illegible import Illegible
from sources.ocr.blocks import INSET_FILE, SOFT_HYPHEN
from sources.text.fonts import Font
from sources.text.glyphs import is_blank


def css_name(font: Font) -> str:
    """Return the name of a font face in `url()` of a style sheet."""
    folder = zlib.crc32(str(font.path.parent).encode())  # two folders may have files of one name
    return f"{font.path.stem}-{font.index}-{folder:08x}{'.otf' if font.path.suffix == '.otf' else '.ttf'}"


def read_face(font: Font) -> bytes:
    """Return the font file, with the wanted face of a collection first, as a style sheet cannot name another one."""
    data = font.path.read_bytes()
    if data[:4] != b"ttcf" or font.index == 0:
        return data
    (num_faces,) = struct.unpack_from(">I", data, 8)
    assert font.index < num_faces
    header = bytearray(data[: 12 + 4 * num_faces])
    header[12:16] = data[12 + 4 * font.index : 16 + 4 * font.index]
    return bytes(header) + data[len(header) :]


GlyphBox = tuple[float, float, float, float]
NO_INK: GlyphBox = (0.0, 0.0, 0.0, 0.0)


class Glyphs(dict[str, GlyphBox]):
    """Ink boxes of one font face by character: x0, y0, x1, y1 at size 1 from the origin, y downwards; 0 for a space.

    A box is measured by MuPDF on first use.
    """

    def __init__(self, font: Font):
        self.font = mupdf.fz_new_font_from_file(None, str(font.path), font.index, 0)
        self.name: str = mupdf.fz_font_name(self.font)
        self[SOFT_HYPHEN] = self["-"]  # rendered as a hyphen

    def __missing__(self, character: str) -> GlyphBox:
        self[character] = ink_box(self.font, mupdf.fz_encode_character(self.font, ord(character)))
        return self[character]


def ink_box(font: mupdf.FzFont, glyph: int) -> GlyphBox:
    """Return x0, y0, x1, y1 of the ink of a glyph, given by number, at size 1 from its origin, y downwards."""
    outline = mupdf.fz_outline_glyph(font, glyph, mupdf.FzMatrix())
    bounds = mupdf.fz_bound_path(outline, mupdf.FzStrokeState(None), mupdf.FzMatrix())
    return (bounds.x0, -bounds.y1, bounds.x1, -bounds.y0) if bounds.x1 > bounds.x0 else NO_INK


def check_drawn(character: str) -> None:
    """Raise Illegible for a character without ink that is not blank: its font has no glyph, or an empty one."""
    if not is_blank(character):
        raise Illegible("missing_glyph", f"no chosen font draws {character!r} (U+{ord(character):04X})")


@lru_cache(maxsize=128)
def load_glyphs(font: Font) -> Glyphs:
    """Return the glyphs of a font face, opened once."""
    return Glyphs(font)


class _Archive:
    """The archive from which style sheets load fonts; fonts are added on first use."""

    def __init__(self) -> None:
        pymupdf.TOOLS.mupdf_display_errors(False)  # a damaged font shows as missing characters
        self.archive = pymupdf.Archive()
        self.archive.add(_transparent_pixel(), INSET_FILE)
        self._added: set[str] = set()

    def add(self, fonts: Sequence[Font]) -> None:
        for font in fonts:
            if css_name(font) not in self._added:
                self.archive.add(read_face(font), css_name(font))
                self._added.add(css_name(font))


def _transparent_pixel() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (1, 1)).save(file, "PNG")
    return file.getvalue()


@lru_cache(maxsize=1)
def _shared_archive() -> _Archive:
    return _Archive()


def load_archive(fonts: Sequence[Font]) -> pymupdf.Archive:
    """Return the archive of the process with these fonts and the pixel of the insets."""
    archive = _shared_archive()
    archive.add(fonts)
    return archive.archive


def font_face_css(family: str, font: Font, *, bold: bool = False, italic: bool = False) -> str:
    """Return the `@font-face` rule of a font face."""
    weight = "font-weight:bold;" if bold else ""
    style = "font-style:italic;" if italic else ""
    return f"@font-face{{font-family:{family};{weight}{style}src:url({css_name(font)})}}"
