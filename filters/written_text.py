"""Texts that the rules of web-text filters judge, and their words."""

import re

from sources.base.sample import Sample

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]{{1,2}}|[^\\s{_UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")


def is_judged(sample: Sample) -> bool:
    """Return True for a text without images: rules for documents say nothing about captions and conversations."""
    return sample.messages is None and not sample.images and bool((sample.text or "").strip())


def count_unspaced(text: str) -> int:
    """Return the number of characters of scripts without spaces."""
    return 0 if text.isascii() else len(_UNSPACED_CHARACTER.findall(text))


def words_of(text: str) -> tuple[list[str], bool]:
    """Return the words of a text, and True if most of it is in a script without spaces.

    In Thai, Lao, Burmese, Khmer, Chinese and Japanese, two characters count as a word.
    """
    words = text.split()
    if text.isascii():
        return words, False
    is_unspaced = 2 * len(_UNSPACED_CHARACTER.findall(text)) > sum(map(len, words))
    return (_UNSPACED_WORD.findall(text), True) if is_unspaced else (words, False)
