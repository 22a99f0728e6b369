"""Comparison of two pages: which one has more text, or contains a word."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import bare, unique_words
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

LEAF = "multi_image/comparison/attribute"
MIN_RATIO = 1.5  # between the numbers of characters; a smaller difference is not visible
ANSWERS = {"en": ("the first", "the second"), "zh": ("第一张", "第二张")}


class PageComparison(Writer):
    """Asks about the page and one of its neighbours, in random order."""

    name = "page_comparison"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "more_text": QuestionKind(LEAF),
        "which_has_word": QuestionKind(LEAF, ("word",)),
    }
    needs = ("text", "pages")

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        others = [j for j in (k - 1, k + 1) if 0 <= j < len(pages) and pages[j].text]
        if not others or not pages[k].text:
            return None
        pair = rng.sample([pages[k], pages[rng.choice(others)]], 2)
        say = ANSWERS[pair[0].language]
        lengths = [len("".join(page.text.split())) for page in pair]
        if max(lengths) >= MIN_RATIO * min(lengths) and rng.random() < 0.5:
            return about_pages(pair, "more_text", say[lengths.index(max(lengths))])
        which = rng.randrange(2)
        other = pair[1 - which].text.casefold()
        words = [bare(pair[which].words[j]) for j in unique_words(pair[which])]
        words = [word for word in words if word.casefold() not in other]
        if not words:
            return None
        return about_pages(pair, "which_has_word", say[which], {"word": rng.choice(words)})
