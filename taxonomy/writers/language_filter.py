"""Transcription of one script: the Chinese text of a page, or the words in Latin letters on a Chinese one."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, Pool, Writer, of_page

LEAF = "recognition/ocr_and_transcription/specified_language"
CHINESE = re.compile("[\u3400-\u9fff]+(?:[，。、；：！？“”《》（）]+[\u3400-\u9fff]+)*[。！？]?")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?: [A-Za-z][A-Za-z'’-]*)*")
NONE = {"en": "none", "zh": "无"}
MAX_RUNS = 60
NONE_RATE = 0.25  # of the pages without the script that are asked for it all the same


class LanguageFilter(Writer):
    """Every run of the script that the page is not mainly in on a line of its own; `none` where there is nothing."""

    name = "language_filter"
    question_templates: ClassVar[Mapping[str, Pool]] = {"chinese_text": Pool(LEAF), "latin_words": Pool(LEAF)}
    needs = ("text",)
    written = 0.2

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        pool, pattern = ("latin_words", LATIN) if page.language == "zh" else ("chinese_text", CHINESE)
        runs = pattern.findall(page.text)
        if not page.text or len(runs) > MAX_RUNS or (not runs and rng.random() >= NONE_RATE):
            return None
        return of_page(page, pool, "\n".join(runs) or NONE[page.language])
