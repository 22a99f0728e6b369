"""Association: the line that two pages have in common."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.needs import neighbours
from taxonomy.writers.page import Page
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages


class CommonLine(Writer):
    """Asks for the only line that is on both pages: a running head, a repeated title."""

    name = "common_line"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "common_line": QuestionKind("multi_image/comparison/association")
    }
    needs = ("lines", "pages")
    written_share = 0.03

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        for other in (pages[j] for j in neighbours(pages, k)):
            shared = {line.text for line in page.clear_lines} & {line.text for line in other.clear_lines}
            if len(shared) == 1 and set(page.lines) & set(other.lines) == shared:
                pair = rng.sample([page, other], 2)
                return about_pages(pair, "common_line", next(iter(shared)))
        return None
