"""Location of a text: the box of a word that occurs once on the page."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.images.boxes import scaled
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import bare
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page


class TextLocation(Writer):
    """Asks for a word's box as `[x0, y0, x1, y1]`, in thousandths of the image's sides."""

    name = "text_location"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "text_location": QuestionKind("recognition/local_description/position", ("word",))
    }
    needs = ("words",)

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        if not page.unique_words:
            return None
        word = rng.choice(page.unique_words)
        answer, text = scaled(page.boxes[word], *page.sample.image_sizes()[0]), bare(page.words[word])
        return about_page(page, "text_location", answer, {"word": text}, Subject("word", (word,), text))
