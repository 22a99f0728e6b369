"""Simplified Chinese in the characters and the words of Taiwan."""

from functools import lru_cache
from typing import Any

TRADITIONAL = "zh-Hant"


@lru_cache(maxsize=1)
def _converter() -> Any:
    import opencc  # an optional dependency

    return opencc.OpenCC("s2twp")


@lru_cache(maxsize=20_000)
def to_traditional(text: str) -> str:
    """Return a text by OpenCC's table of phrases: `头发` is `頭髮`, `发现` is `發現`, `自行车` is `腳踏車`."""
    return str(_converter().convert(text))


def in_script_of(language: str, text: str) -> str:
    """Return a Chinese text as it is written in a language, `zh` or `zh-Hant`."""
    return to_traditional(text) if language == TRADITIONAL else text
