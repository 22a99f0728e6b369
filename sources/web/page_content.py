"""The content of a page, from what scripts read in it and from its picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sources.web.capture import PageContent, PageElement, Screenshot


def page_content(
    found: dict[str, Any], boxes: np.ndarray, screenshot: Screenshot, flags: Sequence[str], scale: int
) -> PageContent:
    """Join a reading and its picture. `boxes` are the boxes of the words, in pixels."""
    facts = found["facts"]
    has = {
        "frames": any(frame["clip"] for frame in found["frames"]),
        "canvas": facts["num_canvases"],
        "styles_failed": facts["num_failed_styles"],
        "pictures_failed": facts["num_broken_pictures"],
    }
    if has["frames"]:  # an overlay may hold its text in a frame
        facts["overlay_text"] = (facts["overlay_text"] + _text_in(facts["overlay_boxes"], found["words"]))[:4000]
    return PageContent(
        screenshot=screenshot,
        texts=[word[0] for word in found["words"]],
        boxes=boxes,
        separators=[word[5] for word in found["words"]],
        elements=[_element(element, scale) for element in found["elements"]],
        title=found["title"][:500],
        description=found["description"][:1000],
        language=found["language"][:20],
        licences=[url[:300] for url in found["licences"]],
        facts=found["facts"],
        flags=[*flags, *(name for name, is_there in has.items() if is_there)],
    )


def _text_in(boxes: Sequence[Sequence[float]], words: Sequence[Sequence[Any]]) -> str:
    """Return the words whose centres are in one of the boxes, each after a space."""
    return "".join(
        f" {text}"
        for text, x0, y0, x1, y1, _ in words
        if any(a <= (x0 + x1) / 2 <= c and b <= (y0 + y1) / 2 <= d for a, b, c, d in boxes)
    )


def _element(row: list[Any], scale: float) -> PageElement:
    role, name, *box = row
    x0, y0, x1, y1 = (float(edge * scale) for edge in box)  # JSON gives whole numbers as int, read back they are not
    return PageElement(role=role[:40], name=name, box=(x0, y0, x1, y1))
