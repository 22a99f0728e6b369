"""Scripts of a text: right-to-left, East Asian and Korean letters."""

import re

import numpy as np

RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")  # Hebrew, Arabic, Syriac, Thaana, N'Ko …
# Chinese and Japanese, which are written without spaces; Korean has spaces, and full-width Latin is Latin.
_EAST_ASIAN_RANGES = (
    (0x2E80, 0x3130), (0x3190, 0xA4D0), (0xF900, 0xFB00), (0xFE30, 0xFE50), (0xFF00, 0xFF10), (0xFF1A, 0xFF21),
    (0xFF3B, 0xFF41), (0xFF5B, 0xFFA0), (0x20000, 0x40000),
)  # fmt: skip
EAST_ASIAN = re.compile("[" + "".join(f"{chr(low)}-{chr(high - 1)}" for low, high in _EAST_ASIAN_RANGES) + "]")
_EAST_ASIAN_EDGES = np.array(_EAST_ASIAN_RANGES).ravel()
FIRST_RIGHT_TO_LEFT = 0x590  # code point
_RIGHT_TO_LEFT_EDGES = np.array([FIRST_RIGHT_TO_LEFT, 0x900, 0xFB1D, 0xFE00, 0xFE70, 0xFF00])


def has_right_to_left(text: str) -> bool:
    """Return True if any letter belongs to a right-to-left script."""
    return not text.isascii() and RIGHT_TO_LEFT.search(text) is not None


def is_right_to_left(text: str) -> bool:
    """Return True if most letters belong to a right-to-left script."""
    return has_right_to_left(text) and 2 * len(RIGHT_TO_LEFT.findall(text)) > sum(map(str.isalpha, text))


def east_asian_codes(codes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the code points of Chinese and Japanese characters."""
    mask: np.ndarray = np.searchsorted(_EAST_ASIAN_EDGES, codes, side="right") % 2 == 1
    return mask


def right_to_left_codes(codes: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the code points of right-to-left letters."""
    mask: np.ndarray = np.searchsorted(_RIGHT_TO_LEFT_EDGES, codes, side="right") % 2 == 1
    return mask
