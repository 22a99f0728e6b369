"""Letters without a Unicode value that their font's encoding identifies all the same.

TeX's extension font and the Pi fonts of publishers have no names that a reader knows, and no map to Unicode. Their
codes and glyph names are fixed, and so sums, brackets and signs of formulas get their letters back.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymupdf

from sources.text.characters import Characters

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


def is_unknown(codes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the code points that stand for no known character."""
    unknown: np.ndarray = (codes == 0xFFFD) | (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))
    return unknown


def with_known_letters(
    characters: Characters,
    page: pymupdf.Page,
    drawn: pymupdf.DisplayList,
    textpage: pymupdf.TextPage,
    flags: int,
) -> Characters:
    """Return the characters of a page with the letters that their fonts identify in place of unknown ones.

    Args:
        textpage: the text in which the characters were found.
        flags: the flags with which it was made.
    """
    by_code = pymupdf.TextPage(drawn.get_textpage(flags | pymupdf.TEXT_USE_CID_FOR_UNKNOWN_UNICODE))
    by_code.parent = page
    code_at = {(font, place): code for font, code, place in _letters(by_code)}
    names = _glyph_names(page)
    known = {
        place: _letter_of(font, code_at.get((font, place), "\ufffd"), names)
        for font, letter, place in _letters(textpage)
        if UNKNOWN.fullmatch(letter)
    }
    codes = characters.codes.copy()
    for k in np.flatnonzero(is_unknown(codes)):
        letter = known.get(tuple(characters.origins[k].tolist()), "\ufffd")
        codes[k] = ord(letter)
    return replace(characters, codes=codes)


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
