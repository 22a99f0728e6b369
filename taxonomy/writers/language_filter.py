"""Transcription of one script: the Chinese text of a page, or the Latin words of a Chinese page."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "recognition/ocr_and_transcription/specified_language"
CHINESE = re.compile("[\u3400-\u9fff]+(?:[，。、；：！？“”《》（）]+[\u3400-\u9fff]+)*[。！？]?")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?: [A-Za-z][A-Za-z'’-]*)*")
NONE = {"en": "none", "zh": "无"}
MAX_RUNS = 60
NONE_SHARE = 0.25  # share of the pages without the script that are asked about it nevertheless


class LanguageFilter(Writer):
    """Asks for every run of the script that is not the page's main one; the answer has one run per line, or `none`."""

    name = "language_filter"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "chinese_text": QuestionKind(LEAF),
        "latin_words": QuestionKind(LEAF),
    }
    needs = ("text",)
    written_share = 0.2

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        kind, pattern = ("latin_words", LATIN) if page.language == "zh" else ("chinese_text", CHINESE)
        runs = pattern.findall(page.text)
        if not page.text or len(runs) > MAX_RUNS or (not runs and rng.random() >= NONE_SHARE):
            return None
        return about_page(page, kind, "\n".join(runs) or NONE[page.language])
