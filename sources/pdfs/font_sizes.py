"""Sizes and heights of letters whose font does not say them, as the Type 3 fonts of dvips.

Such a font has any font size (0.12 points, with letters that are 60 times as wide), or a box ten times too high. Gaps
between letters and the rows of a page are measured in these. Here the ink of the font's letters decides.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sources.text.characters import Characters, with_corners

MAX_HEIGHT = 3.0  # of a letter, in font sizes; ordinary fonts have 1.0 to 2.2
MAX_WIDTH = 2.5  # of a letter, in font sizes; a dash has 1
FEW = 0.01  # share of odd letters on a page that are left as they are
WIDTH_OF_LETTER = 0.5  # median of the letters of a text, in font sizes
MIN_LETTERS = 5  # for a median width; with fewer letters their height decides


def with_plausible_sizes(characters: Characters, read_ink: Callable[[], Characters]) -> Characters:
    """Return the characters with sizes and heights from their ink, where the font's own are not possible.

    Args:
        read_ink: returns the same characters with boxes around their ink.
    """
    width = _extent(characters.corners[:, 1] - characters.corners[:, 0])
    height = _extent(characters.corners[:, 2] - characters.corners[:, 0])
    is_wide, is_high = width > MAX_WIDTH * characters.sizes, height > MAX_HEIGHT * characters.sizes
    if (is_wide | is_high).sum() <= FEW * len(characters):
        return characters
    ink = read_ink()
    sizes, corners = characters.sizes.copy(), characters.corners.copy()
    for font in np.unique(characters.fonts[is_wide | is_high]):
        letters = (characters.fonts == font) & (characters.codes > 0x20)
        drawn = (ink.fonts == font) & (ink.codes > 0x20)
        if 2 * (is_wide | is_high)[letters].sum() <= letters.sum() or not drawn.any():
            continue
        above = (ink.origins[drawn, 1] - ink.boxes[drawn, 1]).max()
        below = max((ink.boxes[drawn, 3] - ink.origins[drawn, 1]).max(), 0)
        everywhere = characters.fonts == font
        if 2 * is_wide[letters].sum() > letters.sum():
            has_many = letters.sum() >= MIN_LETTERS
            sizes[everywhere] = np.median(width[letters]) / WIDTH_OF_LETTER if has_many else above + below
        upright = everywhere & (np.abs(corners[:, 1, 1] - corners[:, 0, 1]) < 1e-3) & (above + below > 0)
        corners[upright, :2, 1] = (characters.origins[upright, 1] - above)[:, None]
        corners[upright, 2:, 1] = (characters.origins[upright, 1] + below)[:, None]
    return with_corners(replace(characters, sizes=sizes), corners)


def _extent(vectors: np.ndarray) -> np.ndarray:
    """Return the (N,) greater part of (N, 2) vectors; `max(axis=1)` takes five times as long."""
    vectors = np.abs(vectors)
    extent: np.ndarray = np.maximum(vectors[:, 0], vectors[:, 1])
    return extent
