"""Reading order: which line comes next, or how shuffled lines are ordered."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "recognition/ocr_and_transcription/printed_text"
MIN_CHARS = 12
NUM_SHUFFLED = 4


class ReadingOrder(Writer):
    """Asks about lines that occur once in the page's text."""

    name = "reading_order"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "next_line": QuestionKind(LEAF, ("line",)),
        "sort_lines": QuestionKind(LEAF, ("lines",)),
    }
    needs = ("text",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        counts = Counter(page.lines)
        clear = [j for j, line in enumerate(page.lines) if counts[line] == 1 and MIN_CHARS <= len(line) <= 200]
        if rng.random() < 0.5:
            follows = [j for j in clear[:-1] if j + 1 < len(page.lines)]
            if not follows:
                return None
            j = rng.choice(follows)
            return about_page(page, "next_line", page.lines[j + 1], {"line": page.lines[j]})
        if len(clear) < NUM_SHUFFLED:
            return None
        ordered = [page.lines[j] for j in sorted(rng.sample(clear, NUM_SHUFFLED))]
        shuffled = rng.sample(ordered, NUM_SHUFFLED)
        return about_page(
            page, "sort_lines", "\n".join(ordered), {"lines": "\n".join(f"- {line}" for line in shuffled)}
        )
