"""Location of a text: the box of a word that occurs once on the page."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from sources.images.boxes import scaled
from taxonomy.writers.page import bare, unique_words
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page


class TextLocation(Writer):
    """Asks for a word's box as `[x0, y0, x1, y1]`, in thousandths of the image's sides."""

    name = "text_location"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "text_location": QuestionKind("recognition/local_description/position", ("word",))
    }
    needs = ("words",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        candidates = unique_words(page)
        if not candidates:
            return None
        word = rng.choice(candidates)
        answer = scaled(page.boxes[word], *page.sample.image_sizes()[0])
        return about_page(page, "text_location", answer, {"word": bare(page.words[word])})
