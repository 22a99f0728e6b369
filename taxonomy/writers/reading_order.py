"""Reading order: which line comes next, or how shuffled lines are ordered."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Line, Page
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

LEAF = "recognition/ocr_and_transcription/printed_text"
NUM_SHUFFLED = 4


class ReadingOrder(Writer):
    """Asks about lines that follow each other in the text and lie directly below each other in the picture."""

    name = "reading_order"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "next_line": QuestionKind(LEAF, ("line",)),
        "sort_lines": QuestionKind(LEAF, ("lines",)),
    }
    needs = ("lines",)
    written_share = 0.7

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        if rng.random() < 0.5:
            pairs = [(line, after) for line in page.clear_lines if (after := page.line_after(line))]
            if not pairs:
                return None
            line, after = rng.choice(pairs)
            subject = Subject("line", after.words, after.text)
            return about_page(page, "next_line", after.text, {"line": line.text}, subject)
        runs = [run for run in _runs(page) if len(run) >= NUM_SHUFFLED]
        if not runs:
            return None
        run = rng.choice(runs)
        ordered = [run[j].text for j in sorted(rng.sample(range(len(run)), NUM_SHUFFLED))]
        shuffled = rng.sample(ordered, NUM_SHUFFLED)
        values = {"lines": "\n".join(f"- {line}" for line in shuffled)}
        return about_page(page, "sort_lines", "\n".join(ordered), values)


def _runs(page: Page) -> list[list[Line]]:
    """Return the runs of clear lines of one column."""
    runs: list[list[Line]] = []
    for line in page.clear_lines:
        previous = runs[-1][-1] if runs else None
        after = page.line_after(previous) if previous is not None else None
        if after is not None and after.number == line.number:
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs
