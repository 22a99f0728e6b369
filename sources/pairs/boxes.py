"""Boxes as they are published: corners or sizes, in pixels, shares or thousandths, to corners in pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sources.base.sample import Element, Words
from sources.base.source import ItemError

BOX_FORMATS = ("xyxy", "xywh", "cxcywh")
SCALES: Mapping[str, float | None] = {"pixels": None, "unit": 1, "1000": 1000}
TOLERANCE = 0.005  # of the side of the image by which a rounded box may lie outside of it


def boxes_of(value: Any, box_format: str, box_scale: str, size: tuple[int, int], shown: tuple[int, int]) -> np.ndarray:
    """Return (N, 4) float32 x0, y0, x1, y1 in pixels of the image as it is shown.

    Args:
        value: N boxes of four numbers, or one box.
        size: width and height of the image as it was published.
        shown: the same in the sample.
    Raises:
        ItemError: the value is none, or a box is not inside the image.
    """
    try:
        boxes = np.asarray(value, np.float64).reshape(-1, 4)
    except (TypeError, ValueError) as error:
        raise ItemError("wrong_boxes", "the boxes are not lists of four numbers") from error
    first, second = boxes[:, :2], boxes[:, 2:]
    if box_format == "cxcywh":
        first, second = first - second / 2, first + second / 2
    elif box_format == "xywh":
        second = first + second
    whole = SCALES[box_scale]
    sides = np.array(size if whole is None else (whole, whole), np.float64)
    corners = np.concatenate([first, second], axis=1) / np.tile(sides, 2)
    is_inside = (corners >= -TOLERANCE).all() and (corners <= 1 + TOLERANCE).all()
    if not np.isfinite(corners).all() or not is_inside or (corners[:, :2] > corners[:, 2:]).any():
        raise ItemError("wrong_boxes", f"a box is not inside the image; expected {box_format} in {box_scale}")
    found: np.ndarray = (np.clip(corners, 0, 1) * np.tile(np.array(shown, np.float64), 2)).astype(np.float32)
    return found


def words_of(texts: Any, boxes: np.ndarray) -> Words:
    """Return words with their boxes. Raises ItemError if they are not as many."""
    if not isinstance(texts, list) or len(texts) != len(boxes) or not all(isinstance(text, str) for text in texts):
        raise ItemError("wrong_boxes", f"there are {len(boxes)} boxes, and not as many words")
    return Words(texts=texts, boxes=boxes, images=np.zeros(len(boxes), np.int32))


def elements_of(labels: Any, boxes: np.ndarray) -> list[Element]:
    """Return labelled boxes; `box` is the label where there is none. Raises ItemError if they are not as many."""
    names = ["box"] * len(boxes) if labels is None else labels if isinstance(labels, list) else [labels]
    if len(names) != len(boxes):
        raise ItemError("wrong_boxes", f"there are {len(boxes)} boxes and {len(names)} labels")
    return [
        Element(str(name), "", (x0, y0, x1, y1)) for name, (x0, y0, x1, y1) in zip(names, boxes.tolist(), strict=True)
    ]
