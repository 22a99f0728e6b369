"""Summary by extraction: the page's heading and the first sentence of its first paragraphs, said to be extracts."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.ground_truth import GroundTruth
from taxonomy.writers.page import SENTENCE, is_sentence
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
        if not _is_heading(paragraphs[0]):
            return None
        firsts = [SENTENCE.match(paragraph) for paragraph in paragraphs[1:]]
        sentences = [m[0] for m in firsts if m is not None and is_sentence(m[0], page.language)][:NUM_PARAGRAPHS]
        if len(sentences) < 2:
            return None
        answer = "\n".join([paragraphs[0], *(f"- {sentence}" for sentence in sentences)])
        return of_page(page, "extraction_summary", answer)


def _is_heading(line: str) -> bool:
    """A short line that is no sentence, and no running head with its page number."""
    has_number = line[:1].isdigit() or line[-1:].isdigit()
    return 3 <= len(line) <= MAX_HEADING and not has_number and SENTENCE.fullmatch(line) is None
