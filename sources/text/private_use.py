"""Private-use codes whose meaning is known: signs of symbol fonts, and Adobe's pieces of brackets."""

from collections.abc import Mapping

# U+F020 to U+F0FF are the codes of a symbol font: F0B7 is the bullet of Symbol, the others are signs of Wingdings.
_SYMBOL_FONTS = {
    **{0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0FB: "✗", 0xF06E: "■", 0xF06C: "●", 0xF071: "❑"},
    **{0xF0A8: "◻", 0xF0FE: "☑", 0xF076: "❖", 0xF0E0: "→", 0xF0DF: "←", 0xF075: "◆", 0xF0F0: "⇨"},
}
# F8E5 to F8FE of Adobe's glyph list: signs without serifs, and the pieces of arrows, brackets and integrals.
_ADOBE = {0xF8E5 + k: piece for k, piece in enumerate("⎺⏐⎯®©™⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪⎮⎞⎟⎠⎤⎥⎦⎫⎬⎭")}
PRIVATE_USE: Mapping[int, str] = {**_SYMBOL_FONTS, **_ADOBE}
