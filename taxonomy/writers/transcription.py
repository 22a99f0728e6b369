"""Transcription: the whole text of the page."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import squeezed
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

MIN_CHARS, MAX_CHARS = 20, 8_000
MIN_PRINTED = 0.9  # share of the text's words that are in the picture; a description of a chart is not its text


class Transcription(Writer):
    """Asks for all text in reading order, as the source has it."""

    name = "transcription"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "transcription": QuestionKind("recognition/ocr_and_transcription/printed_text")
    }
    needs = ("text",)

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        if not MIN_CHARS <= len(page.text) <= MAX_CHARS or printed_share(page) < MIN_PRINTED or not page.is_transcribed:
            return None
        return about_page(page, "transcription", page.text)


def printed_share(page: Page) -> float:
    """Return the share of the text's words that the picture's words contain, 0 to 1."""
    printed = squeezed("".join(page.words)).casefold()
    words = [word.casefold() for word in page.text.split() if any(letter.isalnum() for letter in word)]
    return sum(word in printed for word in words) / max(1, len(words))
