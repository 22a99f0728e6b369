"""Rows of a page: pieces of text on one baseline that are at most a word space from each other."""

import numpy as np

from sources.text.characters import Letters
from sources.text.hulls import hulls, is_near
from sources.text.scripts import FIRST_RIGHT_TO_LEFT, right_to_left_codes


def with_rows(letters: Letters) -> tuple[Letters, np.ndarray]:
    """Return the letters with the pieces of every row from left to right, and the (N,) row of each letter.

    Only pieces that are painted one after the other are joined, because otherwise rows would join across columns.
    """
    starts = np.flatnonzero(np.diff(letters.pieces, prepend=-1))
    frames, pieces = hulls(letters.frames, starts), letters.pieces[starts]
    same_direction = (letters.directions[pieces[1:]] == letters.directions[pieces[:-1]]).all(axis=1)
    if letters.codes.max() >= FIRST_RIGHT_TO_LEFT and right_to_left_codes(letters.codes).any():
        near = _near_the_row(frames, same_direction)
    else:
        near = is_near(frames[:-1], frames[1:]) & same_direction
    row_of_piece = np.cumsum(np.concatenate([[0], ~near]))
    lengths = np.diff(starts, append=len(letters))
    rows = np.repeat(row_of_piece, lengths)
    is_backwards = near & (frames[1:, 0] < frames[:-1, 0])
    if is_backwards.any():
        order = np.lexsort((np.repeat(frames[:, 0], lengths), rows))  # stable: letters stay in their pieces
        letters = letters.take(order)
    return letters, rows


def _near_the_row(frames: np.ndarray, same_direction: np.ndarray) -> np.ndarray:
    """Return for each of the (P - 1) pieces after the first if it is near the row to which the previous one belongs.

    Producers paint right-to-left lines in any order: a piece may be far from the previous one, but near an earlier one.
    """
    near = np.zeros(len(frames) - 1, bool)
    row = frames[:1]
    for k in range(len(near)):
        piece = frames[k + 1 : k + 2]
        near[k] = same_direction[k] and bool(is_near(row, piece)[0])
        row = hulls(np.concatenate([row, piece]), np.array([0])) if near[k] else piece
    return near
