"""Vertical text whose characters are placed one by one, as if each were a line."""

from dataclasses import replace

import numpy as np

from sources.text.characters import Letters
from sources.text.scripts import east_asian_codes

MIN_RUN = 3  # characters below each other; fewer may be cells of a table
MIN_PITCH = 0.7  # from a character to the next one below it, in font sizes
MAX_PITCH = 1.3  # lines of a page have a larger one
MIN_DISTANCE = 1.15  # between characters of a row, in font sizes; closer ones are a horizontal line
MIN_WIDER = 1.2  # distance between characters of a row, in pitches of their columns
MAX_OFFSET = 0.3  # between the middles of the characters of a column, in font sizes
MAX_GAP = 0.6  # between a character and a turned Latin letter or digit in its column, in font sizes
_DOWN = (0.0, 1.0)


def with_columns(letters: Letters) -> Letters:
    """Return the letters, vertical text column by column from the right, each column as one piece."""
    if letters.codes.max() < 0x2E80:
        return letters
    distance = _distance_in_row(letters)
    is_horizontal = ~letters.vertical[letters.pieces]
    is_placed = east_asian_codes(letters.codes) & (distance >= MIN_DISTANCE) & is_horizontal
    is_placed &= letters.directions[letters.pieces, 0] == 1
    if is_placed.sum() < MIN_RUN:
        return letters
    is_turned = (letters.directions[letters.pieces] == _DOWN).all(axis=1) & is_horizontal  # Latin in the column
    distance[is_turned] = np.inf
    candidates = np.flatnonzero(is_placed | is_turned)
    boxes, sizes, is_turned = letters.boxes[candidates], letters.sizes[candidates], is_turned[candidates]
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    by_x = np.argsort(x, kind="stable")
    column = np.empty(len(x), np.int64)
    column[by_x] = np.cumsum(np.diff(x[by_x], prepend=x[by_x[0]]) > MAX_OFFSET * sizes[by_x])
    order = np.lexsort((y, -column))  # from the right, from the top
    pitch = np.diff(y[order]) / sizes[order[1:]]
    offset = np.abs(np.diff(x[order])) / sizes[order[1:]]
    follows = (np.diff(column[order]) == 0) & (pitch <= MAX_PITCH) & (pitch >= MIN_PITCH) & (offset <= MAX_OFFSET)
    follows &= MIN_WIDER * pitch <= np.minimum(distance[candidates][order[1:]], distance[candidates][order[:-1]])
    gap = (boxes[order[1:], 1] - boxes[order[:-1], 3]) / sizes[order[1:]]
    beside_turned = is_turned[order[1:]] | is_turned[order[:-1]]
    same_column = (np.diff(column[order]) == 0) & (offset <= MAX_OFFSET)
    follows = np.where(beside_turned, same_column & (gap <= MAX_GAP), follows)
    run = np.cumsum(np.concatenate([[True], ~follows])) - 1
    is_long = np.bincount(run, weights=~is_turned[order])[run] >= MIN_RUN
    if not is_long.any():
        return letters
    return _as_pieces(letters, candidates[order[is_long]], np.unique(run[is_long], return_inverse=True)[1])


def _distance_in_row(letters: Letters) -> np.ndarray:
    """Return the (N,) distance from each letter to the nearest one of its piece, in font sizes; infinite if alone."""
    steps = np.abs(np.diff(letters.frames[:, 0] + letters.frames[:, 2])) / 2 / np.maximum(letters.sizes[1:], 1e-3)
    steps = np.where(np.diff(letters.pieces) == 0, steps, np.inf)
    nearest: np.ndarray = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    return nearest


def _as_pieces(letters: Letters, chosen: np.ndarray, runs: np.ndarray) -> Letters:
    """Return the letters with the (K,) chosen ones, in that order, as vertical pieces with the numbers `runs`.

    They are where the first of them was.
    """
    num_old, num_new = len(letters.directions), int(runs[-1]) + 1
    frames, pieces = letters.frames.copy(), letters.pieces.copy()
    x0, y0, x1, y1 = letters.boxes[chosen].T
    frames[chosen] = np.stack([y0, -x1, y1, -x0], axis=1)
    pieces[chosen] = num_old + runs
    first = int(chosen.min())
    others = np.setdiff1d(np.arange(len(letters)), chosen)
    block = letters.blocks[letters.pieces[first]]
    letters = replace(
        letters,
        frames=frames,
        pieces=pieces,
        directions=np.concatenate([letters.directions, np.tile(_DOWN, (num_new, 1))]),
        vertical=np.concatenate([letters.vertical, np.ones(num_new, bool)]),
        blocks=np.concatenate([letters.blocks, np.full(num_new, block)]),
    )
    before = np.searchsorted(others, first)
    return letters.take(np.concatenate([others[:before], chosen, others[before:]]))
