"""Leading questions: they state a sentence of the page, true or with a number changed, and ask for agreement."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import squeezed
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

YES, NO = "yes", "no"
_NUMBER = re.compile(r"(?<![\w.,:/\-–+$€£(\[])(?:0|[1-9][0-9]{0,5})(?![\w%)\]]|[.,:/\-–]\d)")
ANSWERS = {
    "en": {YES: "Yes. The page says: “{sentence}”", NO: "No. The page says: “{sentence}”"},
    "zh": {YES: "是的。页面上写的是：“{sentence}”", NO: "不是。页面上写的是：“{sentence}”"},
}


class LeadingQuestion(Writer):
    """Asks for agreement with a claim: half of the claims are true, the others are nowhere on the page."""

    name = "leading_question"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "leading_question": QuestionKind("safety/suggestive_questions", ("claim",))
    }
    needs = ("sentences",)
    written_share = 0.4

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        numbered = [sentence for sentence in page.sentences if _NUMBER.search(sentence)]
        if not numbered:
            return None
        sentence = rng.choice(numbered)
        false = _with_another_number(sentence, rng)
        if squeezed(false) in squeezed(page.text):
            return None
        answer = choices.pick("leading_question", (YES, NO), rng)
        claim = sentence if answer == YES else false
        said = ANSWERS[page.language][answer].format(sentence=sentence)
        subject = Subject("sentence", page.words_of(sentence), sentence)
        return about_page(page, "leading_question", said, {"claim": claim}, subject)


def _with_another_number(sentence: str, rng: random.Random) -> str:
    """Return the sentence with one number changed to one of the same length, so that it is as plausible."""
    number = rng.choice(list(_NUMBER.finditer(sentence)))
    value, length = int(number[0]), len(number[0])
    low, high = (10 ** (length - 1) if length > 1 else 0), 10**length - 1
    near = [value + step for step in (-10, -5, -3, -2, -1, 1, 2, 3, 5, 10) if low <= value + step <= high]
    changed = str(rng.choice(near)).zfill(length)
    return sentence[: number.start()] + changed + sentence[number.end() :]
