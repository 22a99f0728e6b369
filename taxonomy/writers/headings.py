"""Headings of a page, from its boxes: sections with their first sentences, and the title."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sources.base.sample import Sample
from sources.images.boxes import hull
from taxonomy.sentences import CHINESE, Sentence
from taxonomy.writers.quotable import is_quotable
from taxonomy.writers.rows import is_ascending

_NO_TITLE = re.compile(r"https?:|www\.|^(?:Figure|Fig\.|Table|Abb|Tab|图|表) ?\d|\D\d$")  # a caption, a footnote's mark
MIN_HEADING = 1.15  # height of a heading, in median heights of the page's words
MIN_TITLE = 1.4  # height of a title, likewise
MAX_HEADING = 90  # characters
MAX_SECTION_GAP = 3.5  # between a heading and its paragraph, in heights of the heading
MIN_LEAD = 7  # words of a first sentence; shorter ones are key words and headings that are run into their paragraph


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the sentence that its own paragraph begins with.

    Args:
        first_sentences: first sentence of every paragraph up to the next heading; empty if one of them is not certain.
    """

    heading: str
    lead: str
    first_sentences: tuple[str, ...]


class PageText(Protocol):
    """What the headings are looked for in: `taxonomy.writers.page.Page`, which keeps what is found."""

    @property
    def sample(self) -> Sample: ...

    @property
    def language(self) -> str: ...

    @property
    def words(self) -> Sequence[str]: ...

    @property
    def boxes(self) -> np.ndarray: ...

    @property
    def height(self) -> float: ...

    @property
    def paragraphs(self) -> list[str]: ...

    def words_of(self, text: str) -> tuple[int, ...]: ...

    def sentences_in(self, paragraph: str) -> list[Sentence]: ...

    def is_printed(self, text: str, paragraph: str) -> bool: ...


def sections_of(page: PageText) -> list[Section]:
    """Headings whose own paragraph is directly below them in the picture and begins with a whole sentence."""
    found = []
    for k, text in enumerate(page.paragraphs):
        words = page.words_of(text)
        ratio = MIN_HEADING if k else MIN_TITLE  # a smaller first line is a running head
        if _is_heading(page, text, words, ratio):
            firsts, is_complete = _first_sentences(page, words, page.paragraphs[k + 1 :])
            if firsts:
                found.append(Section(text, firsts[0], tuple(firsts if is_complete else ())))
    return found


def _first_sentences(page: PageText, heading: Sequence[int], following: Sequence[str]) -> tuple[list[str], bool]:
    """Return the first sentences of a section's paragraphs, and whether they are all of them.

    The section ends at the next heading, or where the text goes on far below, as a footer does.
    """
    firsts: list[str] = []
    size, above = _size(page, heading), hull(page.boxes[list(heading)])
    for paragraph in following:
        words = page.words_of(paragraph)
        if paragraph.isdecimal():  # the page's number
            continue
        if not words:
            return firsts, False
        if _size(page, words) >= 0.95 * size or _is_heading(page, paragraph, words):
            break
        box = hull(page.boxes[list(words)])
        gap, overlap = box[1] - above[3], min(box[2], above[2]) - max(box[0], above[0])
        if gap > MAX_SECTION_GAP * size:
            break
        if gap < -0.3 * size or overlap < 0.5 * min(above[2] - above[0], box[2] - box[0]):
            return firsts, False  # it goes on in another column
        first = page.sentences_in(paragraph)[:1]
        if not first or not first[0].is_whole or not page.is_printed(first[0].text, paragraph):
            return firsts, False
        if CHINESE.search(first[0].text) is None and len(first[0].text.split()) < MIN_LEAD:
            return firsts, False
        firsts.append(first[0].text)
        above = box
    return firsts, True


def _size(page: PageText, words: Sequence[int]) -> float:
    boxes = page.boxes[list(words)]
    return float(np.median(boxes[:, 3] - boxes[:, 1]))


def _is_heading(page: PageText, text: str, words: Sequence[int], ratio: float = MIN_HEADING) -> bool:
    """Return True for a short line in larger type that is neither a sentence nor a list of numbers."""
    if not words or not 3 <= len(text) <= MAX_HEADING or text[-1:] in ".,;。，；" or not is_quotable(text, 3):
        return False
    boxes = page.boxes[list(words)]
    is_row = bool((boxes[:, 1].max() < boxes[:, 3].min()) and is_ascending(boxes))
    return is_row and float((boxes[:, 3] - boxes[:, 1]).min()) >= ratio * page.height


def title_of(page: PageText) -> str | None:
    """The heading in the largest type, if it is in the upper third of the picture and no other text is as large."""
    heights = page.boxes[:, 3] - page.boxes[:, 1]
    for text in page.paragraphs[:6]:
        words = page.words_of(text)
        if not _is_heading(page, text, words, MIN_TITLE) or len(text) < (3 if page.language == "zh" else 8):
            continue
        if _NO_TITLE.search(text):
            continue
        others = np.ones(len(page.words), bool)
        others[list(words)] = False
        is_largest = not others.any() or heights[others].max() < 0.93 * heights[list(words)].min()
        if is_largest and hull(page.boxes[list(words)])[3] < page.sample.images[0].height / 3:
            return text
    return None
