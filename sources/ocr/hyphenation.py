"""Where words may be broken at the end of a line, by the patterns of their language."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sources.ocr.blocks import SOFT_HYPHEN

if TYPE_CHECKING:
    from pyphen import Pyphen

MIN_BROKEN = 6  # least number of letters of a word that may be broken
LEFT, RIGHT = 2, 3  # least number of letters before and after a hyphen
PATTERNS = {"en": "en_US", "nb": "nb_NO", "pt": "pt_PT"}  # of several dictionaries of a language; others: the language
CAPITALS_ARE_NAMES = ("en",)  # where names are not broken; in German every noun has a capital
_WORD = re.compile(rf"[^\W\d_]{{{MIN_BROKEN},}}")


def add_soft_hyphens(text: str, language: str) -> str:
    """Insert soft hyphens where the patterns of a language allow a break; without patterns, return the text."""
    patterns = _patterns(language)
    if patterns is None:
        return text

    def hyphenate(found: re.Match[str]) -> str:
        word = found[0]
        if word[0].isupper() and language in CAPITALS_ARE_NAMES:
            return word
        # A position with data changes the spelling of the word ("asszony", "asz-szony").
        breaks = [k for k in patterns.positions(word) if getattr(k, "data", None) is None]
        ends = [0, *(int(k) for k in breaks if LEFT <= k <= len(word) - RIGHT), len(word)]
        return SOFT_HYPHEN.join(word[a:b] for a, b in pairwise(ends))

    return _WORD.sub(hyphenate, text)


@lru_cache(maxsize=32)
def _patterns(language: str) -> "Pyphen | None":
    import pyphen  # an optional dependency

    name = pyphen.language_fallback(PATTERNS.get(language, language))
    return pyphen.Pyphen(lang=name, left=LEFT, right=RIGHT) if name else None
