"""Damage: MuPDF draws what it can of a broken page, and says in warnings what it could not."""

import re
from collections.abc import Iterator

import numpy as np

from sources.pdfs.coverage import covered_share

_REPEATED = re.compile(r"\.\.\. repeated (\d+) times\.\.\.")
# Colour profiles, links, metrics and checksums: nothing that is seen or read is lost.
_HARMLESS = re.compile(
    r"ICC|blending colorspace|destination|ascent/descent|appearance stream|find any cmaps|ActualText|closepath|curveto|"
    r"lineto|moveto|identity encoding|repairing|xref|Actions|outline|structure tree|metadata|"
    r"encountered syntax errors|Layer config|Optional Content|openjpeg warning|marked content|"
    r"treating as end of file|stream Length|gray to alpha",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"cannot load content stream part \d+/(\d+)|content stream is not a stream|"
    r"too many syntax errors; ignoring rest of page"
)
_IMAGE = re.compile(r"jpeg|JP[X2]|jbig2|ccitt|fax|padding truncated image|image", re.IGNORECASE)
_STREAM = re.compile(r"zlib error|premature end|lzw|corrupt|aes padding", re.IGNORECASE)
_CHECKSUM = "incorrect data check"
_GLYPH = re.compile(r"cannot render glyph|FT_Load_Glyph")
_FONT = re.compile(r"FT_New_Memory_Face|font", re.IGNORECASE)
_ERROR = re.compile(r"^\w+ error: |^cannot ")
# Shares of a page. A cut stream may be the page's text, a font or an image; what is lost of it is not known.
CUT_STREAM = 0.3
CHANGED_STREAM = 0.05  # some producers write wrong checksums
LEAST_IMAGE, MOST_IMAGE = 0.1, 0.9  # a lost image may not be in the list of images; part of it may be drawn
GLYPH, MAX_GLYPHS = 0.02, 0.5
FONT = 0.05  # another font is drawn in its place
ERROR, MAX_ERRORS = 0.01, 0.5  # an error of syntax costs one operator


def damage_of_warnings(warnings: str, image_boxes: np.ndarray, shape: tuple[int, ...]) -> float:
    """Estimate the share of a page that is lost, 0 to 1.

    Args:
        warnings: MuPDF's warnings while the page was read and drawn, one per line.
        image_boxes: (M, 4) boxes of the page's images, in pixels.
        shape: height and width of the picture.
    """
    page = image = stream = font = 0.0
    num_glyphs = num_errors = 0
    for warning, count in _counted(warnings):
        if lost := _PAGE.search(warning):
            page += count / int(lost[1] or 1)
        elif _HARMLESS.search(warning):
            continue
        elif _GLYPH.search(warning):
            num_glyphs += count
        elif _IMAGE.search(warning):
            image = min(MOST_IMAGE, max(LEAST_IMAGE, covered_share(image_boxes, shape)))
        elif _CHECKSUM in warning:
            stream = max(stream, CHANGED_STREAM)
        elif _STREAM.search(warning):
            stream = CUT_STREAM
        elif _FONT.search(warning):
            font = FONT
        elif _ERROR.search(warning):
            num_errors += count
    glyphs = min(MAX_GLYPHS, num_glyphs * GLYPH)
    return min(1.0, max(page, image, stream, font, glyphs, min(MAX_ERRORS, num_errors * ERROR)))


def telling_warning(warnings: str) -> str:
    """Return the first warning that says that something of the page is lost."""
    return next((text for text, _ in _counted(warnings) if not _HARMLESS.search(text)), "it cannot be read in part")


def _counted(warnings: str) -> Iterator[tuple[str, int]]:
    """Yield each warning and how often in a row it was given."""
    before = ""
    for line in warnings.splitlines():
        repeated = _REPEATED.fullmatch(line.strip())
        if repeated and before:
            yield before, int(repeated[1])
        elif line.strip():
            before = line.strip()
            yield before, 1
