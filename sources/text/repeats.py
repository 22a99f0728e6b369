"""Text that is painted twice: as fake bold or with a shadow, or because a whole page is drawn again."""

import numpy as np

from sources.text.characters import Letters

MAX_SHIFT = 0.15  # between the two, in font sizes
MAX_SHIFT_OF_WIDTH = 0.5  # and in widths of the letter: double letters are one width from each other
MIN_RUN = 3  # repeated letters in a row; fewer are letters on each other, like in a fraction
REPEATED_SHARE = 0.6  # share of repeated letters, from which on a whole piece is repeated
_CELL = 2 * MAX_SHIFT  # two letters within the shift are in one cell of one of four grids


def without_repeats(letters: Letters) -> Letters:
    """Return the letters without those that were painted before at nearly the same place."""
    if not _may_repeat(letters):
        return letters
    mask = np.zeros(len(letters), bool)
    size = np.maximum(letters.sizes, 1e-3)
    width = letters.frames[:, 2] - letters.frames[:, 0]
    max_shift = np.minimum(MAX_SHIFT * size, MAX_SHIFT_OF_WIDTH * width + 0.02 * size)
    for x, y in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
        cells = _cells(letters, x, y)
        order = np.lexsort((~letters.painted, cells))  # stable; of two, the visible one stays
        first = np.maximum.accumulate(np.where(np.diff(cells[order], prepend=-1) != 0, np.arange(len(order)), 0))
        shift = np.abs(letters.boxes[order, :2] - letters.boxes[order[first], :2])
        near = (shift <= max_shift[order, None]).all(axis=1) & (first != np.arange(len(order)))
        mask[order[near]] = True
    again = _in_runs(mask, letters.pieces)
    return letters.take(~again) if again.any() else letters


def _may_repeat(letters: Letters) -> bool:
    """Return True if equal letters are so near to each other that a closer look is worth its time."""
    x, y = np.floor(letters.boxes[:, :2].T / (_CELL * letters.sizes[len(letters) // 2])).astype(np.int64) & 0xFFFF
    cells = np.sort((x << 37) | (y << 21) | letters.codes)
    return int((cells[1:] == cells[:-1]).sum()) >= MIN_RUN


def _cells(letters: Letters, x: float, y: float) -> np.ndarray:
    """Return one (N,) number for each code point, font size and cell of a grid that is shifted by x and y cells."""
    cell = _CELL * np.maximum(letters.sizes, 1e-3)
    place = np.floor(letters.boxes[:, :2] / cell[:, None] + [x, y]).astype(np.int64)
    size = np.round(letters.sizes * 2).astype(np.int64) & 0x3FF
    codes = letters.codes.astype(np.int64)
    cells: np.ndarray = (
        ((place[:, 0] & 0xFFFF) << 47) | ((place[:, 1] & 0xFFFF) << 31) | (size << 21) | codes & 0x1FFFFF
    )
    return cells


def _in_runs(mask: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Return the repeated letters that are part of a run, and all of a piece that is mostly repeated."""
    num, num_repeated = np.bincount(pieces), np.bincount(pieces, weights=mask)
    whole = (num_repeated >= REPEATED_SHARE * num)[pieces] & (num_repeated > 0)[pieces]
    starts = np.flatnonzero(np.diff(mask, prepend=~mask[:1]) | (np.diff(pieces, prepend=-1) != 0))
    lengths = np.diff(starts, append=len(mask))
    result: np.ndarray = whole | (mask & np.repeat(lengths >= MIN_RUN, lengths))
    return result
