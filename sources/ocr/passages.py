"""Paragraphs of running text, bundled or from a corpus file, and the sampler that fills templates with them."""

import random as random_module
import re
from collections.abc import Sequence
from typing import Protocol

from sources.ocr.fields import Fields
from sources.ocr.layouts import Layout
from sources.ocr.markup.template import Template
from sources.ocr.vocabulary import BUNDLED, furniture_language
from sources.ocr.writing.grammar import parallel_sentences
from sources.ocr.writing.writer import writer_of
from sources.text.languages import UNSPACED

# A sentence ends at a full stop, unless a lower-case letter follows ("9 a.m. and"), or at a Chinese full stop.
_SENTENCE = re.compile(r".+?(?:[.!?…][”\"’)\]]*(?=\s+[^\sa-z])|[。！？]+[”」』）]*|$)", re.DOTALL)
# A capital letter follows these abbreviations within a sentence, and initials of names.
_ABBREVIATIONS = (
    "Mr Mrs Ms Dr Prof St Mt Ft Rev Hon Capt Col Gen Lt Sgt Sen Rep Gov Pres No Nos Vol Fig Figs Eq Ch Sec pp p vs "
    "cf ca Jr Sr Inc Ltd Co Corp Bros Dept Univ Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec e.g i.e viz al approx "
    "Hr Fr Nr Str z.B bzw d.h u.a Bd Abb Tab Jh Mme Mlle MM Sig Sra Sr Srta ul nr im dr inż tzn Ing Bc tj např"
)
_UNENDED = re.compile(
    rf"(?:^|[\s(“\"])(?:{'|'.join(map(re.escape, _ABBREVIATIONS.split()))}|[A-Z]|(?:[A-Z]\.)+[A-Z])\.$"
)
# Parts of the syllables of synthetic words; an empty part is left out.
ONSETS = (*"bcdfghjklmnpqrstvwz", "br", "ch", "pl", "st", "tr")
VOWELS = (*"aeiou", "ai", "ea", "y")
CODAS = ("", "", "", "", *"nrstlmkx")
MAX_SYNTHETIC = 6  # letters
NUM_PASSAGES, PARAGRAPHS = 100_000_000, 3  # of the grammar
TITLE_ATTEMPTS = 12
MAX_BACK, MAX_BLOCKS = 40, 4_000  # blocks before a page, and on all pages, of a Markdown document


class Passages(Protocol):
    """Paragraphs by language and number."""

    def languages(self) -> tuple[str, ...]:
        """Return the languages of the paragraphs."""

    def count(self, language: str) -> int:
        """Return the number of paragraphs in a language."""

    def paragraph(self, language: str, number: int) -> str:
        """Return one paragraph, without line breaks."""

    def title(self, language: str, number: int) -> str:
        """Return the title of the passage that a paragraph is in; empty if it is not known."""

    def num_blocks(self, language: str) -> int:
        """Return the number of blocks of Markdown documents in a language."""

    def block(self, language: str, number: int) -> tuple[str, str]:
        """Return the name of the document that a block is in, and the block as HTML."""


