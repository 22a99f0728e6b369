"""Columns of prose on a page, found from the boxes of its words alone, whatever their order.

Words of a row form a segment as long as the gaps between them are small. Segments that are below each other form a
stack; a stack is a column of prose if it has many lines, which hold letters and are about as wide as the stack. It is
independent of every engine's reading order, ours too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_WORD_GAP = 0.8  # in heights of a word; a wider gap ends a segment
MIN_LINE_WIDTH = 4.0  # in heights; narrower segments are parts of formulas, or the last word of a paragraph
MAX_PITCH = 3.0  # from a line to the next of its stack, in heights
MAX_INDENT = 3.0  # between the left edges of two lines of a stack, in heights
MAX_SIZE_RATIO = 1.3  # between the heights of two lines of a stack
MIN_LINES = 6
MIN_WORDS = 3.5  # mean of the stack's lines, or
MIN_WIDE = 9  # width over height, for scripts without spaces
MIN_LETTERS = 0.75  # share of the characters that are letters
MIN_FILL = 0.75  # median width of the lines over the width of the stack
MAX_GAP = 8.0  # between two columns, in heights
SAME_ROW = 0.5  # overlap in height of two lines that are in one row


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Pieces of rows without a wide gap.

    Args:
        boxes: (M, 4) in points.
        of_word: (N,) segment of each word.
    """

    boxes: np.ndarray
    of_word: np.ndarray


def segments_of(boxes: np.ndarray) -> Segments:
    """Group (N, 4) boxes of words, in points, into segments."""
    of_word = np.zeros(len(boxes), np.int64)
    number = 0
    for row in _rows(boxes):
        row = row[np.argsort(boxes[row, 0], kind="stable")]
        end = boxes[row[0], 2]
        for previous, k in zip(np.append(row[0], row[:-1]), row, strict=True):
            height = min(boxes[k, 3] - boxes[k, 1], boxes[previous, 3] - boxes[previous, 1])
            number += bool(boxes[k, 0] - end > MAX_WORD_GAP * height)
            end = max(end, boxes[k, 2])
            of_word[k] = number
        number += 1
    hulls = np.tile([np.inf, np.inf, -np.inf, -np.inf], (number, 1))
    np.minimum.at(hulls[:, :2], of_word, boxes[:, :2])
    np.maximum.at(hulls[:, 2:], of_word, boxes[:, 2:])
    return Segments(boxes=hulls, of_word=of_word)


def _rows(boxes: np.ndarray) -> list[np.ndarray]:
    """Return the indices of words of each row: a word within half its height of the row's first word is in the row."""
    middle, height = (boxes[:, 1] + boxes[:, 3]) / 2, boxes[:, 3] - boxes[:, 1]
    rows: list[list[int]] = []
    open_rows: list[list[int]] = []
    for k in np.argsort(middle, kind="stable"):
        open_rows = [row for row in open_rows if middle[k] - middle[row[0]] < height[row[0]]]
        for row in open_rows:
            first = row[0]
            if middle[k] - middle[first] < 0.4 * min(height[k], height[first]) and not _meets(boxes, row, k):
                row.append(int(k))
                break
        else:
            rows.append([int(k)])
            open_rows.append(rows[-1])
    return [np.array(row) for row in rows]


def _meets(boxes: np.ndarray, row: Sequence[int], k: int) -> bool:
    """Return True if word k overlaps a word of the row by more than a third of its width."""
    overlap = np.minimum(boxes[row, 2], boxes[k, 2]) - np.maximum(boxes[row, 0], boxes[k, 0])
    return bool((overlap > 0.35 * (boxes[k, 2] - boxes[k, 0])).any())


def columns_of_prose(segments: Segments, words: Sequence[str]) -> list[np.ndarray]:
    """Return the segments of every column of prose, from top to bottom."""
    boxes = segments.boxes
    num_words = np.bincount(segments.of_word, minlength=len(boxes))
    texts = [""] * len(boxes)
    for k, word in zip(segments.of_word, words, strict=True):
        texts[k] += word
    found = []
    for stack in _stacks(boxes):
        lines, letters = boxes[stack], "".join(texts[k] for k in stack)
        widths, height = lines[:, 2] - lines[:, 0], np.median(lines[:, 3] - lines[:, 1])
        is_long = len(stack) >= MIN_LINES
        is_wordy = num_words[stack].mean() >= MIN_WORDS or (
            not letters.isascii() and np.median(widths) > MIN_WIDE * height
        )
        is_full = np.median(widths) >= MIN_FILL * (lines[:, 2].max() - lines[:, 0].min())
        if is_long and is_wordy and is_full and sum(map(str.isalpha, letters)) >= MIN_LETTERS * len(letters):
            found.append(stack)
    return found


def _stacks(boxes: np.ndarray) -> list[np.ndarray]:
    """Group lines that are directly below each other, alone on both sides."""
    height = boxes[:, 3] - boxes[:, 1]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    order = np.argsort(middle, kind="stable")
    order = order[(boxes[order, 2] - boxes[order, 0]) >= MIN_LINE_WIDTH * height[order]]
    below = np.full(len(boxes), -1)
    num_above = np.zeros(len(boxes), np.int64)
    for place, k in enumerate(order):
        later = order[place + 1 :]
        later = later[: np.searchsorted(middle[later], middle[k] + MAX_PITCH * height[k], side="right")]
        later = later[middle[later] - middle[k] > 0.5 * height[k]]
        overlap = np.minimum(boxes[later, 2], boxes[k, 2]) - np.maximum(boxes[later, 0], boxes[k, 0])
        later = later[overlap > 0]
        if not len(later):
            continue
        nearest = later[middle[later] - middle[later[0]] < 0.5 * height[later[0]]]  # all pieces of the next row
        if len(nearest) == 1 and _continues(boxes[k], boxes[nearest[0]]):
            below[k] = nearest[0]
        num_above[nearest] += 1
    stacks, seen = [], np.zeros(len(boxes), bool)
    for k in order:
        if seen[k]:
            continue
        stack = [k]
        while below[stack[-1]] >= 0 and num_above[below[stack[-1]]] == 1:
            stack.append(below[stack[-1]])
        seen[stack] = True
        stacks.append(np.array(stack))
    return stacks


def _continues(a: np.ndarray, b: np.ndarray) -> bool:
    """Return True if line b can be the next line of prose after line a."""
    heights = sorted([a[3] - a[1], b[3] - b[1]])
    return bool(abs(a[0] - b[0]) <= MAX_INDENT * heights[1] and heights[1] <= MAX_SIZE_RATIO * heights[0])


def rows_of_columns(segments: Segments, columns: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Return the pairs of segments that are in one row of two neighbouring columns, left and right."""
    boxes, pairs = segments.boxes, []
    for left in columns:
        for right in columns:
            for a in left:
                height = boxes[a, 3] - boxes[a, 1]
                gap = boxes[right, 0] - boxes[a, 2]
                overlap = np.minimum(boxes[right, 3], boxes[a, 3]) - np.maximum(boxes[right, 1], boxes[a, 1])
                beside = right[(gap > 0) & (gap < MAX_GAP * height) & (overlap > SAME_ROW * height)]
                pairs += [(int(a), int(b)) for b in beside]
    return _between_neighbours(boxes, pairs)


def _between_neighbours(boxes: np.ndarray, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out pairs whose left line has a nearer line on its right."""
    nearest: dict[int, int] = {}
    for a, b in pairs:
        if a not in nearest or boxes[b, 0] < boxes[nearest[a], 0]:
            nearest[a] = b
    return sorted(nearest.items())
