"""Matching: which of several pages contains a sentence."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import sentences
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

MAX_PAGES = 4


class PageMatching(Writer):
    """Shows the page among up to three neighbours; the answer is the number of its image."""

    name = "page_matching"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_matching": QuestionKind("multi_image/comparison/matching", ("sentence",))
    }
    needs = ("text", "pages")

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        others = [j for j in range(max(0, k - 3), min(len(pages), k + 4)) if j != k and pages[j].text]
        if not others:
            return None
        chosen = rng.sample(others, min(len(others), rng.randint(1, MAX_PAGES - 1)))
        elsewhere = ["".join(pages[j].text.split()) for j in chosen]
        only_here = [s for s in sentences(pages[k]) if not any("".join(s.split()) in text for text in elsewhere)]
        if not only_here:
            return None
        shown = rng.sample([k, *chosen], len(chosen) + 1)
        answer = str(shown.index(k) + 1)
        return about_pages([pages[j] for j in shown], "page_matching", answer, {"sentence": rng.choice(only_here)})
