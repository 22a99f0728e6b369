"""Counting: the number of occurrences of a word on the page, or of lines of text."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import MIN_WORD, Page
from taxonomy.writers.quotable import bare
from taxonomy.writers.rows import is_readable
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

LEAF = "recognition/local_description/counting"
MAX_OCCURRENCES = 6  # more cannot be counted at a glance
MIN_LINES, MAX_LINES = 3, 20


class Counting(Writer):
    """Asks for the occurrences of a whole word, regardless of case, or for the lines of a page with few of them."""

    name = "counting"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "occurrences": QuestionKind(LEAF, ("word",)),
        "lines": QuestionKind(LEAF),
    }
    needs = ("text", "words")

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        num = len(page.lines)
        is_clear = MIN_LINES <= num <= MAX_LINES and len(page.clear_lines) == num == len(page.rows)
        if is_clear and rng.random() < 0.5:
            return about_page(page, "lines", str(num))
        by_count: dict[str, list[str]] = {}
        for word, count in sorted(_countable(page).items()):
            by_count.setdefault(str(count), []).append(word)
        if not by_count:
            return None
        answer = choices.pick("occurrences", sorted(by_count), rng)
        word = rng.choice(by_count[answer])
        places = tuple(j for j, text in enumerate(page.words) if bare(text).casefold() == word)
        subject = Subject("word", places, word) if len(places) == 1 else None
        return about_page(page, "occurrences", answer, {"word": word}, subject)


def _countable(page: Page) -> dict[str, int]:
    """Return words with their number: legible, and in no longer word, hyphenated word or address."""
    bares = [bare(word).casefold() for word in page.words]
    counts = Counter(bares)
    joined, flat = "\n".join(word.casefold() for word in page.words), page.text.casefold()
    small = {word for word, box in zip(bares, page.boxes, strict=True) if not is_readable(box)}
    return {
        word: num
        for word, num in counts.items()
        if num <= MAX_OCCURRENCES
        and len(word) >= MIN_WORD[page.language]
        and word.isalpha()
        and word not in small
        and joined.count(word) == flat.count(word) == num
    }
