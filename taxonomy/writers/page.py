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
from taxonomy.writers.headings import Section, sections_of, title_of
from taxonomy.writers.quotable import LEADERS, bare, is_damaged, is_quotable, is_wordlike, squeezed, text_of
from taxonomy.writers.rows import is_directly_below, is_next_to, is_readable, is_taken_apart, visual_rows

_GLUED = re.compile("(?<=[\u3000-\u9fff\uff00-\uffef])\n|\n(?=[\u3000-\u9fff\uff00-\uffef])")  # Chinese has no spaces
_FOOTNOTE = re.compile(r"[.!?]”?\d+ [A-Z]")  # the mark of a note hides where a sentence ends
MIN_WORD = {"en": 4, "zh": 2}  # letters of a word that a question can be about
MAX_TAKEN_APART = 2  # words of a page whose whole text is asked for
MAX_DAMAGED = 0.02  # of its lines


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
            if found and is_next_to(self.boxes[found[-1][-1]], self.boxes[k]):
                found[-1].append(k)
            else:
                found.append([k])
        return found

    @cached_property
    def taken_apart(self) -> set[int]:
        """Words of letters that are printed as one word with the next or the last one; Chinese has no spaces."""
        found: set[int] = set()
        for row in self.rows if self.language != "zh" else ():
            for a, b in pairwise(row):
                is_text = self.words[a][-1:].isalpha() and self.words[b][:1].isalpha()
                if is_text and is_taken_apart(self.boxes[a], self.boxes[b]):
                    found |= {a, b}
        return found

    @cached_property
    def is_transcribed(self) -> bool:
        """Whether the text is what is printed, as far as characters and gaps between words show it."""
        damaged = sum(is_damaged(line) or not any(c.isalnum() for c in line) for line in self.lines)
        return len(self.taken_apart) <= MAX_TAKEN_APART and damaged <= MAX_DAMAGED * len(self.lines)

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
            if (
                words
                and (words[0], words[-1]) in rows
                and not self.taken_apart & set(words)
                and squeezed(text_of(self, words)) == squeezed(text)
            ):
                found.append(Line(number, text, words, hull(self.boxes[list(words)])))
        return found

    def line_after(self, line: Line) -> Line | None:
        """Return the clear line that is next in the text and directly below in the picture."""
        following = next((other for other in self.clear_lines if other.number == line.number + 1), None)
        return following if following is not None and is_directly_below(line.box, following.box) else None

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
            if sentence.is_whole and self.is_printed(sentence.text, paragraph)
        ]

    def sentence_after(self, sentence: str) -> str | None:
        """Return the whole sentence that follows in the same paragraph."""
        for paragraph in self.paragraphs:
            texts = self.sentences_in(paragraph)
            for before, after in pairwise(texts):
                if before.text == sentence and after.is_whole and self.is_printed(after.text, paragraph):
                    return after.text
        return None

    def is_printed(self, text: str, paragraph: str) -> bool:
        """Return True if a sentence of a paragraph is running text in the picture, without a heading before it."""
        words, around = self.words_of(text), self.words_of(paragraph)
        if not words or not around or LEADERS.search(text) or _FOOTNOTE.search(text) or is_damaged(text):
            return False
        if self.taken_apart & set(words):
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
        return sections_of(self)

    @cached_property
    def title(self) -> str | None:
        """The heading in the largest type, if it is in the upper third of the picture and no other text is as large."""
        return title_of(self)

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
            and is_wordlike(bare(self.words[k]))
            and joined.count(text) == 1
            and flat.count(text) <= 1
            and is_readable(self.boxes[k])
            and k not in self.taken_apart
        ]

    @cached_property
    def printed_tables(self) -> list[Table]:
        """The tables whose header and rows are each printed in one row, one below the other."""
        return [table for table in self.tables if self._prints(table)] if len(self.words) else []

    def _prints(self, table: Table) -> bool:
        rows = ["".join("".join(row).split()) for row in visual_rows(self.words, self.boxes)]
        place = -1
        for cells in (table.header, *table.rows):
            wanted = "".join("".join(cells).split())
            place = next((k for k in range(place + 1, len(rows)) if wanted and wanted in rows[k]), -1)
            if place < 0:
                return False
        return True
