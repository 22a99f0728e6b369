"""A font that draws the words `home`, `search` and `menu` as one square each, as fonts of icons do."""

import io
from functools import cache

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

WORDS = ("home", "search", "menu")
EM = 1000


@cache
def icon_font() -> bytes:
    """Return the font as TrueType; its letters are 500 units wide, its icons 1,000."""
    letters = sorted(set("".join(WORDS)))
    icons = [f"icon_{word}" for word in WORDS]
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", *letters, *icons, "private"])
    builder.setupCharacterMap({**{ord(letter): letter for letter in letters}, 0xE001: "private"})
    builder.setupGlyf(
        {name: _square(300) for name in (".notdef", *letters)} | {n: _square(900) for n in (*icons, "private")}
    )
    builder.setupHorizontalMetrics(
        {**dict.fromkeys((".notdef", *letters), (500, 0)), **dict.fromkeys((*icons, "private"), (1000, 0))}
    )
    builder.setupHorizontalHeader(ascent=EM, descent=0)
    builder.setupNameTable({"familyName": "Signs", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=EM, usWinAscent=EM, usWinDescent=0)
    builder.setupPost()
    rules = "".join(f"sub {' '.join(word)} by icon_{word};" for word in WORDS)
    addOpenTypeFeaturesFromString(builder.font, f"feature liga {{ {rules} }} liga;")
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _square(side: int):  # type: ignore[no-untyped-def]  # the pen's glyph has no type
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for point in ((50, side), (50 + side, side), (50 + side, 0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()
