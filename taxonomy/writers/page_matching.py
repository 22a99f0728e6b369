"""Matching: which of several pages contains a sentence, if any."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import neighbours
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import squeezed
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

SHOWN, NONE = "shown", "none"
NOWHERE = {"en": "It is on none of them.", "zh": "哪一张上都没有。"}
REACH = 3


class PageMatching(Writer):
    """Shows two or three pages of a document; the answer is the number of the image, or that it is none of them."""

    name = "page_matching"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_matching": QuestionKind("multi_image/comparison/matching", ("sentence",))
    }
    needs = ("sentences", "pages")
    written_share = 0.6

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        others = neighbours(pages, k, REACH)
        num = 3 if len(others) >= 3 and rng.random() < 0.5 else 2
        if len(others) < num:  # one more than is shown with the page, for the case without it
            return None
        elsewhere = rng.sample(others, num)
        texts = [squeezed(pages[j].text) for j in elsewhere]
        only_here = [s for s in pages[k].sentences if not any(squeezed(s) in text for text in texts)]
        if not only_here:
            return None
        shown = [pages[j] for j in elsewhere]
        said = NOWHERE[shown[0].language]
        if choices.pick("page_matching", (SHOWN, NONE), rng) == SHOWN:
            said = choices.pick(f"page_matching/{num}", [str(place + 1) for place in range(num)], rng)
            shown[int(said) - 1] = pages[k]
        return about_pages(shown, "page_matching", said, {"sentence": rng.choice(only_here)})
