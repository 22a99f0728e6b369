"""Counting: the number of occurrences of a word on the page, or of lines of text."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import MIN_WORD, bare
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "recognition/local_description/counting"
MAX_OCCURRENCES = 12  # more cannot be counted at a glance
MAX_LINES = 25


class Counting(Writer):
    """Asks for the occurrences of a whole word, regardless of case, or for the lines of text if there are few."""

    name = "counting"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "occurrences": QuestionKind(LEAF, ("word",)),
        "lines": QuestionKind(LEAF),
    }
    needs = ("text", "words")

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        if page.language == "en" and 2 <= len(page.lines) <= MAX_LINES and rng.random() < 0.3:
            return about_page(page, "lines", str(len(page.lines)))
        counts = Counter(bare(word).casefold() for word in page.words)
        min_length = MIN_WORD[page.language]
        words = [w for w, n in counts.items() if 2 <= n <= MAX_OCCURRENCES and len(w) >= min_length and w.isalpha()]
        # A word that is also part of a longer one, or is hyphenated somewhere, could be counted in two ways.
        joined, flat = "\n".join(counts), page.text.casefold()
        words = [w for w in words if joined.count(w) == 1 and flat.count(w) == counts[w]]
        if not words:
            return None
        word = rng.choice(sorted(words))
        return about_page(page, "occurrences", str(counts[word]), {"word": word})
