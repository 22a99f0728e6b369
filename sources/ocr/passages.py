"""Paragraphs of running text, bundled or from a corpus file, and the sampler that fills templates with them."""

import random as random_module
import re
from functools import lru_cache
from typing import Protocol

from sources.ocr.vocabulary import CORPUS, LANGUAGES, furniture_language, words

# A sentence ends at a full stop, unless a lower-case letter follows ("9 a.m. and"), or at a Chinese full stop.
_SENTENCE = re.compile(r".+?(?:[.!?…][”\"’)\]]*(?=\s+[^\sa-z])|[。！？]+[”」』）]*|$)", re.DOTALL)
# A capital letter follows these abbreviations within a sentence, and initials of names.
_ABBREVIATIONS = (
    "Mr Mrs Ms Dr Prof St Mt Ft Rev Hon Capt Col Gen Lt Sgt Sen Rep Gov Pres No Nos Vol Fig Figs Eq Ch Sec pp p vs cf ca "
    "Jr Sr Inc Ltd Co Corp Bros Dept Univ Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec e.g i.e viz al approx "
    "Hr Fr Nr Str z.B bzw d.h u.a Bd Abb Tab Jh Mme Mlle MM Sig Sra Sr Srta ul nr im dr inż tzn Ing Bc tj např"
)
_UNENDED = re.compile(rf"(?:^|[\s(“\"])(?:{'|'.join(map(re.escape, _ABBREVIATIONS.split()))}|[A-Z]|(?:[A-Z]\.)+[A-Z])\.$")
# Parts of the syllables of synthetic words; an empty part is left out.
ONSETS = (*"bcdfghjklmnpqrstvwz", "br", "ch", "pl", "st", "tr")
VOWELS = (*"aeiou", "ai", "ea", "y")
CODAS = ("", "", "", "", *"nrstlmkx")
MAX_SYNTHETIC = 6  # letters


class Passages(Protocol):
    """Paragraphs by language and number."""

    def languages(self) -> tuple[str, ...]:
        """Return the languages of the paragraphs."""

    def count(self, language: str) -> int:
        """Return the number of paragraphs in a language."""

    def paragraph(self, language: str, number: int) -> str:
        """Return one paragraph, without line breaks."""


class BundledPassages:
    """The short texts that come with the project."""

    def languages(self) -> tuple[str, ...]:
        return LANGUAGES

    def count(self, language: str) -> int:
        return len(_bundled(language))

    def paragraph(self, language: str, number: int) -> str:
        return _bundled(language)[number]


@lru_cache(maxsize=4)
def _bundled(language: str) -> tuple[str, ...]:
    text = (CORPUS / f"{language}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.split("\n") if line and not line.startswith("# "))


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


class ContentSampler:
    """Samples the content of a page (running text, words, numbers) with the random generator of its sample.

    Args:
        language: language of the text.
        mixed: fraction of paragraphs that are composed of random sentences, so that a small corpus gives more pages.
    """

    def __init__(self, passages: Passages, language: str, random: random_module.Random, mixed: float = 0.0):
        self.language = furniture_language(language)
        self.text_language = language
        self.random = random
        self._passages = passages
        self._mixed = mixed
        self._next = random.randrange(passages.count(language))

    def in_language(self, language: str) -> "ContentSampler":
        """Return a sampler of text in another language, with the same generator."""
        return ContentSampler(self._passages, language, self.random, self._mixed)

    def paragraph(self) -> str:
        """Return the next paragraph, or with probability `mixed` a paragraph of random sentences."""
        if self.random.random() < self._mixed:
            glue = "" if self.language == "zh" else " "
            return glue.join(self.sentence() for _ in range(self.random.randint(2, 6)))
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
        """Return a random sentence; if all sentences of its paragraph are too long, cut one at the end of a word."""
        number = self.random.randrange(self._passages.count(self.text_language))
        paragraph = self._passages.paragraph(self.text_language, number)
        found = split_sentences(paragraph)
        text = self.random.choice([text for text in found if len(text) <= max_characters] or found)
        if len(text) > max_characters:
            cut = text[:max_characters]
            text = cut.rpartition(" ")[0] or cut
        return text

    def line(self, max_characters: int) -> str:
        """Return a sentence without its final punctuation, e.g. for a heading."""
        return self.sentence(max_characters).rstrip(" .。，,;；：:、！!？?") or self.sentence(max_characters)

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

    def date(self) -> str:
        year, month, day = self.random.randint(1978, 2026), self.random.randint(1, 12), self.random.randint(1, 28)
        if self.language == "zh":
            return f"{year}年{month}月{day}日"
        name = words("months", "en")[month - 1]
        return self.random.choice(
            (
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
                f"{year}-{month:02d}-{day:02d}",
                f"{day:02d}.{month:02d}.{year}",
            )
        )

    def code(self) -> str:
        """Return a reference such as `AB-20417`."""
        letters = "".join(self.random.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=self.random.randint(1, 3)))
        return f"{letters}-{self.random.randint(100, 99999)}"

    def telephone(self) -> str:
        groups = ((3, 4, 4), (2, 3, 4), (4, 6), (3, 3, 2, 2))
        return " ".join("".join(self.random.choices("0123456789", k=n)) for n in self.random.choice(groups))
