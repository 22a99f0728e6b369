"""Lines of a page: words that follow each other on one baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.text.words import LayoutWords

MAX_WORD_SPACE = 1.2  # in heights of a line; wider gaps separate cells and columns


@dataclass(frozen=True, slots=True)
class Lines:
    """M lines of one page.

    Args:
        words: M arrays of indices of words, in the order in which the words of the line are read.
        boxes: (M, 4) x0, y0, x1, y1 around the words, in points; y points down.
        blocks: (M,) paragraph of each line.
        directions: (M, 2) unit vector along each baseline; see `LayoutWords`.
        sizes: (M,) font size in points, of the line's largest word; 0 if it is unknown.
    """

    words: Sequence[np.ndarray]
    boxes: np.ndarray
    blocks: np.ndarray
    directions: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


def choose_lines(lines: Lines, order: np.ndarray) -> Lines:
    """Return the lines with the (K,) indices `order`, in that order."""
    words = [lines.words[k] for k in order]
    return Lines(words, lines.boxes[order], lines.blocks[order], lines.directions[order], lines.sizes[order])


def lines_of(words: LayoutWords) -> Lines:
    """Return the lines of a page, in the order of its content stream.

    Layout engines split lines at wide spaces. Pieces of a row that are a word space from each other are joined again,
    because otherwise a justified line would look like cells of a table.
    """
    if not len(words.texts):
        return Lines((), words.boxes, words.blocks, words.directions, words.sizes)
    starts = np.flatnonzero((np.diff(words.blocks) != 0) | (np.diff(words.lines) != 0)) + 1
    starts = np.concatenate([[0], starts])
    boxes = hulls(words.boxes, starts)
    near = is_near(boxes[:-1], boxes[1:])
    if near.any():
        first = np.flatnonzero(np.concatenate([[True], ~near]))
        starts, boxes = starts[first], hulls(boxes, first)
    parts = np.split(np.arange(len(words.texts)), starts[1:])
    sizes = np.maximum.reduceat(words.sizes, starts)
    return Lines(parts, boxes, words.blocks[starts], words.directions[starts], sizes)


def is_near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the pairs of boxes that are in one row, with at most a word space between them."""
    height = np.minimum(a[:, 3] - a[:, 1], b[:, 3] - b[:, 1])
    in_one_row = np.abs(a[:, 1] + a[:, 3] - b[:, 1] - b[:, 3]) < height
    gap = np.maximum(b[:, 0] - a[:, 2], a[:, 0] - b[:, 2])
    near: npt.NDArray[np.bool_] = in_one_row & (gap < MAX_WORD_SPACE * height)
    return near


def hulls(boxes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the (M, 4) boxes around groups of (N, 4) boxes; a group extends from one start to the next."""
    low, high = np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)
    return np.concatenate([low, high], axis=1)
