"""Letters without a Unicode value that their font's encoding identifies all the same.

TeX's extension font and the Pi fonts of publishers have no names that a reader knows, and no map to Unicode. Their
codes and glyph names are fixed, and so sums, brackets and signs of formulas get their letters back.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pymupdf

UNKNOWN = re.compile("[\ufffd\x00-\x1f\x7f-\x9f]")
_TEX_EXTENSION = re.compile(r"CMEX\d+|TeX_CM_Maths_Extension|[LE]?MathExtension.*")
# Codes 0x00 to 0x77 of cmex10 (TeXbook, appendix F): brackets in four sizes and in pieces, operators in two.
_CMEX = (
    "()[]⌊⌋⌈⌉{}⟨⟩|‖/\\" "()()[]⌊⌋⌈⌉{}⟨⟩/\\" "()[]⌊⌋⌈⌉{}⟨⟩/\\/\\" "⎛⎞⎡⎤⎣⎦⎢⎥⎧⎫⎩⎭⎨⎬⎪⏐"
    "⎝⎠⎜⎟⟨⟩⨆⨆∮∮⨀⨀⨁⨁⨂⨂" "∑∏∫⋃⋂⨄⋀⋁∑∏∫⋃⋂⨄⋀⋁" "∐∐^^^~~~[]⌊⌋⌈⌉{}" "√√√√√√√‖"
)  # fmt: skip
_PI_NAMES: Mapping[str, str] = {
    **{f"H{9251 + k}": letter for k, letter in enumerate("αβγδεζηθικλμνξοπρστυ")},
    **{"H11001": "+", "H11002": "−", "H11003": "×", "H11004": "÷", "H11005": "=", "H11006": "±", "H11011": "∼"},
    **{"H11015": "≈", "H11021": "<", "H11022": ">", "H11032": "′", "H11033": "″", "H11349": "≤", "H11350": "≥"},
}
_DIFFERENCES = re.compile(r"/Differences\s*\[(.*?)\]", re.DOTALL)


def name_unknown_letters(
    texts: list[str], page: pymupdf.Page, drawn: pymupdf.DisplayList, textpage: pymupdf.TextPage, flags: int
) -> list[str]:
    """Return words with the letters that their fonts identify in place of unknown ones.

    Args:
        texts: the page's words in the order of the content stream, with U+FFFD for unknown letters.
        textpage: the text in which these words were found.
        flags: the flags with which it was made.
    """
    codes = pymupdf.TextPage(drawn.get_textpage(flags | pymupdf.TEXT_USE_CID_FOR_UNKNOWN_UNICODE))
    codes.parent = page
    unknown = [(font, place) for font, letter, place in _letters(textpage) if UNKNOWN.fullmatch(letter)]
    if len(unknown) != sum(text.count("\ufffd") for text in texts):
        return texts  # the two do not agree on what there is
    code_at = {(font, place): code for font, code, place in _letters(codes)}
    names = _glyph_names(page)
    found = iter(_letter_of(each[0], code_at.get(each, "\ufffd"), names) for each in unknown)
    return ["".join(next(found) if letter == "\ufffd" else letter for letter in text) for text in texts]


def _letters(textpage: pymupdf.TextPage) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Yield the font, the text and the place of every letter."""
    for block in textpage.extractRAWDICT()["blocks"]:
        for line in block.get("lines", ()):
            for span in line["spans"]:
                for character in span["chars"]:
                    yield span["font"], character["c"], character["origin"]


def _letter_of(font: str, code: str, names: Mapping[tuple[str, int], str]) -> str:
    if _TEX_EXTENSION.fullmatch(font) and ord(code) < len(_CMEX):
        return _CMEX[ord(code)]
    return _PI_NAMES.get(names.get((font, ord(code)), ""), "\ufffd")


def _glyph_names(page: pymupdf.Page) -> dict[tuple[str, int], str]:
    """Return the glyph names that the page's fonts give to codes. Fonts of one name that differ have none."""
    names: dict[tuple[str, int], set[str]] = {}
    for font in page.get_fonts(full=True):
        name = font[3].partition("+")[2] or font[3]
        kind, value = page.parent.xref_get_key(font[0], "Encoding")
        encoding: Any = page.parent.xref_object(int(value.split()[0])) if kind == "xref" else value
        code = 0
        for differences in _DIFFERENCES.findall(encoding):
            for item in re.findall(r"\d+|/[^\s/\[\]<>()]+", differences):
                if item.startswith("/"):
                    names.setdefault((name, code), set()).add(item[1:])
                    code += 1
                else:
                    code = int(item)
    return {key: found.pop() for key, found in names.items() if len(found) == 1}
