"""Transcription of one script on a page in another: its words, or the statement that there are none."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.sentences import KANA
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.printed import printed_text
from taxonomy.writers.quotable import is_damaged
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

SCRIPTS: Mapping[str, tuple[str, str, str]] = {  # name in English, name in Chinese, its letters
    "chinese": ("Chinese", "中文", "\u3400-\u9fff"),
    "latin": ("Latin-script", "拉丁字母", "A-Za-zÀ-ÖØ-öø-ɏ"),
    "cyrillic": ("Cyrillic", "西里尔字母", "\u0400-\u04ff"),
    "greek": ("Greek", "希腊字母", "\u0370-\u03ff\u1f00-\u1fff"),
    "arabic": ("Arabic", "阿拉伯文", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc\u200c"),
    "hebrew": ("Hebrew", "希伯来文", "\u0590-\u05ff"),
    "hangul": ("Korean", "韩文", "\uac00-\ud7af"),
    "kana": ("Japanese", "日文", "\u3040-\u30ff"),
    "devanagari": ("Devanagari", "天城文", "\u0900-\u097f"),
    "thai": ("Thai", "泰文", "\u0e00-\u0e7f"),
}
_SPACED = "(?<![\\w]){letters}{{2,}}(?:[ '’-]{letters}{{2,}})*(?![\\w])"
_UNSPACED = "{letters}+(?:[，。、；：！？“”《》（）]+{letters}+)*[。！？]?"
_WORDS = {
    script: re.compile((_UNSPACED if script in ("chinese", "kana", "thai") else _SPACED).format(letters=f"[{letters}]"))
    for script, (_, _, letters) in SCRIPTS.items()
}
_LETTERS = {script: re.compile(f"[{letters}]") for script, (_, _, letters) in SCRIPTS.items()}
MAX_RUNS = 40
MAX_SHARE = 0.5  # of the page's letters; a script that has more is the page's main one
SOME, NONE = "some", "none"
NOTHING = {"en": "There is none on this page.", "zh": "这一页上没有。"}


class LanguageFilter(Writer):
    """Asks for the words in a script that is not the page's main one; only about pages that have a second script.

    Without that condition the answer would be “none” on nearly every page, and the question would teach it.
    """

    name = "language_filter"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "one_script": QuestionKind("recognition/ocr_and_transcription/specified_language", ("script",))
    }
    needs = ("text",)
    written_share = 0.05

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        if KANA.search(page.text):  # Japanese mixes Chinese characters and kana within a word
            return None
        if any(is_damaged(line) for line in page.lines):  # ligatures that fonts call ideographs
            return None
        text = printed_text(page)  # the tags of a table's cells are no words in Latin letters
        letters = sum(letter.isalpha() for letter in text)
        shares = {script: len(pattern.findall(text)) / max(1, letters) for script, pattern in _LETTERS.items()}
        second = {
            script: runs
            for script, share in shares.items()
            if 0 < share < MAX_SHARE and 0 < len(runs := _WORDS[script].findall(text)) <= MAX_RUNS
        }
        # A single letter (μ in a formula) is no word, but the script is not absent either.
        second = {s: runs for s, runs in second.items() if sum(map(len, runs)) >= 0.8 * shares[s] * letters}
        absent = [script for script, share in shares.items() if share == 0]
        if not second or not absent:
            return None
        answer = choices.pick("one_script", (SOME, NONE), rng)
        script = rng.choice(sorted(second) if answer == SOME else absent)
        said = "\n".join(second[script]) if answer == SOME else NOTHING[page.language]
        return about_page(page, "one_script", said, {"script": SCRIPTS[script][page.language == "zh"]})
