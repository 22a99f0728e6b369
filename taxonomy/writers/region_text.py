"""Text of a region: the words inside a box."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from sources.base.ground_truth import GroundTruth
from sources.images.boxes import scaled
from taxonomy.writers.page import hull, rows, text_of
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page


class RegionText(Writer):
    """Asks for a row of words by its box, which contains the centre of no other word."""

    name = "region_text"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "region_text": QuestionKind("recognition/local_description/pointing", ("box",))
    }
    needs = ("words",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        candidates = rows(page)
        rng.shuffle(candidates)
        middles = (page.boxes[:, :2] + page.boxes[:, 2:]) / 2
        for words in candidates:
            box = hull(page.boxes[words])
            inside = ((middles > box[:2]) & (middles < box[2:])).all(axis=1)
            if len(text_of(page, words)) >= 4 and set(np.flatnonzero(inside).tolist()) == set(words):
                return about_page(
                    page, "region_text", text_of(page, words), {"box": scaled(box, *page.sample.image_sizes()[0])}
                )
        return None
