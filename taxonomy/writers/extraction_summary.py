"""Extractive summary: the page's heading and the first sentence of each of its first paragraphs."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.page import SENTENCE, is_sentence
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

MAX_HEADING = 90
MAX_BEFORE = 3  # paragraphs that may be the heading: a running head may come first
NUM_PARAGRAPHS = 3
MIN_HEIGHT = 1.15  # times the median height of the page's words: a heading is set in larger type


class ExtractionSummary(Writer):
    """Quotes and never rephrases: that would need a model, and the answer would no longer follow from the page."""

    name = "extraction_summary"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "extraction_summary": QuestionKind("conversion/image_to_text/text_summary")
    }
    needs = ("text", "words")
    written_share = 0.27

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        glue = "" if page.language == "zh" else " "
        paragraphs = [glue.join(p.split("\n")).strip() for p in re.split(r"\n\s*\n", page.text)]
        heading = next((j for j, text in enumerate(paragraphs[:MAX_BEFORE]) if _is_heading(text, page)), None)
        if heading is None:
            return None
        firsts = [SENTENCE.match(paragraph) for paragraph in paragraphs[heading + 1 :]]
        sentences = [m[0] for m in firsts if m is not None and is_sentence(m[0], page.language)][:NUM_PARAGRAPHS]
        if len(sentences) < 2:
            return None
        answer = "\n".join([paragraphs[heading], *(f"- {sentence}" for sentence in sentences)])
        return about_page(page, "extraction_summary", answer)


def _is_heading(text: str, page: GroundTruth) -> bool:
    """Return True for a short line in larger type that is not a sentence."""
    if not 3 <= len(text) <= MAX_HEADING or SENTENCE.fullmatch(text):
        return False
    words = text.split()
    heights = page.boxes[:, 3] - page.boxes[:, 1]
    starts = [k for k in range(len(page.words) - len(words) + 1) if page.words[k : k + len(words)] == words]
    if not starts:
        return False
    return bool(heights[starts[0] : starts[0] + len(words)].min() >= MIN_HEIGHT * np.median(heights))