class BundledPassages:
    """Passages that a grammar writes (`sources/ocr/writing`): three paragraphs each, in order, under a title."""

    def languages(self) -> tuple[str, ...]:
        return BUNDLED

    def count(self, language: str) -> int:
        return NUM_PASSAGES * PARAGRAPHS

    def paragraph(self, language: str, number: int) -> str:
        passage, k = divmod(number, PARAGRAPHS)
        writer = writer_of(passage, language)
        if k >= writer.num_paragraphs:  # a short passage is followed by the beginning of another one
            writer, k = writer_of(NUM_PASSAGES + passage, language), 0
        return ("" if language in UNSPACED else " ").join(writer.paragraph(k))

    def title(self, language: str, number: int) -> str:
        return writer_of(number // PARAGRAPHS, language).title()

    def num_blocks(self, language: str) -> int:
        return 0

    def block(self, language: str, number: int) -> tuple[str, str]:
        raise IndexError("the grammar writes no Markdown")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph, in order."""
    sentences: list[str] = []
    for match in _SENTENCE.finditer(text):
        found = match[0].strip()
        if sentences and _UNENDED.search(sentences[-1]):
            sentences[-1] += f" {found}"
        elif found:
            sentences.append(found)
    return sentences


def _shorten(text: str, max_characters: int) -> str:
    """Return the clauses of a sentence that fit; if the first one does not, as many words as do."""
    clauses = [found.end() for found in re.finditer(r"[,;:，；：、](?=\s|[\u2e80-\u9fff])|\s[–—]\s", text)]
    fitting = [end for end in clauses if 4 <= end <= max_characters]
    if fitting:
        return text[: fitting[-1]].rstrip(" ,;:–—，；：、")
    cut = text[:max_characters]
    return cut if len(text) <= max_characters else cut.rpartition(" ")[0] or cut


class ContentSampler:
    """Samples the content of a page (running text, words, numbers) with the random generator of its sample.

    Args:
        language: language of the text.
    """

    def __init__(self, passages: Passages, language: str, random: random_module.Random):
        self.language = furniture_language(language)
        self.text_language = language
        self.random = random
        self.fields = Fields(self.language, random)
        self.layouts: Sequence[Layout] = ()  # forms of the user's own
        self.templates: Sequence[Template] = ()  # of the user's own
        self.handwritten = 0.0  # fraction of forms that are filled in by hand
        self._passages = passages
        self._next = random.randrange(max(1, passages.count(language)))  # a document may have no running text

    def in_language(self, language: str) -> "ContentSampler":
        """Return a sampler of text in another language, with the same generator."""
        return ContentSampler(self._passages, language, self.random)

    def paragraph(self) -> str:
        """Return the next paragraph."""
        text = self._passages.paragraph(self.text_language, self._next)
        self._next = (self._next + 1) % self._passages.count(self.text_language)
        return text

    def paragraphs(self, num_characters: int) -> list[str]:
        """Return paragraphs with at least `num_characters` characters in total."""
        found: list[str] = []
        while sum(map(len, found)) < num_characters:
            found.append(self.paragraph())
        return found

    def sentence(self, max_characters: int = 400) -> str:
        """Return a random sentence; if several paragraphs have too long ones, the first clause of one."""
        shortest = ""
        for _ in range(TITLE_ATTEMPTS):
            number = self.random.randrange(self._passages.count(self.text_language))
            found = split_sentences(self._passages.paragraph(self.text_language, number))
            fitting = [text for text in found if len(text) <= max_characters]
            if fitting:
                return self.random.choice(fitting)
            shortest = min((shortest, *found), key=lambda text: (not text, len(text)))
        return _shorten(shortest, max_characters)

    def title(self, max_characters: int) -> str:
        """Begin another passage and return its title, or a sentence without its final punctuation if it has none."""
        for _ in range(TITLE_ATTEMPTS):
            number = self.random.randrange(self._passages.count(self.text_language))
            number -= number % PARAGRAPHS
            text = self._passages.title(self.text_language, number)
            if not text:
                break
            if len(text) <= max_characters:
                self._next = number
                return text
        return self.line(max_characters)

    def line(self, max_characters: int) -> str:
        """Return a sentence without its final punctuation, e.g. for a point of a list."""
        sentence = self.sentence(max_characters)
        return sentence.rstrip(" .。，,;；：:、！!？?") or sentence

    def markdown_blocks(self, num_characters: int, *, is_start: bool) -> list[str]:
        """Return blocks of Markdown documents of the user as HTML, with about `num_characters` in total.

        Args:
            is_start: begin where a document begins, and let others follow it; else begin at a heading anywhere and
                end with the document.
        """
        count = self._passages.num_blocks(self.text_language)
        number = self.random.randrange(count)
        name, html = self._passages.block(self.text_language, number)
        for _ in range(count if is_start else MAX_BACK):
            before = self._passages.block(self.text_language, number - 1) if number else ("", "")
            if before[0] != name or (not is_start and html.startswith("<h")):
                break
            number, html = number - 1, before[1]
        found: list[str] = []
        first, start = name, number
        while sum(map(len, found)) < num_characters and (is_start or name == first):
            found.append(html)
            number = (number + 1) % count
            name, html = self._passages.block(self.text_language, number)
            if len(found) > MAX_BLOCKS or (not is_start and number == 0):
                break
        # Near its end, a document has too little for a page: what comes before is on it too, from a heading.
        while start and (sum(map(len, found)) < num_characters / 2 or not found[0].startswith("<h")):
            start -= 1
            name, html = self._passages.block(self.text_language, start)
            if name != first or len(found) > MAX_BLOCKS:
                break
            found.insert(0, html)
        return found

    def parallel(self) -> list[tuple[str, str]]:
        """Return the title and the sentences of a passage as pairs of English and Chinese, which say the same."""
        return parallel_sentences(self.random.randrange(NUM_PASSAGES))

    def number(self, low: float, high: float, decimals: int = 0) -> str:
        """Return a number with commas between thousands."""
        return f"{self.random.uniform(low, high):,.{decimals}f}"

    def figure(self) -> str:
        """Return a number of one to six digits, each length equally often."""
        length = self.random.randint(1, 6)
        return str(self.random.randint(10 ** (length - 1) if length > 1 else 0, 10**length - 1))

    def synthetic_word(self) -> str:
        """Return a word of one to three random syllables, so that it can only be read, not guessed."""
        random = self.random
        parts = [
            random.choice(ONSETS) + random.choice(VOWELS) + random.choice(CODAS) for _ in range(random.randint(1, 3))
        ]
        return random.choice((str.lower, str.capitalize))("".join(parts)[:MAX_SYNTHETIC])

    def code(self) -> str:
        """Return a reference such as `AB-20417`."""
        letters = "".join(self.random.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=self.random.randint(1, 3)))
        return f"{letters}-{self.random.randint(100, 99999)}"
