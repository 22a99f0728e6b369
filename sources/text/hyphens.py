"""Words broken at the ends of lines: whether the hyphen is part of the word, from vocabulary and word list."""

import operator
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import chain

from sources.text.word_list import LANGUAGES, Frequencies, frequencies, language_of

SOFT_HYPHEN = "\u00ad"
NON_BREAKING_HYPHEN = "\u2011"
HYPHENS = ("-", "\u2010", NON_BREAKING_HYPHEN, SOFT_HYPHEN)
_AROUND = ".,;:!?()[]{}\"'“”‘’«»‹›„‚…*†‡"
_CLOSING = tuple("\"'“”’»)]")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|un|(?:d|n)?all|dell|nell|sull)['’](?=\w)", re.IGNORECASE)  # l'en-tête
_LAST_PART = re.compile(r"[^\W\d_]+$")
_NUMBER_AND_UNIT = re.compile(r"\d[^\W\d_]{1,2}$")
_FIRST_PART = re.compile(r"[^\W\d_]+")
# URLs, paths, identifiers, e-mail addresses, file names, options and formulas: no rule for words fits them.
_NOT_A_WORD = re.compile(r"[\\@_=#$%&+|<>~^]|::|//|^--?\w|^www\.|[a-z0-9]\.[a-z]|[/].*/|^/")
# Words after a suspended hyphen. Those that are also syllables are conjunctions in their own language only.
_CONJUNCTION = re.compile("and|or|nor|und|oder|bzw|beziehungsweise|sowie|bis|et|ou|och|eller|samt|oraz|lub|albo")
_REPEATS_HYPHEN = frozenset(("cs", "es", "pl", "pt"))  # "polsko-" at the end of a line, "-niemiecki" on the next
_PREFIX = 3  # letters by which words are looked up
_INFLECTION = 3  # most letters by which an inflected form may differ from a word
MIN_ZIPF = 2.5  # of a word like "thousand", which ends with a conjunction
MAX_ACRONYM = 3  # letters
MIN_ZIPF_OF_CAPITALS = 3.5  # a rarer word in capitals is a compound of acronyms
MIN_ZIPF_BEFORE_NAME = 4.0  # of "al", "non" and "mid"; rarer words in small letters are often halves of words
DEFAULT_LANGUAGE = "en"  # of pages with few function words, such as tables
_FREE_PREFIX = re.compile("self|non|well|half|cross|quasi|semi|anti|post|pre|multi|co|socio|mid|high|low")
# Log odds that the hyphen is part of the word, by the way in which a language writes compounds, for each of the
# `Halves.features`. Fitted by `benchmarks/hyphens.py --fit`.
WEIGHTS: Mapping[str, tuple[float, ...]] = {
    "english": (-3.05, -2.08, -0.96, 0.66, -2.3, 0.95, -0.32, -0.57, -0.55, 1.37, -0.5, 1.4, 1.85, 2.2, -0.12),
    "open": (-1.28, -2.67, -1.24, 0.85, -1.49, 1.19, -3.25, -0.74, -0.45, -1.53, -2.5, -0.35, 2.09, 0.38, -1.97),
    "german": (0.98, -1.44, 0.61, -0.04, -1.99, 0.53, -0.15, -0.48, 0.03, 0.51, -0.7, -0.68, 3.59, 0.0, -1.92),
    "closed": (-1.58, -1.45, 0.13, 0.09, -3.11, 0.15, -1.75, -2.41, 0.83, 0.42, 0.41, 1.91, 2.47, 2.51, 1.48),
}
NEARBY = 16  # lines of a part of the page whose language is determined


class Spelling(Enum):
    """How two halves of a word are written together."""

    JOINED = auto()
    HYPHENATED = auto()
    SEPARATE = auto()


@dataclass(frozen=True)
class Vocabulary:
    """Words of a page, without the punctuation around them and without the halves of broken words.

    Args:
        words: how often each word occurs.
    """

    words: Mapping[str, int]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        words: dict[str, int] = {}
        for text, count in Counter(texts).items():
            word = text if text.isalpha() else bare(text)
            words[word] = words.get(word, 0) + count
        return cls(words)

    @cached_property
    def lower(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for word, count in self.words.items():
            lower = word.lower()
            counts[lower] = counts.get(lower, 0) + count
        return counts

    @cached_property
    def parts(self) -> frozenset[str]:
        """The words in lower case, and the parts of words with hyphens."""
        parts = (word.split("-") for word in self.lower if "-" in word)
        return frozenset(self.lower).union(*parts)

    def count(self, first: str, second: str) -> int:
        """Return how often `first` + `second` occurs, in any inflection that changes up to three last letters."""
        word = first + second
        if len(second) < _INFLECTION:
            return self.lower.get(word, 0)
        stem = first + second[: max(_INFLECTION, len(second) - _INFLECTION)]
        longest = len(word) + _INFLECTION
        alike = self._by_prefix.get(word[:_PREFIX], ())
        return sum(self.lower[known] for known in alike if known.startswith(stem) and len(known) <= longest)

    @cached_property
    def _by_prefix(self) -> Mapping[str, Sequence[str]]:
        words: dict[str, list[str]] = {}
        for word in self.lower:
            words.setdefault(word[:_PREFIX], []).append(word)
        return words


def join_broken_words(lines: list[list[str]], broken: Sequence[int]) -> None:
    """Join the words that are hyphenated at the ends of the lines `broken`, in place.

    A joined word is on the line where it begins. Words stay as they are if the hyphen may be a suspended one, a minus
    sign, or part of a URL, a number or an identifier.

    Args:
        lines: words of the lines in reading order.
        broken: lines whose last word ends with a hyphen and may continue on the next line, ascending.
    """
    page = Vocabulary.of(unbroken(lines, broken))
    languages = {part: language_near(lines, part * NEARBY) for part in {k // NEARBY for k in broken}}
    for k in reversed(broken):  # backwards, for words that are hyphenated twice
        if not lines[k + 1]:
            continue
        first, second = lines[k][-1], lines[k + 1][0]
        spelling = spelling_of(first, second, page, languages[k // NEARBY])
        if spelling is Spelling.SEPARATE:
            continue
        lines[k][-1] = first[:-1] + second if spelling is Spelling.JOINED else first + second.removeprefix("-")
        del lines[k + 1][0]


def language_near(lines: Sequence[Sequence[str]], k: int) -> str:
    """Return the language of the part of the page with line `k`, or else of the page: pages may be in several."""
    start = k // NEARBY * NEARBY
    for part in (lines[start : start + NEARBY], lines):
        language = language_of(" ".join(chain.from_iterable(part)).lower().split(" "))
        if language:
            return language
    return DEFAULT_LANGUAGE


def unbroken(lines: Sequence[Sequence[str]], broken: Sequence[int]) -> Iterator[str]:
    """Yield the words of the lines except the halves of broken words."""
    broken_lines = set(broken)
    for k, line in enumerate(lines):
        yield from line[k - 1 in broken_lines : len(line) - (k in broken_lines)]


def bare(word: str) -> str:
    """Return a word without the punctuation around it and without an elided article."""
    word = word.strip(_AROUND)
    return _ELISION.sub("", word) if "'" in word or "’" in word else word


def spelling_of(first: str, second: str, page: Vocabulary, language: str) -> Spelling:
    """Return how two halves of a word are written together.

    Args:
        first: last word of a line; it ends with a hyphen.
        second: first word of the next line.
        page: unbroken words of the page.
        language: a key of `LANGUAGES`.
    """
    stem, hyphen = first[:-1], first[-1]
    if hyphen == SOFT_HYPHEN:
        return Spelling.JOINED
    if second[0] == "-":
        is_repeated = language in _REPEATS_HYPHEN and stem.isalpha() and second[1:2].islower()
        return Spelling.HYPHENATED if is_repeated else Spelling.SEPARATE
    if _is_compound_of_signs(stem, second, language):
        return Spelling.HYPHENATED
    if not _has_case(stem[-1:]) or not _has_case(second[0]):
        return Spelling.SEPARATE
    if _NOT_A_WORD.search(stem) or _NOT_A_WORD.search(second):
        return Spelling.SEPARATE
    if hyphen == NON_BREAKING_HYPHEN:
        return Spelling.HYPHENATED
    return Halves(bare(stem), second.strip(_AROUND)).spelling(page, language)


def _is_compound_of_signs(stem: str, second: str, language: str) -> bool:
    """Return True for UTF-8-Text and "passwd"-Datei in German, where nouns have capitals."""
    last = stem[-1:]
    if LANGUAGES[language].compounds != "german" or not second[0].isupper():
        return False
    return last in _CLOSING or (last.isdigit() and not _NOT_A_WORD.search(stem))


def _has_case(letter: str) -> bool:
    """Return True for a letter of a script with capitals: other scripts do not hyphenate words."""
    return letter.isalpha() and letter.lower() != letter.upper()


@dataclass(frozen=True, slots=True)
class Halves:
    """Two halves of a word, without punctuation around them; the first ends and the second begins with a letter."""

    first: str
    second: str

    def spelling(self, page: Vocabulary, language: str) -> Spelling:
        if self.is_unbreakable():
            return Spelling.HYPHENATED
        found = self._in_vocabulary(page) or self.by_form(page, language)
        if found:
            return found
        features = self.features(frequencies(language), page.parts)
        score = sum(map(operator.mul, WEIGHTS[LANGUAGES[language].compounds], features))
        return Spelling.HYPHENATED if score > 0 else Spelling.JOINED

    def is_unbreakable(self) -> bool:
        """Return True for DNA-binding, X-ray, e-mail and 3d-model: broken words are not broken there."""
        if self._begins_with_capital():
            return False
        is_acronym = self.first[-1].isupper() and self.second[0].islower()
        return is_acronym or len(self.first) == 1 or _NUMBER_AND_UNIT.search(self.first) is not None

    def _in_vocabulary(self, page: Vocabulary) -> Spelling | None:
        """Return the more frequent spelling of the page."""
        if self._begins_with_capital():  # JavaScript; Haupt-Bahnhof is not Hauptbahnhof
            return Spelling.JOINED if self.first + self.second in page.words else None
        first, second = self.first.lower(), self.second.lower()
        joined, hyphenated = page.count(first, second), page.count(f"{first}-", second)
        if joined == hyphenated:
            return None
        return Spelling.JOINED if joined > hyphenated else Spelling.HYPHENATED

    def by_form(self, page: Vocabulary, language: str) -> Spelling | None:
        """Return the spelling of names, of suspended hyphens and before a single letter, None for other words."""
        known = frequencies(language)
        first, second = self._parts_at_break()
        if self._begins_with_capital():  # Jean-Paul, Anglo-Saxon; but a new sentence may follow a broken word too
            is_word = first in page.parts or known[first] > (0 if self.first[0].isupper() else MIN_ZIPF_BEFORE_NAME)
            begins_sentence = len(second) == 1 or second in LANGUAGES[language].function_words
            return Spelling.HYPHENATED if is_word and not begins_sentence else Spelling.SEPARATE
        if self._is_suspended(language) and known[first + second] < MIN_ZIPF:
            return Spelling.SEPARATE
        if self.first.isupper() and self.second.isupper() and len(first) <= MAX_ACRONYM:  # CD-ROM, IN-TERNATIONAL
            return Spelling.HYPHENATED if known[first + second] < MIN_ZIPF_OF_CAPITALS else None
        if len(self.second) == 1:
            return Spelling.JOINED if known[first + second] else Spelling.HYPHENATED
        return None

    def _parts_at_break(self) -> tuple[str, str]:
        """Return the letters before and after the break, in lower case."""
        return _LAST_PART.findall(self.first)[0].lower(), _FIRST_PART.findall(self.second)[0].lower()

    def _begins_with_capital(self) -> bool:
        """Return True if only the second half's first letter is a capital, or only the second half is in capitals."""
        return self.second[0].isupper() and not (self.first.isupper() and self.second.isupper())

    def _is_suspended(self, language: str) -> bool:
        """Return True if the second half is a conjunction, as in "pre- and post-processing"."""
        return bool(_CONJUNCTION.fullmatch(self.second)) or self.second in LANGUAGES[language].conjunctions

    def features(self, known: Frequencies, parts: frozenset[str]) -> tuple[float, ...]:
        """Return what the score depends on, in the order of `WEIGHTS`."""
        a, b = self._parts_at_break()
        of_word, of_a, of_b = known[a + b], known[a], known[b]
        return (
            1.0,
            of_word,
            of_word == 0,
            of_a,
            of_a == 0 and a not in parts,
            of_b,
            of_b == 0 and b not in parts,
            len(a) <= 2,
            len(a) == 3,
            len(b) <= 2,
            len(b) == 3,
            min(len(a + b), 20) / 10,
            "-" in self.first or "-" in self.second,
            _FREE_PREFIX.fullmatch(a) is not None,
            self.first[0].isupper(),
        )
