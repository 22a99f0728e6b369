"""Comparison of two pages: which one has more text, or contains a word."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import neighbours
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare, squeezed
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

LEAF = "multi_image/comparison/attribute"
MIN_RATIO = 1.8  # between the numbers of characters; a smaller difference is not visible
ANSWERS = {"en": ("the first", "the second"), "zh": ("第一张", "第二张")}
FIRST, SECOND = "first", "second"


class PageComparison(Writer):
    """Asks about the page and one of its neighbours; which of them is shown first decides the answer."""

    name = "page_comparison"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "more_text": QuestionKind(LEAF),
        "which_has_word": QuestionKind(LEAF, ("word",)),
    }
    needs = ("text", "pages")

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page, other = pages[k], pages[rng.choice(neighbours(pages, k))]
        lengths = [len(squeezed(p.text)) for p in (page, other)]
        if max(lengths) >= MIN_RATIO * min(lengths) and rng.random() < 0.5:
            ranked = [page, other] if lengths[0] > lengths[1] else [other, page]
            return _ask("more_text", ranked[0], ranked[1], {}, rng, choices)
        rest = squeezed(other.text + "".join(other.words)).casefold()
        words = [bare(page.words[w]) for w in page.unique_words]
        words = [word for word in words if word.casefold() not in rest]
        if not words:
            return None
        return _ask("which_has_word", page, other, {"word": rng.choice(words)}, rng, choices)


def _ask(
    kind: str, right: Page, wrong: Page, values: Mapping[str, str], rng: random.Random, choices: Choices
) -> Conversation:
    place = choices.pick(kind, (FIRST, SECOND), rng)
    pair = [right, wrong] if place == FIRST else [wrong, right]
    return about_pages(pair, kind, ANSWERS[pair[0].language][place == SECOND], values)
