"""Questions about something that is not there: a word of a neighbouring page, which this page does not have."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import bare, unique_words
from taxonomy.writers.writer import Conversation, Pool, Writer, of_page

SAY = {"en": "The word “{word}” does not appear on this page.", "zh": "这一页上没有“{word}”这个词。"}


class AbsentText(Writer):
    """The answer says that it is not there."""

    name = "absent_text"
    question_templates: ClassVar[Mapping[str, Pool]] = {
        "absent_text": Pool("safety/counterfactual_questions", ("word",))
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
        return of_page(page, "absent_text", SAY[page.language].format(word=word), {"word": word})
