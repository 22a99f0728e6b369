"""Words and their boxes, from the boxes of the texts of a picture."""

import numpy as np

from sources.base.sample import Words
from sources.charts.fonts import Face, text_width
from sources.charts.picture import Picture, TextBox

ORDER = ("title", "legend", "axis_title", "value", "cell", "tick")


def extract_words(picture: Picture, face: Face) -> Words:
    """Return all words, sorted by role (titles first), then from top to bottom and left to right."""
    ordered = sorted(picture.texts, key=lambda box: (ORDER.index(box.role), round(box.y0 / 8), box.x0))
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for box in ordered:
        for line in _lines(box):
            for text, place in _split(line, face):
                texts.append(text)
                boxes.append(place)
    return Words(texts=texts, boxes=np.array(boxes, np.float32).reshape(-1, 4), images=np.zeros(len(texts), np.int32))


def _lines(box: TextBox) -> list[TextBox]:
    """Split a text of several lines into one box per line of equal height."""
    lines = box.text.split("\n")
    if len(lines) == 1:
        return [box]
    height = (box.y1 - box.y0) / len(lines)
    return [
        TextBox(line, box.role, box.x0, box.y0 + k * height, box.x1, box.y0 + (k + 1) * height)
        for k, line in enumerate(lines)
    ]


def _split(box: TextBox, face: Face) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Split a line into words, whose boxes are proportional to the widths of their characters."""
    whole = text_width(box.text, face, 1.0)
    found = []
    start = 0
    for word in box.text.split():
        start = box.text.index(word, start)
        before = text_width(box.text[:start], face, 1.0) / whole
        after = text_width(box.text[: start + len(word)], face, 1.0) / whole
        start += len(word)
        if box.upright:
            length = box.y1 - box.y0
            found.append((word, (box.x0, box.y1 - after * length, box.x1, box.y1 - before * length)))
        else:
            length = box.x1 - box.x0
            found.append((word, (box.x0 + before * length, box.y0, box.x0 + after * length, box.y1)))
    return found
