"""Transcription: the whole text of the page."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

MIN_CHARS, MAX_CHARS = 20, 8_000


class Transcription(Writer):
    """Asks for all text in reading order, as the source has it."""

    name = "transcription"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "transcription": QuestionKind("recognition/ocr_and_transcription/printed_text")
    }
    needs = ("text",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        if not MIN_CHARS <= len(page.text) <= MAX_CHARS:
            return None
        return about_page(page, "transcription", page.text)
