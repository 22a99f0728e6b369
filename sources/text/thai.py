"""Words of Thai, which has no spaces between words: where lines may be broken, and what has a box."""

import re
from functools import lru_cache
from typing import Any

_RUN = re.compile(r"[\u0e01-\u0e2e\u0e40-\u0e44][\u0e01-\u0e5b]*")
ZERO_WIDTH_SPACE = "\u200b"


def has_thai(text: str) -> bool:
    """Return True if a text has a Thai letter."""
    return _RUN.search(text) is not None


@lru_cache(maxsize=1)
def _parser() -> Any:
    import budoux  # an optional dependency

    return budoux.load_default_thai_parser()


@lru_cache(maxsize=10_000)
def _words_of_run(run: str) -> tuple[str, ...]:
    """Return the words of a run of Thai letters by BudouX, which learned them from ICU's dictionary."""
    words: list[str] = []
    for word in _parser().parse(run):
        if words and not _RUN.match(word):  # no word begins with a mark, a vowel that follows its consonant, or ๆ
            words[-1] += word
        else:
            words.append(word)
    return tuple(words)


def split_thai(token: str) -> list[str]:
    """Return the words of a token without spaces; what is not Thai stays with the word before, or else after it."""
    words: list[str] = []
    end = 0
    for found in _RUN.finditer(token):
        between, end = token[end : found.start()], found.end()
        run = list(_words_of_run(found[0]))
        if words and between:
            words[-1] += between
        elif between:
            run[0] = between + run[0]
        words += run
    rest = token[end:]
    return [*words[:-1], words[-1] + rest] if words else [token] * bool(token)


def mark_breaks(text: str) -> str:
    """Return a text with a zero-width space between the words of Thai, at which every layout engine breaks lines."""
    return _RUN.sub(lambda found: ZERO_WIDTH_SPACE.join(_words_of_run(found[0])), text)
