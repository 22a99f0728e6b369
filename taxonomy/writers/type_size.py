"""Size: which of two words is printed in larger type."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

MIN_RATIO = 1.5  # between the heights of the words' boxes
FIRST, SECOND = "first", "second"


class TypeSize(Writer):
    """Asks about two words whose type differs much; the order of the words decides which one is the answer."""

    name = "type_size"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "type_size": QuestionKind("commonsense_reasoning/relationship/size", ("first", "second"))
    }
    needs = ("words",)
    written_share = 0.27

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        heights = {
            w: float(page.boxes[w][3] - page.boxes[w][1])
            for w in page.unique_words
            if w not in page.taken_apart and not _is_turned(page, w)
        }
        widths = {w: float(page.boxes[w][2] - page.boxes[w][0]) / len(page.words[w]) for w in heights}
        pairs = [
            (large, small)
            for large in heights
            for small in heights
            # Some fonts have tall boxes around small letters: the letters must be wider, too.
            if heights[large] >= MIN_RATIO * heights[small] and widths[large] >= 1.25 * widths[small]
        ]
        if not pairs:
            return None
        large, small = rng.choice(pairs)
        place = choices.pick("type_size", (FIRST, SECOND), rng)
        first, second = (large, small) if place == FIRST else (small, large)
        values = {"first": bare(page.words[first]), "second": bare(page.words[second])}
        return about_page(page, "type_size", bare(page.words[large]), values)


def _is_turned(page: Page, word: int) -> bool:
    """Return True if a word's box is taller than wide: it is turned, and its height is its length."""
    x0, y0, x1, y1 = page.boxes[word]
    return bool(len(page.words[word]) > 1 and y1 - y0 > x1 - x0)
