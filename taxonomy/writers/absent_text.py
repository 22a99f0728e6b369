"""Questions about a word that may be absent: one of the page, or one of a neighbouring page that this page lacks."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import neighbours
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare, squeezed
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

ABSENT, PRESENT = "absent", "present"
ANSWERS = {
    "en": {ABSENT: "The word “{word}” does not appear on this page.", PRESENT: "It is in this sentence: “{sentence}”"},
    "zh": {ABSENT: "这一页上没有“{word}”这个词。", PRESENT: "它在这句话里：“{sentence}”"},
}


class AbsentText(Writer):
    """Asks where a word is said; the answer quotes its sentence, or says that the page does not have the word."""

    name = "absent_text"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "absent_text": QuestionKind("safety/counterfactual_questions", ("word",))
    }
    needs = ("sentences", "pages")
    written_share = 0.65

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        here = squeezed(page.text + "".join(page.words)).casefold()
        others = [bare(pages[j].words[w]) for j in neighbours(pages, k) for w in pages[j].unique_words]
        absent = [word for word in others if word.casefold() not in here]
        places = {word: sentence for sentence in page.sentences for word in _words_in(page, sentence)}
        if not absent or not places:
            return None
        answer = choices.pick("absent_text", (ABSENT, PRESENT), rng)
        word = rng.choice(absent if answer == ABSENT else sorted(places))
        sentence = places.get(word, "")
        said = ANSWERS[page.language][answer].format(word=word, sentence=sentence)
        subject = Subject("sentence", page.words_of(sentence), sentence) if answer == PRESENT else None
        return about_page(page, "absent_text", said, {"word": word}, subject)


def _words_in(page: Page, sentence: str) -> list[str]:
    """Return the words of a sentence that are on the page once."""
    inside = page.words_of(sentence)
    return [bare(page.words[w]) for w in page.unique_words if w in inside]
