"""Text of a region: the words inside a box."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from sources.images.boxes import hull, scaled
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import is_quotable, text_of
from taxonomy.writers.rows import is_readable
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

MIN_CHARS = 4


class RegionText(Writer):
    """Asks for a row of words by its box, which no other word reaches into."""

    name = "region_text"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "region_text": QuestionKind("recognition/local_description/pointing", ("box",))
    }
    needs = ("words",)

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        candidates = [
            row for row in page.rows if is_quotable(text_of(page, row), MIN_CHARS) and not page.taken_apart & set(row)
        ]
        rng.shuffle(candidates)
        for words in candidates:
            box, text = hull(page.boxes[words]), text_of(page, words)
            inside = np.flatnonzero(_reaches_into(page.boxes, box)).tolist()
            if inside == sorted(words) and all(
                is_readable(page.boxes[word]) for word in words if len(page.words[word]) > 1
            ):
                value = scaled(box, *page.sample.image_sizes()[0])
                return about_page(page, "region_text", text, {"box": value}, Subject("line", tuple(words), text))
        return None


def _reaches_into(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return for each of (N, 4) boxes whether a third of it or more is inside `box`."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    areas = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    reaches: np.ndarray = np.maximum(sides, 0).prod(axis=1) >= areas / 3
    return reaches
