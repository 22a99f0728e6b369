"""Transcription in a given format: upper case, JSON lines, numbered lines; or only numbers, dates or e-mails."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.printed import has_formulas, printed_lines, printed_text
from taxonomy.writers.transcription import MIN_PRINTED, printed_share
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

LEAF = "recognition/ocr_and_transcription/specified_format"
MAX_LINES, MAX_MATCHES = 70, 60
NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w])")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b\d{{1,2}} (?:{_MONTHS}) \d{{4}}\b|\b(?:{_MONTHS}) \d{{1,2}}, \d{{4}}\b"
    r"|\d{4}年\d{1,2}月\d{1,2}日"
)
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")


def _lines(page: Page) -> list[str]:
    return printed_lines(page) if len(page.lines) <= MAX_LINES else []


def _matches(pattern: re.Pattern[str], min_matches: int) -> Callable[[Page], str | None]:
    def answer(page: Page) -> str | None:
        matches = pattern.findall(printed_text(page))
        return "\n".join(matches) if min_matches <= len(matches) <= MAX_MATCHES else None

    return answer


def _upper(page: Page) -> str | None:
    text = printed_text(page) if _lines(page) else ""
    return text.upper() if any(letter.islower() for letter in text) else None


def _json_lines(page: Page) -> str | None:
    rows = [json.dumps({"line": k, "text": line}, ensure_ascii=False) for k, line in enumerate(_lines(page), start=1)]
    return "\n".join(rows) or None


def _numbered(page: Page) -> str | None:
    return "\n".join(f"{k}. {line}" for k, line in enumerate(_lines(page), start=1)) or None


FORMATS: dict[str, Callable[[Page], str | None]] = {
    "upper_case": _upper,
    "json_lines": _json_lines,
    "numbered_lines": _numbered,
    "only_numbers": _matches(NUMBER, 2),
    "only_dates": _matches(DATE, 1),
    "only_emails": _matches(EMAIL, 1),
}


class Formats(Writer):
    """Asks for the text, or for the parts of it that a pattern matches, in a given format."""

    name = "formats"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {name: QuestionKind(LEAF) for name in FORMATS}
    needs = ("text",)

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        if printed_share(pages[k]) < MIN_PRINTED or not pages[k].is_transcribed or has_formulas(pages[k]):
            return None
        for kind in rng.sample(sorted(FORMATS), len(FORMATS)):
            answer = FORMATS[kind](pages[k])
            if answer:
                return about_page(pages[k], kind, answer)
        return None
