"""Two pictures of pages: the same page again, the page with one word painted over, or another page."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from sources.base.sample import EncodedImage
from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import neighbours
from taxonomy.writers.page import Page
from taxonomy.writers.pictures import paint_over, reencoded
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

SAME, EDITED, OTHER = "same", "edited", "other"
NUM_TRIES = 3
DISCRIMINATION = {
    "en": {SAME: "Both pictures show the same page.", OTHER: "The pictures show two different pages."},
    "zh": {SAME: "两张图是同一页。", OTHER: "两张图是不同的两页。"},
}
SIMILARITY = {
    "en": {
        SAME: "They are identical.",
        EDITED: "They are nearly identical: one word is missing in the second picture.",
        OTHER: "They are different pages.",
    },
    "zh": {SAME: "完全相同。", EDITED: "几乎相同：第二张图少了一个词。", OTHER: "是不同的两页。"},
}


class PageDiscrimination(Writer):
    """Asks whether two pictures show the same page."""

    name = "page_discrimination"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_discrimination": QuestionKind("multi_image/comparison/discrimination")
    }
    needs = ("text", "pages")

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page, other = pages[k], pages[rng.choice(neighbours(pages, k))]
        if not differ(page, other):
            return None
        answer = choices.pick("page_discrimination", (SAME, OTHER), rng)
        pair = [page, page if answer == SAME else other]
        images = [page.sample.images[0], reencoded(pair[1].sample.images[0])]
        return about_pages(pair, "page_discrimination", DISCRIMINATION[page.language][answer], images=images)


class PageSimilarity(Writer):
    """Asks how much two pictures resemble each other: identical, one word different, or different pages."""

    name = "page_similarity"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_similarity": QuestionKind("evaluation/similarity")
    }
    needs = ("text", "pages")
    written_share = 0.8

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page, other = pages[k], pages[rng.choice(neighbours(pages, k))]
        painted = paint_a_word(page, rng)
        if painted is None or not differ(page, other):
            return None
        word, edited = painted
        answer = choices.pick("page_similarity", (SAME, EDITED, OTHER), rng)
        second: EncodedImage = (
            edited if answer == EDITED else reencoded((other if answer == OTHER else page).sample.images[0])
        )
        pair = [page, without_word(page, word) if answer == EDITED else other if answer == OTHER else page]
        said = SIMILARITY[page.language][answer]
        return about_pages(pair, "page_similarity", said, images=[page.sample.images[0], second])


def differ(page: Page, other: Page) -> bool:
    """Return True if two pages have mostly different words: forms and slides repeat each other."""
    first, second = (set(map(str.casefold, p.words)) for p in (page, other))
    return len(first & second) < 0.85 * min(len(first), len(second))


def paint_a_word(page: Page, rng: random.Random) -> tuple[int, EncodedImage] | None:
    """Return a word that occurs once, and the picture with it painted over; None if there is none on plain ground."""
    candidates = page.unique_words
    for word in rng.sample(candidates, min(NUM_TRIES, len(candidates))):
        edited = paint_over(page.sample.images[0], page.boxes[word])
        if edited is not None:
            return word, edited
    return None


def without_word(page: Page, word: int) -> Page:
    """Return a page that lacks one of its words."""
    kept = np.flatnonzero(np.arange(len(page.words)) != word).tolist()
    return page.with_words([page.words[k] for k in kept], page.boxes[kept])
