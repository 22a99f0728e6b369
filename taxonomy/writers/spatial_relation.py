"""Spatial relation: the position of one word relative to another."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "commonsense_reasoning/relationship/spatial"
MIN_DISTANCE = 0.08  # of the image's height or width; for closer words the relation is not clear
NUM_TRIES = 12
ANSWERS = {
    "en": {"above": "above", "below": "below", "left": "to the left", "right": "to the right"},
    "zh": {"above": "上方", "below": "下方", "left": "左边", "right": "右边"},
}
OPPOSITE = {"above": "below", "below": "above", "left": "right", "right": "left"}


class SpatialRelation(Writer):
    """Asks about above and below, and about left and right for words in one row; the order of the words decides."""

    name = "spatial_relation"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "vertical": QuestionKind(LEAF, ("first", "second")),
        "horizontal": QuestionKind(LEAF, ("first", "second")),
    }
    needs = ("words",)
    written_share = 0.95

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        candidates = page.unique_words
        if len(candidates) < 2:
            return None
        image = page.sample.images[0]
        found: dict[str, tuple[int, int]] = {}
        for _ in range(NUM_TRIES):
            first, second = rng.sample(candidates, 2)
            relation = relation_of(page.boxes[first], page.boxes[second], image.width, image.height)
            if relation is not None:
                found |= {relation: (first, second), OPPOSITE[relation]: (second, first)}
        if not found:
            return None
        relation = choices.pick("spatial_relation", sorted(found), rng)
        first, second = found[relation]
        kind = "vertical" if relation in ("above", "below") else "horizontal"
        values = {"first": bare(page.words[first]), "second": bare(page.words[second])}
        return about_page(page, kind, ANSWERS[page.language][relation], values)


def relation_of(a: np.ndarray, b: np.ndarray, width: int, height: int) -> str | None:
    """Return the position of box `a` relative to box `b` (x0, y0, x1, y1 in pixels), or None if it is not clear."""
    if min(a[3], b[3]) > max(a[1], b[1]):  # in one row
        if b[0] - a[2] > MIN_DISTANCE * width:
            return "left"
        return "right" if a[0] - b[2] > MIN_DISTANCE * width else None
    if b[1] - a[3] > MIN_DISTANCE * height:
        return "above"
    return "below" if a[1] - b[3] > MIN_DISTANCE * height else None
