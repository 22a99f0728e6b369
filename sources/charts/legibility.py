"""Legibility from the renderer's boxes: nothing is clipped or overlapping, and no mark is too small."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from sources.charts.picture import Picture, TextBox

MARGIN_PX = 1.0  # least distance of a text from the edge of the picture
TOUCH_PX = 0.5  # tolerated overlap, as boxes include the ascent and descent of the font
MIN_MARK_PX = 1.0


def find_fault(picture: Picture) -> tuple[str, str] | None:
    """Return a reason code and a sentence if a picture is illegible, else None.

    Reasons are `clipped_text`, `overlapping_text` and `tiny_mark`.
    """
    height, width = picture.pixels.shape[:2]
    fault = find_text_fault(picture.texts, width, height)
    if fault is None and (picture.marks < MIN_MARK_PX).any():
        return "tiny_mark", f"a mark is only {picture.marks.min():.1f} pixels large"
    return fault


def find_text_fault(texts: Sequence[TextBox], width: int, height: int) -> tuple[str, str] | None:
    """Return `clipped_text` or `overlapping_text` and a sentence if texts do not fit into a picture of this size."""
    boxes = np.array([[t.x0, t.y0, t.x1, t.y1] for t in texts]).reshape(-1, 4)
    outside = (boxes[:, :2] < MARGIN_PX).any(1) | (boxes[:, 2] > width - MARGIN_PX) | (boxes[:, 3] > height - MARGIN_PX)
    if outside.any():
        return "clipped_text", f"the text {texts[int(outside.argmax())].text!r} does not fit into the picture"
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlaps = np.triu((high - low > TOUCH_PX).all(2), 1)
    if overlaps.any():
        first, second = np.argwhere(overlaps)[0]
        return (
            "overlapping_text",
            f"the texts {texts[first].text!r} and {texts[second].text!r} overlap",
        )
    return None


def find_missing_text(picture: Picture, expected: Iterable[str]) -> tuple[str, str] | None:
    """Return `missing_text` and a sentence if a picture lacks a text that its table relies on, else None.

    Args:
        expected: names and numbers, repeated as often as they must appear. Signs, commas and units are ignored.
    """
    shown = Counter(part for box in picture.texts for part in _parts(box.text))
    needed = Counter(text.strip() for text in expected)
    for text, count in needed.items():
        if shown[text] < count:
            return "missing_text", f"the picture shows {text!r} {shown[text]} times, expected {count}"
    return None


def _parts(text: str) -> set[str]:
    """Return the text, its lines, and its numbers without sign and commas."""
    bare = text.replace(",", "")
    return {text.strip(), *(line.strip() for line in text.split("\n")), *re.findall(r"\d+(?:\.\d+)?", bare)}
