"""Lines of a page: words that follow each other on one baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sources.text.hulls import hulls
from sources.text.words import LayoutWords


@dataclass(frozen=True, slots=True)
class Lines:
    """M lines of one page.

    Args:
        words: M arrays of indices of words, in the order in which the words of the line are read.
        boxes: (M, 4) x0, y0, x1, y1 around the words on the page, in points; y points down.
        frames: (M, 4) the same along the direction and across it; see `LayoutWords`. For upright lines the boxes.
        directions: (M, 2) unit vector along each baseline; see `LayoutWords`.
        vertical: (M,) bool; True for Chinese and Japanese from top to bottom.
        sizes: (M,) font size in points, of the line's largest word; 0 if it is unknown.
        blocks: (M,) paragraph of each line.
    """

    words: Sequence[np.ndarray]
    boxes: np.ndarray
    frames: np.ndarray
    directions: np.ndarray
    vertical: np.ndarray
    sizes: np.ndarray
    blocks: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


def lines_of(words: LayoutWords) -> Lines:
    """Return the lines of a page, in the order of its content stream."""
    if not len(words.texts):
        return Lines((), words.boxes, words.frames, words.directions, words.vertical, words.sizes, words.blocks)
    starts = np.flatnonzero((np.diff(words.blocks) != 0) | (np.diff(words.lines) != 0)) + 1
    starts = np.concatenate([[0], starts])
    bounds = np.append(starts, len(words.texts)).tolist()
    indices = np.arange(len(words.texts))
    boxes = hulls(words.boxes, starts)
    return Lines(
        words=[indices[start:stop] for start, stop in pairwise(bounds)],
        boxes=boxes,
        frames=boxes if words.frames is words.boxes else hulls(words.frames, starts),
        directions=words.directions[starts],
        vertical=words.vertical[starts],
        sizes=np.maximum.reduceat(words.sizes, starts),
        blocks=words.blocks[starts],
    )


def choose_lines(lines: Lines, order: np.ndarray) -> Lines:
    """Return the lines with the (K,) indices `order`, in that order."""
    return Lines(
        words=[lines.words[k] for k in order],
        boxes=lines.boxes[order],
        frames=lines.frames[order],
        directions=lines.directions[order],
        vertical=lines.vertical[order],
        sizes=lines.sizes[order],
        blocks=lines.blocks[order],
    )
