"""A page and its parts that questions can be about: lines, sentences, sections, words, tables that are printed on it.

A part is used only where words with boxes prove that the picture shows it as the text has it: in one row, in the same
order, and once.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from sources.base.ground_truth import GroundTruth, Table
from sources.base.sample import Sample, Words
from sources.images.boxes import hull
from taxonomy.sentences import CHINESE, KANA, Sentence, language_of_text, split_sentences

_EDGE = re.compile(r"^\W+|\W+$")
_LEADERS = re.compile(r"(?:[.·…_]\s?){4,}|…{2,}|-{4,}")
_GLUED = re.compile("(?<=[\u3000-\u9fff\uff00-\uffef])\n|\n(?=[\u3000-\u9fff\uff00-\uffef])")  # Chinese has no spaces
_NO_TITLE = re.compile(r"https?:|www\.|^(?:Figure|Fig\.|Table|Abb|Tab|图|表) ?\d|\D\d$")  # a caption, a footnote's mark
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\ufffd\ue000-\uf8ff]")
MIN_WORD = {"en": 4, "zh": 2}  # letters of a word that a question can be about
MIN_LINE, MAX_LINE = 12, 200  # characters
MIN_LETTERS = 0.6  # share of letters in a line that a question quotes
MAX_GAP = 1.5  # between neighbouring words, in heights of the row
MAX_LEADING = 2.0  # distance between the middles of neighbouring lines, in heights
MIN_HEADING = 1.15  # height of a heading, in median heights of the page's words
MIN_TITLE = 1.4  # height of a title, likewise
MAX_HEADING = 90  # characters
MAX_SECTION_GAP = 3.5  # between a heading and its paragraph, in heights of the heading


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that is one row of words in the picture.

    Args:
        number: its index in `Page.lines`.
        words: indices of its words.
        box: (4,) pixels.
    """

    number: int
    text: str
    words: tuple[int, ...]
    box: np.ndarray


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the sentence that its own paragraph begins with.

    Args:
        first_sentences: first sentence of every paragraph up to the next heading; empty if one of them is not certain.
    """

    heading: str
    lead: str
    first_sentences: tuple[str, ...]


class Page(GroundTruth):
    """The ground truth of one sample, with the parts of its picture."""

    @staticmethod
    def of(sample: Sample) -> "Page":
        """Return the page of a sample. Of a page in several pictures only the words of the first are used."""
        truth = GroundTruth.of(sample)
        return Page(sample, tables=truth.tables, code=truth.code, elements=truth.elements)

    def with_words(self, texts: list[str], boxes: np.ndarray) -> "Page":
        """Return the page with other words on its picture."""
        words = Words(texts=texts, boxes=boxes, images=np.zeros(len(texts), np.int32))
        return Page(dataclasses.replace(self.sample, words=words), self.tables, self.code, self.elements)

    @cached_property
    def text(self) -> str:
        """The text of the picture; empty if the sample has several pictures, because it belongs to all of them."""
        is_one = self.sample.messages is None and len(self.sample.images) == 1
        return self.sample.plain_text() if is_one else ""

    @cached_property
    def language(self) -> str:
        """The language to ask in: `zh` for a page in Chinese (not Japanese), else `en`."""
        text = self.text or " ".join(self.words)
        num_chinese = len(CHINESE.findall(text))
        is_chinese = num_chinese * 5 > len("".join(text.split())) and len(KANA.findall(text)) * 10 < num_chinese
        return "zh" if is_chinese else "en"

    @cached_property
    def written_in(self) -> str:
        """ISO 639-1 code of the rules by which sentences of the page end."""
        return language_of_text(self.text)

    @cached_property
    def height(self) -> float:
        """Median height of the words, in pixels."""
        return float(np.median(self.boxes[:, 3] - self.boxes[:, 1])) if len(self.boxes) else 0.0

    @cached_property
    def _squeezed(self) -> tuple[str, list[int]]:
        """All words without white space, and for each character the index of its word."""
        pieces = ["".join(word.split()) for word in self.words]
        return "".join(pieces), [k for k, piece in enumerate(pieces) for _ in piece]

    def words_of(self, text: str) -> tuple[int, ...]:
        """Return the words that a text consists of, if it is whole words and on the picture exactly once; else none.

        Chinese is printed without spaces, so there the first and the last word may have more text than `text`.
        """
        squeezed, owners = self._squeezed
        wanted = "".join(text.split())
        start = squeezed.find(wanted)
        if not wanted or start < 0 or squeezed.find(wanted, start + 1) >= 0:
            return ()
        end = start + len(wanted)
        is_cut = (start > 0 and owners[start - 1] == owners[start]) or (
            end < len(owners) and owners[end] == owners[end - 1]
        )
        is_spaced = CHINESE.search(wanted) is None
        return () if is_cut and is_spaced else tuple(range(owners[start], owners[end - 1] + 1))

    @cached_property
    def rows(self) -> list[list[int]]:
        """Rows of the page: indices of words next to each other, in reading order; rows do not cross columns."""
        found: list[list[int]] = []
        for k in range(len(self.words)):
            if found and _is_next_to(self.boxes[found[-1][-1]], self.boxes[k]):
                found[-1].append(k)
            else:
                found.append([k])
        return found

    @cached_property
    def clear_lines(self) -> list[Line]:
        """The lines that a question can quote: unique, mostly letters, and one whole row in the picture."""
        rows = {(row[0], row[-1]) for row in self.rows}
        counts = Counter(self.lines)
        found = []
        for number, text in enumerate(self.lines):
            if counts[text] > 1 or not is_quotable(text):
                continue
            words = self.words_of(text)
            if words and (words[0], words[-1]) in rows and squeezed(text_of(self, words)) == squeezed(text):
                found.append(Line(number, text, words, hull(self.boxes[list(words)])))
        return found

    def line_after(self, line: Line) -> Line | None:
        """Return the clear line that is next in the text and directly below in the picture."""
        following = next((other for other in self.clear_lines if other.number == line.number + 1), None)
        return following if following is not None and _is_directly_below(line.box, following.box) else None

    def line_with(self, word: int) -> Line | None:
        """Return the clear line that a word is in."""
        return next((line for line in self.clear_lines if word in line.words), None)

    @cached_property
    def paragraphs(self) -> list[str]:
        """The paragraphs of the text, each without line breaks."""
        flat = [_GLUED.sub("", p).replace("\n", " ").strip() for p in re.split(r"\n\s*\n", self.text)]
        return [paragraph for paragraph in flat if paragraph]

    def sentences_in(self, paragraph: str) -> list[Sentence]:
        """Return the sentences of a paragraph."""
        return split_sentences(paragraph, self.written_in)

    @cached_property
    def sentences(self) -> list[str]:
        """The whole sentences that are on the page once, as contiguous words of one size."""
        return [
            sentence.text
            for paragraph in self.paragraphs
            for sentence in self.sentences_in(paragraph)
            if sentence.is_whole and self._is_printed(sentence.text, paragraph)
        ]

    def sentence_after(self, sentence: str) -> str | None:
        """Return the whole sentence that follows in the same paragraph."""
        for paragraph in self.paragraphs:
            texts = self.sentences_in(paragraph)
            for before, after in pairwise(texts):
                if before.text == sentence and after.is_whole and self._is_printed(after.text, paragraph):
                    return after.text
        return None

    def _is_printed(self, text: str, paragraph: str) -> bool:
        """Return True if a sentence of a paragraph is running text in the picture, without a heading before it."""
        words, around = self.words_of(text), self.words_of(paragraph)
        if not words or not around or _LEADERS.search(text) or _INVISIBLE.search(text):
            return False
        return self._is_running_text(words, around) and not (
            words[0] == around[0] and self.written_in != "de" and self._has_heading(words)
        )

    def _is_running_text(self, words: Sequence[int], paragraph: Sequence[int]) -> bool:
        """Return True if words, in order, are rows of one column in one size: each goes on to the right or below.

        A row that ends before the next word needs the room ends on purpose, as a heading above its paragraph does.
        """
        boxes = self.boxes[list(words)]
        heights = boxes[:, 3] - boxes[:, 1]
        height = max(1.0, float(np.median(heights)))
        right = float(self.boxes[list(paragraph), 2].max())
        step_x, step_y = boxes[1:, 0] - boxes[:-1, 2], boxes[1:, 1] - boxes[:-1, 1]
        goes_on = (np.abs(step_y) < 0.6 * height) & (step_x > -0.4 * height) & (step_x < 3 * height)
        breaks = (step_y >= 0.6 * height) & (step_y < 2.6 * height) & (boxes[1:, 0] < boxes[:-1, 2])
        is_full = boxes[:-1, 2] + (boxes[1:, 2] - boxes[1:, 0]) > right - 0.25 * height
        return bool(heights.max() <= 1.9 * height and (goes_on | (breaks & is_full)).all())

    def _has_heading(self, words: Sequence[int]) -> bool:
        """Return True if the first row may be a heading in bold: the second row begins like a sentence."""
        first = self.boxes[words[0]]
        below = next((w for w in words if self.boxes[w][1] > (first[1] + first[3]) / 2), None)
        if below is None or below == words[0]:
            return False
        return self.words[below][:1].isupper() and self.words[below - 1][-1:].isalnum()

    @cached_property
    def sections(self) -> list[Section]:
        """Headings whose own paragraph is directly below them in the picture and begins with a whole sentence."""
        found = []
        for k, text in enumerate(self.paragraphs):
            words = self.words_of(text)
            if self._is_heading(text, words):
                firsts, is_complete = self._first_sentences(words, self.paragraphs[k + 1 :])
                if firsts:
                    found.append(Section(text, firsts[0], tuple(firsts if is_complete else ())))
        return found

    def _first_sentences(self, heading: Sequence[int], following: Sequence[str]) -> tuple[list[str], bool]:
        """Return the first sentences of a section's paragraphs, and whether they are all of them.

        The section ends at the next heading, or where the text goes on far below, as a footer does.
        """
        firsts: list[str] = []
        size, above = self._size(heading), hull(self.boxes[list(heading)])
        for paragraph in following:
            words = self.words_of(paragraph)
            if paragraph.isdigit():  # the page's number
                continue
            if not words:
                return firsts, False
            if self._size(words) >= 0.95 * size or self._is_heading(paragraph, words):
                break
            box = hull(self.boxes[list(words)])
            gap, overlap = box[1] - above[3], min(box[2], above[2]) - max(box[0], above[0])
            if gap > MAX_SECTION_GAP * size:
                break
            if gap < -0.3 * size or overlap < 0.5 * min(above[2] - above[0], box[2] - box[0]):
                return firsts, False  # it goes on in another column
            first = self.sentences_in(paragraph)[:1]
            if not first or not first[0].is_whole or not self._is_printed(first[0].text, paragraph):
                return firsts, False
            firsts.append(first[0].text)
            above = box
        return firsts, True

    def _size(self, words: Sequence[int]) -> float:
        boxes = self.boxes[list(words)]
        return float(np.median(boxes[:, 3] - boxes[:, 1]))

    def _is_heading(self, text: str, words: Sequence[int], ratio: float = MIN_HEADING) -> bool:
        """Return True for a short line in larger type that is neither a sentence nor a list of numbers."""
        if not words or not 3 <= len(text) <= MAX_HEADING or text[-1:] in ".,;。，；" or not is_quotable(text, 3):
            return False
        boxes = self.boxes[list(words)]
        is_row = bool((boxes[:, 1].max() < boxes[:, 3].min()) and _is_ascending(boxes))
        return is_row and float((boxes[:, 3] - boxes[:, 1]).min()) >= ratio * self.height

    @cached_property
    def title(self) -> str | None:
        """The heading in the largest type, if it is in the upper third of the picture and no other text is as large."""
        heights = self.boxes[:, 3] - self.boxes[:, 1]
        for text in self.paragraphs[:6]:
            words = self.words_of(text)
            if not self._is_heading(text, words, MIN_TITLE) or len(text) < (3 if self.language == "zh" else 8):
                continue
            if _NO_TITLE.search(text):
                continue
            others = np.ones(len(self.words), bool)
            others[list(words)] = False
            is_largest = not others.any() or heights[others].max() < 0.93 * heights[list(words)].min()
            if is_largest and hull(self.boxes[list(words)])[3] < self.sample.images[0].height / 3:
                return text
        return None

    @cached_property
    def unique_words(self) -> list[int]:
        """Words that are long enough and occur once on the page, not within another word either."""
        texts = [bare(word).casefold() for word in self.words]
        counts = Counter(texts)
        joined = "\n".join(texts)
        flat = "".join(self.text.casefold().split())
        min_length = MIN_WORD[self.language]
        return [
            k
            for k, text in enumerate(texts)
            if counts[text] == 1
            and min_length <= len(text) <= 40
            and _is_wordlike(text)
            and joined.count(text) == 1
            and flat.count(text) <= 1
            and is_readable(self.boxes[k])
        ]

    @cached_property
    def printed_tables(self) -> list[Table]:
        """The tables whose header and rows are each printed in one row, one below the other."""
        return [table for table in self.tables if self._prints(table)] if len(self.words) else []

    def _prints(self, table: Table) -> bool:
        rows = ["".join("".join(row).split()) for row in _visual_rows(self.words, self.boxes)]
        place = -1
        for cells in (table.header, *table.rows):
            wanted = "".join("".join(cells).split())
            place = next((k for k in range(place + 1, len(rows)) if wanted and wanted in rows[k]), -1)
            if place < 0:
                return False
        return True


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
        and _LEADERS.search(text) is None
        and _INVISIBLE.search(text) is None
    )


def is_readable(box: np.ndarray) -> bool:
    """Return True if a word is large enough to be read in the picture."""
    return bool(box[3] - box[1] >= 6 and box[2] - box[0] >= 8)


def text_of(page: GroundTruth, words: Sequence[int]) -> str:
    """Return the words of a row as text."""
    return " ".join(page.words[k] for k in words)


def squeezed(text: str) -> str:
    """Return a text without white space, for comparisons."""
    return "".join(text.split())


def _is_wordlike(text: str) -> bool:
    return text.isalpha() and (len(text) >= 4 or CHINESE.search(text) is not None)


def _is_next_to(a: np.ndarray, b: np.ndarray) -> bool:
    height = max(1.0, min(a[3] - a[1], b[3] - b[1]))
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return bool(overlap > 0.5 * height and -0.3 * height < b[0] - a[2] < MAX_GAP * height)


def _is_directly_below(above: np.ndarray, below: np.ndarray) -> bool:
    height = max(1.0, min(above[3] - above[1], below[3] - below[1]))
    leading = ((below[1] + below[3]) - (above[1] + above[3])) / 2
    overlap = min(above[2], below[2]) - max(above[0], below[0])
    return bool(
        0.6 * height < leading < MAX_LEADING * height and overlap > 0.3 * min(above[2] - above[0], below[2] - below[0])
    )


def _is_ascending(boxes: np.ndarray) -> bool:
    return bool((np.diff(boxes[:, 0]) > 0).all())


def _visual_rows(words: Sequence[str], boxes: np.ndarray) -> list[list[str]]:
    """Return the words of every row across the whole picture, from top to bottom and left to right."""
    rows: list[list[int]] = []
    for k in np.argsort(boxes[:, 1] + boxes[:, 3], kind="stable").tolist():
        last = boxes[rows[-1][0]] if rows else None
        if last is not None and last[1] < (boxes[k][1] + boxes[k][3]) / 2 < last[3]:
            rows[-1].append(k)
        else:
            rows.append([k])
    return [[words[k] for k in sorted(row, key=lambda k: boxes[k][0])] for row in rows]
