"""Transcription of one script: the Chinese text of a page, or its words in Latin letters."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, Pool, Writer, of_page

LEAF = "recognition/ocr_and_transcription/specified_language"
CHINESE = re.compile("[\u3400-\u9fff]+(?:[，。、；：！？“”《》（）]+[\u3400-\u9fff]+)*[。！？]?")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?: [A-Za-z][A-Za-z'’-]*)*")
NONE = {"en": "none", "zh": "无"}
MAX_RUNS = 60


class LanguageFilter(Writer):
    """Every run of one script on a line of its own; `none` where the page has nothing of it."""

    name = "language_filter"
    pools: ClassVar[Mapping[str, Pool]] = {"chinese_text": Pool(LEAF), "latin_words": Pool(LEAF)}
    needs = ("text",)

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        page = pages[k]
        if len(page.text) < 20:
            return None
        # A page of one language is asked for the other more often than for its own: that is a plain transcription.
        other, own = ("latin_words", LATIN), ("chinese_text", CHINESE)
        if page.language == "en":
            other, own = own, other
        pool, pattern = other if pool_has(other[1], page) or rng.random() < 0.5 else own
        runs = pattern.findall(page.text)
        if len(runs) > MAX_RUNS:
            return None
        return of_page(page, pool, "\n".join(runs) or NONE[page.language])


def pool_has(pattern: re.Pattern[str], page: GroundTruth) -> bool:
    """Whether the page has anything of a script."""
    return pattern.search(page.text) is not None
