"""Texts that a question can quote: lines and words that are printed as the text has them."""

import re
from collections.abc import Sequence

from sources.base.ground_truth import GroundTruth
from taxonomy.sentences import CHINESE

_EDGE = re.compile(r"^\W+|\W+$")
LEADERS = re.compile(r"(?:[.·…_]\s?){4,}|…{2,}|-{4,}")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\ufffd\ue000-\uf8ff]")
_IDEOGRAPH = "[\u3400-\u9fff]"
# What fonts without a table of characters give: ligatures as ideographs (pa\u7400erns), signs as currencies (3 £ 2).
_WRONG_CHARACTERS = re.compile(rf"[a-z]{_IDEOGRAPH}|{_IDEOGRAPH}[a-z]{{2}}|\w [£¥¤] \w|\b\w(?: \w){{3,}}\b")
MIN_LINE, MAX_LINE = 12, 200  # characters
MIN_LETTERS = 0.6  # share of letters in a line that a question quotes


def is_damaged(text: str) -> bool:
    """Return True if characters are not those that are printed, as far as the text alone shows it."""
    if _INVISIBLE.search(text):
        return True
    return len(CHINESE.findall(text)) * 5 < len(text) and _WRONG_CHARACTERS.search(text) is not None


def bare(word: str) -> str:
    """Return a word without the punctuation around it."""
    return _EDGE.sub("", word)


def is_quotable(text: str, min_chars: int = MIN_LINE) -> bool:
    """Return True if a line is mostly letters and not dots that lead to a page number, nor unreadable characters."""
    length = len("".join(text.split()))
    min_chars = min_chars if CHINESE.search(text) is None else min(min_chars, 6)
    letters = sum(letter.isalpha() for letter in text)
    return (
        min_chars <= length <= MAX_LINE
        and letters >= MIN_LETTERS * length
        and LEADERS.search(text) is None
        and not is_damaged(text)
    )


def text_of(page: GroundTruth, words: Sequence[int]) -> str:
    """Return the words of a row as text."""
    return " ".join(page.words[k] for k in words)


def squeezed(text: str) -> str:
    """Return a text without white space, for comparisons."""
    return "".join(text.split())


def is_wordlike(text: str) -> bool:
    """Return True for letters of one script, in the case of a word: no piece of code, no wrongly decoded name."""
    if not text.isalpha() or (len(text) < 4 and CHINESE.search(text) is None):
        return False
    has_case = [letter.islower() or letter.isupper() for letter in text]
    return not any(has_case) or (all(has_case) and (text[1:].islower() or text.isupper()))
