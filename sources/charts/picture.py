"""A rendered chart: its pixels, the boxes of its texts, and its code."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class TextBox:
    """A rendered text and its box in pixels from the top left corner.

    Args:
        role: `title`, `axis_title`, `tick`, `legend`, `value` or `cell`.
        upright: the text runs from bottom to top.
    """

    text: str
    role: str
    x0: float
    y0: float
    x1: float
    y1: float
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """The result of a renderer.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        texts: all rendered texts.
        marks: (N, 2) float width and height of bars, slices, etc. in pixels.
        code: the program or specification that draws the same pixels.
        code_language: `python` or `json`.
    """

    pixels: np.ndarray
    texts: tuple[TextBox, ...]
    marks: np.ndarray
    code: str
    code_language: str
