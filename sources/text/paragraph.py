"""Paragraphs in one line: their lines joined, and the words that are broken at the ends of lines."""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from sources.text.hyphens import HYPHENS, SOFT_HYPHEN, Spelling, Vocabulary, language_near, spelling_of, unbroken
from sources.text.scripts import EAST_ASIAN

_EAST_ASIAN_BREAK = re.compile(rf"(?<={EAST_ASIAN.pattern})\n(?={EAST_ASIAN.pattern})")


_BEGINS_ADDRESS = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>()]*[/?&=_#-]$")
_ENDS_ADDRESS = re.compile(r"[\w%~-]+[/.?&=_#][^\s]")  # not a word with a full stop behind it


def _is_inside_address(first: str, second: str) -> bool:
    """Return True if an address is broken at the end of a line: a word would not have a slash or a dot inside."""
    return _BEGINS_ADDRESS.search(first) is not None and _ENDS_ADDRESS.match(second) is not None


class ParagraphJoiner:
    """Joins the lines of the paragraphs of one page, whose words tell how broken words are spelled.

    Args:
        page: the words of every line of the page, in any order.
    """

    def __init__(self, page: Sequence[Sequence[str]]) -> None:
        self._page = [line for line in page if line]

    def __call__(self, lines: Sequence[Sequence[str]]) -> str:
        """Return the words of a paragraph in one line.

        Args:
            lines: the words of every line, none of them empty.
        """
        text = " ".join(lines[0]) if lines else ""
        for before, line in pairwise(lines):
            spelling = self._spelling(before[-1], line[0]) if before[-1].endswith(HYPHENS) else Spelling.SEPARATE
            following = " ".join(line)
            if spelling is Spelling.JOINED:
                text = text[:-1] + following
            elif spelling is Spelling.HYPHENATED:
                text += following.removeprefix("-")
            elif _is_inside_address(before[-1], line[0]):
                text += following
            else:
                text += f"\n{following}"
        if not text.isascii():
            text = _EAST_ASIAN_BREAK.sub("", text).replace(SOFT_HYPHEN, "")
        return text.replace("\n", " ")

    def _spelling(self, first: str, second: str) -> Spelling:
        if len(first) < 2:
            return Spelling.SEPARATE
        return spelling_of(first, second, self._vocabulary, self._language)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        broken = [k for k, line in enumerate(self._page[:-1]) if line[-1].endswith(HYPHENS)]
        return Vocabulary.of(unbroken(self._page, broken))

    @cached_property
    def _language(self) -> str:
        return language_near(self._page, 0)
