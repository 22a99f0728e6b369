"""Questions about absent text: a word of a neighbouring page that this page does not have."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import bare, unique_words
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

ANSWERS = {"en": "The word “{word}” does not appear on this page.", "zh": "这一页上没有“{word}”这个词。"}


class AbsentText(Writer):
    """Asks about a word that is not on the page; the answer says so."""

    name = "absent_text"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "absent_text": QuestionKind("safety/counterfactual_questions", ("word",))
    }
    needs = ("words", "pages")

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        here = "".join(page.text.casefold().split()) + "".join(page.words).casefold()
        others = [j for j in (k - 1, k + 1) if 0 <= j < len(pages)]
        words = [bare(pages[j].words[w]) for j in others for w in unique_words(pages[j])]
        words = [word for word in words if word.casefold() not in here]
        if not words or not page.text:
            return None
        word = rng.choice(words)
        return about_page(page, "absent_text", ANSWERS[page.language].format(word=word), {"word": word})
