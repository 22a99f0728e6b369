"""Extractive summary of a section: its first sentence, or the first sentence of each of its paragraphs, quoted."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.writer import Conversation, QuestionKind, Subject, Writer, about_page

LEAF = "conversion/image_to_text/text_summary"


class ExtractionSummary(Writer):
    """Quotes and never rephrases: that would need a model, and the answer would no longer follow from the page."""

    name = "extraction_summary"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "extraction_summary": QuestionKind(LEAF, ("heading",)),
        "lead_sentence": QuestionKind(LEAF, ("heading",)),
    }
    needs = ("section",)
    written_share = 0.07

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        complete = [section for section in page.sections if len(section.first_sentences) > 1]
        section = rng.choice(complete or page.sections)
        values = {"heading": section.heading}
        if complete:
            answer = "\n".join(f"- {sentence}" for sentence in section.first_sentences)
            return about_page(page, "extraction_summary", answer, values)
        subject = Subject("sentence", page.words_of(section.lead), section.lead)
        return about_page(page, "lead_sentence", section.lead, values, subject)
