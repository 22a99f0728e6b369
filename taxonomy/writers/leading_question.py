"""Leading questions: they state a sentence of the page with a number changed; the answer corrects it."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import sentences
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

_NUMBER = re.compile(r"(?<![\w.,])\d{1,6}(?![\w]|[.,]\d)")
ANSWERS = {"en": "No. The page says: “{sentence}”", "zh": "不是。页面上写的是：“{sentence}”"}


class LeadingQuestion(Writer):
    """Asks with a false claim; the changed sentence is nowhere on the page."""

    name = "leading_question"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "leading_question": QuestionKind("safety/suggestive_questions", ("claim",))
    }
    needs = ("text",)
    written_share = 0.6

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        numbered = [s for s in sentences(page) if _NUMBER.search(s)]
        if not numbered:
            return None
        sentence = rng.choice(numbered)
        number = rng.choice(list(_NUMBER.finditer(sentence)))
        changed = str(int(number[0]) + rng.choice([1, 2, 3, 5, 10]))
        claim = sentence[: number.start()] + changed + sentence[number.end() :]
        if "".join(claim.split()) in "".join(page.text.split()):
            return None
        return about_page(page, "leading_question", ANSWERS[page.language].format(sentence=sentence), {"claim": claim})
