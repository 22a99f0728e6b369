"""Direction of text: vertical and turned pages, and the order of words in right-to-left lines."""

import numpy as np
import numpy.typing as npt

from sources.text.scripts import EAST_ASIAN, RIGHT_TO_LEFT, is_right_to_left
from sources.text.words import LayoutWords


def is_vertical(words: LayoutWords) -> bool:
    """Return True if most words are East Asian, and each is below the previous one or taller than wide."""
    if not EAST_ASIAN.search("".join(words.texts)):
        return False
    width, height = words.boxes[:, 2] - words.boxes[:, 0], words.boxes[:, 3] - words.boxes[:, 1]
    upright = height > 2 * width
    upright[1:] |= _is_stacked(words.boxes[:-1], words.boxes[1:])
    num_east_asian = sum(EAST_ASIAN.match(text) is not None for text in words.texts)
    return bool(2 * upright.sum() > len(upright) and 2 * num_east_asian > len(upright))


def _is_stacked(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return an (N,) mask of the pairs whose second box is as wide as the first, about square and directly below."""
    width, height = a[:, 2] - a[:, 0], b[:, 3] - b[:, 1]
    stacked: npt.NDArray[np.bool_] = (
        (np.abs(a[:, 0] + a[:, 2] - b[:, 0] - b[:, 2]) < 0.5 * width)
        & (np.abs(width - (b[:, 2] - b[:, 0])) < 0.5 * width)
        & (np.abs(width - height) < 0.5 * height)
        & (np.abs(b[:, 1] - a[:, 3]) < 0.5 * height)
    )
    return stacked


def rotation(words: LayoutWords, right_to_left: bool) -> int:
    """Return the clockwise rotation of most of the text in degrees, from the directions between words of a line."""
    same_line = (np.diff(words.blocks) == 0) & (np.diff(words.lines) == 0)
    middle = words.boxes[:, :2] + words.boxes[:, 2:]
    right, down = (np.diff(middle, axis=0)[same_line]).sum(axis=0)
    if abs(down) > abs(right):
        return 90 if (down > 0) != right_to_left else 270
    return 180 if right < 0 and not right_to_left else 0


def rotate_upright(boxes: np.ndarray, degrees: int) -> np.ndarray:
    """Rotate (N, 4) boxes of text that is turned by 90, 180 or 270 degrees clockwise back to upright."""
    x0, y0, x1, y1 = boxes.T
    upright = {90: (y0, -x1, y1, -x0), 180: (-x1, -y1, -x0, -y0), 270: (-y1, x0, -y0, x1)}
    return np.stack(upright[degrees], axis=1)


def in_line_order(line: np.ndarray, words: LayoutWords) -> np.ndarray:
    """Return the words of a line in reading order, because producers paint right-to-left lines in any order.

    A right-to-left line is sorted from the right; Latin runs inside it are then reversed.
    """
    texts = [words.texts[k] for k in line]
    if len(line) < 2 or not is_right_to_left("".join(texts)):
        return line
    line = line[np.argsort(-words.boxes[line, 2], kind="stable")]
    is_latin = [any(map(str.isalpha, words.texts[k])) and not RIGHT_TO_LEFT.search(words.texts[k]) for k in line]
    neutral = [not any(map(str.isalpha, words.texts[k])) for k in line]
    ordered = line.copy()
    k = 0
    while k < len(line):
        if is_latin[k]:
            end = k
            for j in range(k + 1, len(line)):  # numbers and punctuation between two Latin words belong to the run
                if is_latin[j]:
                    end = j
                elif not neutral[j]:
                    break
            ordered[k : end + 1] = line[k : end + 1][::-1]
            k = end
        k += 1
    return ordered
