"""Words of a paper's pages and of its markup as runs of letters and digits that can be compared."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from sources.papers.blocks import Block, Stream
from sources.text.words import LayoutWords

_MARKS = "\ue000-\ue005"
_CJK = "\u2e80-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_ATOM = re.compile(rf"\ue010(\d+)\ue011|[{_CJK}]|(?:(?![{_CJK}])[^\W\d_])(?:[{_MARKS}]*(?![{_CJK}])[^\W\d_])*|\d+")
_RUN = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W\d_])+|\d+")
_NOT_LETTERS = re.compile(r"[^\w]|_")
_HYPHENS = ("-", "\xad", "‐")
_ONLY_NUMBER = re.compile(r"\W*(?:page\s*)?(?:\d{1,4}|[ivxlc]{1,7}|[A-Z]?-?\d{1,3})\W*|\d+\s*(?:of|/)\s*\d+", re.I)
_NUMBER = re.compile(r"^\W*(\d{1,4})\b|\b(\d{1,4})\W*$")
_DIGITS = re.compile(r"\d+")
GAP = 0.6  # in heights of a line: white between a running head and the text
MAX_HEAD_CHARS = 160
MAX_HEAD_HEIGHT = 1.2  # of a running head, in heights of the page's usual words


@lru_cache(maxsize=200_000)
def key_of(text: str) -> str:
    """Return the letters and digits of a text without case and accents."""
    if text.isascii():
        return _NOT_LETTERS.sub("", text).lower()
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Atom:
    """A word or an object of the markup.

    Args:
        block: number of its block.
        start, end: place in the block's text.
        key: what is compared; empty for objects.
        item: number of the object; -1 for words.
    """

    block: int
    start: int
    end: int
    key: str
    item: int = -1


def atoms_of(blocks: Sequence[Block], stream: Stream) -> list[Atom]:
    """Return the words and objects of a stream in order."""
    found = []
    for number, block in enumerate(blocks):
        if block.stream != stream:
            continue
        for match in _ATOM.finditer(block.text):
            if match[1]:
                found.append(Atom(number, match.start(), match.end(), "", int(match[1])))
            elif key := key_of(match[0]):
                found.append(Atom(number, match.start(), match.end(), key))
    return found


@dataclass(slots=True)
class Tokens:
    """N runs of letters or digits of all pages in the order in which they are drawn, running heads left out.

    Args:
        keys: what is compared.
        pages, words: (N,) page, and word on the page.
        starts, ends: (N,) place in the word's text.
        tails: for a word that is broken at the end of a line, the page, the word and the end of its second half.
    """

    keys: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    tails: dict[int, tuple[int, int, int]] = field(default_factory=dict)


def tokens_of(pages: Sequence[LayoutWords], left_out: Sequence[np.ndarray], known: Collection[str]) -> Tokens:
    """Return the tokens of pages.

    Args:
        left_out: for each page the (N,) mask of its running heads and feet.
        known: words of the markup: a broken word is joined to one of them.
    """
    found = Tokens()
    for page, (words, is_out) in enumerate(zip(pages, left_out, strict=True)):
        for number in np.flatnonzero(~is_out).tolist():
            text = words.texts[number]
            for run in _RUN.finditer(text):
                key = key_of(run[0])
                if not key:
                    continue
                if run.start() == 0 and _is_second_half(found, pages, page, number, key, known):
                    found.keys[-1] += key
                    found.tails[len(found.keys) - 1] = (page, number, run.end())
                    continue
                found.keys.append(key)
                found.pages.append(page)
                found.words.append(number)
                found.starts.append(run.start())
                found.ends.append(run.end())
    return found


def _is_second_half(
    found: Tokens, pages: Sequence[LayoutWords], page: int, number: int, key: str, known: Collection[str]
) -> bool:
    if not found.keys or found.words[-1] == number or len(found.keys) - 1 in found.tails:
        return False
    words = pages[found.pages[-1]]
    text, end = words.texts[found.words[-1]], found.ends[-1]
    if text[end:] not in _HYPHENS or found.keys[-1] + key not in known:
        return False
    return found.pages[-1] != page or words.lines[found.words[-1]] != words.lines[number]


def running_heads(pages: Sequence[LayoutWords]) -> list[np.ndarray]:
    """Return for each page the (N,) mask of the words of its running head and foot."""
    edges = [[_edge(words, is_top=is_top) for words in pages] for is_top in (True, False)]
    masks = [np.zeros(len(words.texts), np.bool_) for words in pages]
    for of_pages in edges:
        texts = Counter(_DIGITS.sub("", text) for _, text, _ in of_pages if text)
        heights = Counter(place for _, text, place in of_pages if text)
        shifts = Counter(shift for page, (_, text, _) in enumerate(of_pages) for shift in _shifts(text, page))
        for page, (chosen, text, place) in enumerate(of_pages):
            if not text or len(text) > MAX_HEAD_CHARS or _is_large(pages[page], chosen):
                continue
            is_in_place = sum(heights[place + shift] for shift in (-1, 0, 1)) > 2
            is_counted = any(shifts[shift] > 1 for shift in _shifts(text, page))
            is_repeated = texts[_DIGITS.sub("", text)] > 1
            if _ONLY_NUMBER.fullmatch(text) or (is_in_place and (is_repeated or is_counted)):
                masks[page][chosen] = True
    return masks


def _is_large(words: LayoutWords, chosen: np.ndarray) -> bool:
    """Return True if a line is larger than the text of its page, as headings are and running heads are not."""
    heights = words.boxes[:, 3] - words.boxes[:, 1]
    return bool(np.median(heights[chosen]) > MAX_HEAD_HEIGHT * np.median(heights))


def _shifts(text: str, page: int) -> set[int]:
    """Differences between the numbers at the ends of a line and the page's."""
    return {int(first or last) - page for first, last in _NUMBER.findall(text)}


def _edge(words: LayoutWords, *, is_top: bool) -> tuple[np.ndarray, str, int]:
    """Return the words of the first or last line, its text, and its height in units of three points.

    The text is empty if the line is not apart from the others.
    """
    if not len(words.texts):
        return np.zeros(0, np.int64), "", 0
    y0, y1 = words.boxes[:, 1], words.boxes[:, 3]
    if not is_top:
        y0, y1 = -y1, -y0
    first = int(np.argmin(y0))
    height = float(y1[first] - y0[first])
    chosen = np.flatnonzero(y0 < y0[first] + 0.7 * height)
    rest = y0[y0 >= y0[first] + 0.7 * height]
    is_apart = not len(rest) or rest.min() - y1[chosen].max() > GAP * height
    text = " ".join(words.texts[k] for k in chosen.tolist()) if is_apart else ""
    return chosen, text, round(float(y0[first]) / 3)
