"""Characters of shaped scripts, which producers describe by an ActualText for several glyphs.

MuPDF matches the characters of an ActualText with its glyphs, and leaves out glyphs for which no character is left.
In Devanagari, where the vowel of `कि` is painted before its consonant, this tears a hole into a word; in Arabic, whose
glyphs are painted from the last to the first, letters are lost. The glyphs alone have their places, but not always
their characters. This takes from each what it knows.
"""

import unicodedata
from dataclasses import replace

import numpy as np

from sources.text.characters import Characters, choose_characters, with_corners
from sources.text.scripts import right_to_left_codes

_SHAPED = ((0x590, 0x1100), (0x1780, 0x1800))  # scripts whose letters change their form or order
_UNKNOWN, _NON_JOINER = 0xFFFD, 0x200C
_SAME_PLACE = 0.05  # between a glyph and its character, in font sizes


def is_shaped(codes: np.ndarray) -> bool:
    """Return True if any code point belongs to a script for which an ActualText may cover several glyphs."""
    return any(bool(((codes >= low) & (codes < high)).any()) for low, high in _SHAPED)


def merged(described: Characters, drawn: Characters) -> Characters:
    """Return the characters of a page from both readings.

    Args:
        described: characters with every ActualText applied.
        drawn: characters of the glyphs alone.
    """
    if right_to_left_codes(drawn.codes).any() and _num_unknown(drawn) <= _num_unknown(described):
        return _with_marks(drawn, described)
    return _over_all_glyphs(_without_echoes(described), drawn)


def _without_echoes(described: Characters) -> Characters:
    """Return the characters without those that have no width and are followed by the same one with a width.

    MuPDF gives them where an ActualText has a letter that is also painted after it.
    """
    narrow = _is_narrow(described)
    is_echo = narrow[:-1] & ~narrow[1:] & (described.codes[:-1] == described.codes[1:])
    return choose_characters(described, ~np.append(is_echo, False)) if is_echo.any() else described


def _num_unknown(characters: Characters) -> int:
    """Return how many characters with a width are unknown."""
    return int(((characters.codes == _UNKNOWN) & ~_is_narrow(characters)).sum())


def _is_narrow(characters: Characters) -> np.ndarray:
    """Return an (N,) mask of characters without width, such as marks."""
    width = np.abs(characters.corners[:, 1] - characters.corners[:, 0]).sum(axis=1)
    narrow: np.ndarray = width <= _SAME_PLACE * characters.sizes
    return narrow


def _with_marks(drawn: Characters, described: Characters) -> Characters:
    """Return the characters of the glyphs, with the marks of the ActualText for unknown ones, and its non-joiners."""
    drawn = _with_non_joiners(drawn, described)
    unknown = (drawn.codes == _UNKNOWN) & _is_narrow(drawn)
    if not unknown.any():
        return drawn
    is_mark = np.array([unicodedata.combining(chr(code)) > 0 for code in described.codes])
    marks = np.flatnonzero(is_mark & _is_narrow(described))
    codes: list[np.ndarray] = []
    repeats = np.ones(len(drawn), np.int64)
    for k in np.flatnonzero(unknown):
        near = np.abs(described.origins[marks] - drawn.origins[k]).max(axis=1) <= _SAME_PLACE * drawn.sizes[k]
        codes.append(described.codes[marks[near]])
        repeats[k] = len(codes[-1])
    result = choose_characters(drawn, np.repeat(np.arange(len(drawn)), repeats))
    new_codes = result.codes.copy()
    new_codes[np.repeat(unknown, repeats)] = np.concatenate(codes)
    return replace(result, codes=new_codes)


def _with_non_joiners(drawn: Characters, described: Characters) -> Characters:
    """Return the characters of the glyphs with the zero-width non-joiners of the ActualText, which have no glyph."""
    if (drawn.codes == _NON_JOINER).any():
        return drawn
    letters = np.flatnonzero(~_is_narrow(drawn))
    owners = []
    for k in np.flatnonzero(described.codes == _NON_JOINER):
        distance = np.abs(drawn.corners[letters, 2] - described.corners[k, 2]).max(axis=1)
        if len(letters) and distance.min() <= _SAME_PLACE * described.sizes[k]:
            owners.append(int(letters[np.argmin(distance)]))
    if not owners:
        return drawn
    order = np.sort(np.concatenate([np.arange(len(drawn)), owners]), kind="stable")
    is_new = np.diff(order, prepend=-1) == 0
    result = choose_characters(drawn, order)
    codes, corners = result.codes.copy(), result.corners.copy()
    codes[is_new] = _NON_JOINER
    corners[is_new, 1], corners[is_new, 3] = corners[is_new, 0], corners[is_new, 2]
    return with_corners(replace(result, codes=codes), corners)


def _over_all_glyphs(described: Characters, drawn: Characters) -> Characters:
    """Return the described characters, each made as wide as the glyphs after it that have no character."""
    all_places = _places(described)
    by_place = np.flatnonzero(~_is_narrow(described))
    if not len(by_place):
        return described
    by_place = by_place[np.argsort(all_places[by_place], kind="stable")]
    places, glyphs = all_places[by_place], _places(drawn)
    slack = _SAME_PLACE * np.median(described.sizes)
    before = np.searchsorted(places, glyphs + slack) - 1
    left = (glyphs - places[np.maximum(before, 0)] > slack) & (before >= 0) & ~_is_narrow(drawn) & ~drawn.inserted
    owners, right = by_place[before[left]], drawn.corners[left, 1, 0]
    is_same_line = np.abs(described.origins[owners, 1] - drawn.origins[left, 1]) < 1
    corners = described.corners.copy()
    for corner in (1, 3):
        np.maximum.at(corners[:, corner, 0], owners[is_same_line], right[is_same_line])
    return with_corners(described, corners)


def _places(characters: Characters) -> np.ndarray:
    """Return one (N,) number per character that grows along upright lines and from line to line."""
    places: np.ndarray = np.round(characters.origins[:, 1]) * 1e5 + characters.origins[:, 0]
    return places
