"""Accents that are painted as characters of their own, over the letter before or after them, as TeX does."""

import unicodedata
from dataclasses import replace

import numpy as np

from sources.text.characters import Letters

# Spacing accents and the marks that they stand for.
_MARKS = {
    0x60: 0x300, 0xB4: 0x301, 0x2C6: 0x302, 0x2DC: 0x303, 0xAF: 0x304, 0x2D8: 0x306, 0x2D9: 0x307, 0xA8: 0x308,
    0x2DA: 0x30A, 0x2DD: 0x30B, 0x2C7: 0x30C, 0xB8: 0x327, 0x2DB: 0x328,
}  # fmt: skip
_IS_ACCENT = np.isin(np.arange(max(_MARKS) + 2), list(_MARKS))  # of every code point up to the first beyond them
_DOTLESS = {"ı": "i", "ȷ": "j"}


def with_accents(letters: Letters, rows: np.ndarray) -> tuple[Letters, np.ndarray]:
    """Return the letters and the (N,) row of each, accents composed with the letters that they are painted over.

    An accent that is over no letter, or with which a letter has no composed form, stays as it is.
    """
    is_accent = _IS_ACCENT[np.minimum(letters.codes, len(_IS_ACCENT) - 1)]
    if not is_accent.any():
        return letters, rows
    codes, x0, x1 = letters.codes.copy(), letters.frames[:, 0], letters.frames[:, 2]
    stays = np.ones(len(letters), bool)
    for k in np.flatnonzero(is_accent).tolist():
        middle = (x0[k] + x1[k]) / 2
        for neighbour in (k + 1, k - 1):
            if not 0 <= neighbour < len(codes) or rows[neighbour] != rows[k]:
                continue
            composed = _composed(int(codes[neighbour]), _MARKS[int(codes[k])])
            if composed and x0[neighbour] < middle < x1[neighbour]:
                codes[neighbour], stays[k] = composed, False
                break
    return replace(letters, codes=codes).take(stays), rows[stays]


def _composed(code: int, mark: int) -> int:
    """Return the code point of a letter with a mark, or 0 if there is none."""
    letter = chr(code)
    text = unicodedata.normalize("NFC", _DOTLESS.get(letter, letter) + chr(mark))
    return ord(text) if letter.isalpha() and len(text) == 1 else 0
