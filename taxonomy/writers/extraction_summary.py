"""Summary by extraction: the page's heading and the first sentence of its first paragraphs, said to be extracts."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.ground_truth import GroundTruth
from taxonomy.writers.page import SENTENCE
from taxonomy.writers.writer import Conversation, Pool, Writer, of_page

MAX_HEADING = 90
NUM_PARAGRAPHS = 3


class ExtractionSummary(Writer):
    """Nothing is put in other words: that would need a model, and the answer would no longer follow from the page."""

    name = "extraction_summary"
    pools: ClassVar[Mapping[str, Pool]] = {"extraction_summary": Pool("conversion/image_to_text/text_summary")}
    needs = ("text",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        glue = "" if page.language == "zh" else " "
        paragraphs = [glue.join(p.split("\n")).strip() for p in re.split(r"\n\s*\n", page.text)]
        if not paragraphs or not 3 <= len(paragraphs[0]) <= MAX_HEADING or SENTENCE.match(paragraphs[0]):
            return None  # no heading
        firsts = [SENTENCE.match(paragraph) for paragraph in paragraphs[1:]]
        sentences = [m[0].strip() for m in firsts if m is not None and 20 <= len(m[0]) <= 400][:NUM_PARAGRAPHS]
        if len(sentences) < 2:
            return None
        answer = "\n".join([paragraphs[0], *(f"- {sentence}" for sentence in sentences)])
        return of_page(page, "extraction_summary", answer)
