"""Counting: how often a word stands on the page."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import MIN_WORD, bare
from taxonomy.writers.writer import Conversation, Pool, Writer, of_page

LEAF = "recognition/local_description/counting"
MAX_OCCURRENCES = 12  # more cannot be counted at a glance
MAX_LINES = 25


class Counting(Writer):
    """Occurrences of a word as a whole, in capitals or not; or the lines of text of a page with few of them."""

    name = "counting"
    question_templates: ClassVar[Mapping[str, Pool]] = {"occurrences": Pool(LEAF, ("word",)), "lines": Pool(LEAF)}
    needs = ("text", "words")

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        if page.language == "en" and 2 <= len(page.lines) <= MAX_LINES and rng.random() < 0.3:
            return of_page(page, "lines", str(len(page.lines)))
        counts = Counter(bare(word).casefold() for word in page.words)
        least = MIN_WORD[page.language]
        words = [w for w, n in counts.items() if 2 <= n <= MAX_OCCURRENCES and len(w) >= least and w.isalpha()]
        # A word that is part of a longer one, or broken at a line's end somewhere, could be counted in two ways.
        joined, flat = "\n".join(counts), page.text.casefold()
        words = [w for w in words if joined.count(w) == 1 and flat.count(w) == counts[w]]
        if not words:
            return None
        word = rng.choice(sorted(words))
        return of_page(page, "occurrences", str(counts[word]), {"word": word})
