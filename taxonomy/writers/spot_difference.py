"""Spotting differences: the page is shown twice, in half of the cases with one word painted over."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.images.boxes import scaled
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.pair_of_pictures import EDITED, SAME, paint_a_word, without_word
from taxonomy.writers.pictures import reencoded
from taxonomy.writers.quotable import bare
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

ANSWERS = {
    "en": {
        EDITED: "The second picture lacks the word “{word}” at {box}.",
        SAME: "There is no difference: both pictures show the same page.",
    },
    "zh": {EDITED: "第二张图缺少“{word}”，位置是 {box}。", SAME: "没有区别：两张图是同一页。"},
}


class SpotDifference(Writer):
    """Asks for the difference; the answer is the missing word and its box in thousandths, or that there is none.

    The second picture is encoded again in both cases, so that traces of encoding do not give the answer away.
    """

    name = "spot_difference"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "spot_difference": QuestionKind("multi_image/comparison/spotting_differences")
    }
    needs = ("words",)
    written_share = 0.9

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        painted = paint_a_word(page, rng)
        if painted is None:
            return None
        word, edited = painted
        image = page.sample.images[0]
        answer = choices.pick("spot_difference", (EDITED, SAME), rng)
        box = scaled(page.boxes[word], image.width, image.height)
        said = ANSWERS[page.language][answer].format(word=bare(page.words[word]), box=box)
        second = without_word(page, word) if answer == EDITED else page
        images = [image, edited if answer == EDITED else reencoded(image)]
        return about_pages([page, second], "spot_difference", said, images=images)
