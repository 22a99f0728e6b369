"""The title of a page: what it is about, in its own words."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page


class Title(Writer):
    """Asks for the subject of a page that states it in the largest type at its top."""

    name = "title"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "title": QuestionKind("recognition/global_description/theme")
    }
    needs = ("title",)
    written_share = 0.1

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        assert page.title is not None
        subject = Subject("line", page.words_of(page.title), page.title)
        return about_page(page, "title", page.title, subject=subject)
