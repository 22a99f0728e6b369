"""Texts of the vocabulary, which are pairs of English and Chinese, and the checks that entries share."""

import math
from collections.abc import Sequence
from typing import ClassVar

from pydantic import ConfigDict

from sources.charts.noun import DEGREES

LANGUAGES = ("en", "zh")
MAX_NUMBER = 1e12  # larger numbers do not fit at an axis
MIN_ITEMS = 4  # least length of a list
Text = tuple[str, str]  # English, Chinese


def localize(text: Text, language: str) -> str:
    """Return a text in one of LANGUAGES."""
    return text[LANGUAGES.index(language)]


def lower_first(name: str) -> str:
    """Return a name as inside a sentence: in lower case, unless its second letter is upper case (pH, GDP)."""
    return name if name[1:2].isupper() or not name[1:2].isalpha() else name[0].lower() + name[1:]


class Entry:
    """Base class of entries: unknown keys are rejected."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def check_range(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"low and high must be finite, got {low} and {high}")
    if max(abs(low), abs(high)) > MAX_NUMBER:
        raise ValueError(f"low and high must be between -1e12 and 1e12 to fit into a picture, got {low:g} and {high:g}")
    if low >= high:
        raise ValueError(f"low must be below high, got {low} and {high}")


def check_degree(degree: str) -> None:
    if degree and degree not in DEGREES:
        raise ValueError(f"degree must be one of {', '.join(DEGREES)}, got {degree}")


def check_texts(texts: Sequence[Text], what: str, at_least: int = MIN_ITEMS) -> None:
    if len(texts) < at_least:
        raise ValueError(f"{what} must be at least {at_least}, got {len(texts)}")
    for k, language in enumerate(LANGUAGES):
        names = [text[k].strip() for text in texts]
        if not all(names):
            raise ValueError(f"{what} must all have a text in {language}")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{what} must differ, but {twice[0]!r} is there twice")


def check_decimals(decimals: int, low: float, high: float) -> None:
    if not 0 <= decimals <= 6:
        raise ValueError(f"decimals must be between 0 and 6, got {decimals}")
    if (high - low) * 10**decimals < 10:
        raise ValueError(f"with {decimals} decimals, values between {low} and {high} would hardly differ")
