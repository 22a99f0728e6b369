"""Legibility, proven from the renderer's own boxes: nothing clipped, nothing on top of something, no mark too small."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from sources.charts.picture import Picture

MARGIN_PX = 1.0  # a text stays this far from the picture's edge
TOUCH_PX = 0.5  # boxes include the font's ascent and descent; less than this is no overlap
MIN_MARK_PX = 1.0


def fault(picture: Picture) -> tuple[str, str] | None:
    """Why a picture cannot be read, as a reason code and a sentence; None if it can.

    Reasons are `clipped_text`, `overlapping_text` and `tiny_mark`.
    """
    height, width = picture.pixels.shape[:2]
    boxes = np.array([[t.x0, t.y0, t.x1, t.y1] for t in picture.texts]).reshape(-1, 4)
    outside = (boxes[:, :2] < MARGIN_PX).any(1) | (boxes[:, 2] > width - MARGIN_PX) | (boxes[:, 3] > height - MARGIN_PX)
    if outside.any():
        return "clipped_text", f"the text {picture.texts[int(outside.argmax())].text!r} does not fit into the picture"
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlaps = np.triu((high - low > TOUCH_PX).all(2), 1)
    if overlaps.any():
        first, second = np.argwhere(overlaps)[0]
        return (
            "overlapping_text",
            f"the texts {picture.texts[first].text!r} and {picture.texts[second].text!r} overlap",
        )
    if (picture.marks < MIN_MARK_PX).any():
        return "tiny_mark", f"a mark is only {picture.marks.min():.1f} pixels large"
    return None


def missing_text(picture: Picture, expected: Iterable[str]) -> tuple[str, str] | None:
    """Whether a picture lacks a text that its table relies on: `missing_text` and a sentence, None if all are there.

    Args:
        expected: names and numbers, as often as they must stand in the picture. Signs, commas and units do not count.
    """
    shown = Counter(part for box in picture.texts for part in _parts(box.text))
    needed = Counter(text.strip() for text in expected)
    for text, count in needed.items():
        if shown[text] < count:
            return "missing_text", f"the picture shows {text!r} {shown[text]} times, expected {count}"
    return None


def _parts(text: str) -> set[str]:
    """A text as a whole, its lines, and the numbers in it without sign and commas."""
    bare = text.replace(",", "")
    return {text.strip(), *(line.strip() for line in text.split("\n")), *re.findall(r"\d+(?:\.\d+)?", bare)}
