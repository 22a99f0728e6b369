"""Pages that lie on their side or are upside down: how far they are turned, and what is on them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sources.paddle_ocr.reader import Line, PaddleReader
from sources.paddle_ocr.words import is_tall

SURE = 0.75  # confidence of text that was read the right way up; upside down it is 0.3 to 0.6
MIN_CHARS = 20  # fewer do not tell
SURER = 0.1  # by as much the other way up must be read


def read_upright(rgb: np.ndarray, reader: PaddleReader) -> tuple[list[Line], int]:
    """Read a picture that may be turned by quarters.

    PaddleOCR reads tall lines from the top to the bottom. Text of either direction that it is not sure of is read again
    upside down, and the better reading counts.

    Args:
        rgb: (height, width, 3) uint8.
    Returns:
        The lines on `np.rot90(rgb, turns)`, and `turns`, 0 to 3.
    """
    lines = reader.read_pixels(rgb)
    turns = int(2 * sum(len(line.text) for line in lines if is_tall(line.quad)) > _num_chars(lines))
    if turns:
        lines = [replace(line, quad=_turned(line.quad, rgb.shape[1])) for line in lines]
    if _num_chars(lines) < MIN_CHARS or confidence_of(lines) >= SURE:
        return lines, turns
    other = reader.read_pixels(np.rot90(rgb, turns + 2))
    if confidence_of(other) > confidence_of(lines) + SURER:
        return other, turns + 2
    return lines, turns


def confidence_of(lines: Sequence[Line]) -> float:
    """Return the mean confidence of lines, weighted by characters; 0 without lines."""
    num_chars = _num_chars(lines)
    return sum(line.confidence * len(line.text) for line in lines) / num_chars if num_chars else 0.0


def boxes_before(boxes: np.ndarray, turns: int, width: int, height: int) -> np.ndarray:
    """Return (N, 4) boxes on `np.rot90(picture, turns)` as boxes on a picture of this size."""
    x0, y0, x1, y1 = boxes.T
    if turns == 1:
        return np.stack([width - y1, x0, width - y0, x1], axis=1)
    if turns == 2:
        return np.stack([width - x1, height - y1, width - x0, height - y0], axis=1)
    return np.stack([y0, height - x1, y1, height - x0], axis=1) if turns == 3 else boxes


def _num_chars(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _turned(quad: np.ndarray, width: int) -> np.ndarray:
    """Return the corners of a line after a quarter turn to the left, again from the top left one."""
    turned = np.stack([quad[:, 1], width - quad[:, 0]], axis=1)
    return np.roll(turned, -1, axis=0)
