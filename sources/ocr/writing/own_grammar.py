"""Passages in a language that has a grammar of its own: `ja.yaml`, `ko.yaml`, `th.yaml`.

The files have the form of `passages.yaml` with one text for each sentence, and their words. Korean particles that
depend on the end of the word before are written in both forms, `을(를)`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random

from sources.config_file import load_data
from sources.ocr.writing.grammar import SLOT, draw
from sources.text.languages import UNSPACED, locale_of
from sources.text.word_list import words_by_centibels

LANGUAGES = ("ja", "ko", "th")
FREQUENT_WORDS = 8_000  # of wordfreq's list, that may be quoted
# Two Chinese characters are a noun in Japanese; two or three syllables mostly are in Korean. The words are quoted.
_QUOTABLE = {"ja": re.compile(r"[\u4e00-\u9fff]{2}"), "ko": re.compile(r"[가-힣]{2,3}")}
_UNFIT = {
    "ja": re.compile(r"[死殺性姦淫娼麻薬爆党教毒犯罪裸尿便屍葬奴戦軍核虐癌宗神韓朝鮮]|中国|台湾|自慰|処女|童貞"),
    "ko": re.compile(
        r"섹스|살인|자살|강간|마약|성폭|폭행|테러|음란|포르|사망|시발|병신|새끼|북한|일본|미국|중국|정당|대통|종교|전쟁|학살"
    ),
}
_PARTICLES = re.compile(r"(.’?)((?:은|이|을|과|으로|이나|이었|이라)\((?:는|가|를|와|로|나|였|라)\))")
_SYLLABLE, _FINALS, _RIEUL = 0xAC00, 28, 8  # the first syllable; number of final consonants; that of ㄹ


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of passage: classes of the names that stay the same in it, title, and paragraphs of steps of sentences."""

    let: Mapping[str, str]
    title: str
    paragraphs: tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The words of each class and the kinds of passages of a language."""

    words: Mapping[str, tuple[str, ...]]
    schemes: tuple[Scheme, ...]


@lru_cache(maxsize=len(LANGUAGES))
def grammar_of(language: str) -> Grammar:
    """Return the grammar of a language."""
    data = load_data(Path(__file__).with_name(f"{language}.yaml"))
    words = {name: tuple(word.strip() for word in text.split(";")) for name, text in data["words"].items()}
    quoted = _quotable(language)
    schemes = tuple(
        Scheme(
            let=scheme["let"],
            title=scheme["title"],
            paragraphs=tuple(tuple(tuple(step) for step in paragraph) for paragraph in scheme["paragraphs"]),
        )
        for scheme in data["schemes"]
    )
    return Grammar({**words, **_of_babel(language), **({"word": quoted} if quoted else {})}, schemes)


def _of_babel(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the names of months and languages."""
    from babel import Locale  # an optional dependency

    known = Locale.parse(locale_of(language))
    names = sorted({name for code, name in known.languages.items() if len(code) in (2, 3) and "(" not in name})
    return {"month": tuple(known.months["stand-alone"]["wide"][k] for k in range(1, 13)), "tongue": tuple(names)}


def _quotable(language: str) -> tuple[str, ...]:
    """Return frequent words that may stand between quotation marks; empty where no list is at hand."""
    if language not in _QUOTABLE:
        return ()
    wanted, unfit = _QUOTABLE[language], _UNFIT[language]
    found = (word.decode() for group in words_by_centibels(language) for word in group)
    fitting = (word for word in found if wanted.fullmatch(word) and not unfit.search(word))
    return tuple(islice(fitting, FREQUENT_WORDS))


class OwnWriter:
    """Writes the passage of a number."""

    def __init__(self, number: int, language: str):
        self._number, self._language = number, language
        self._grammar = grammar_of(language)
        self._scheme = self._grammar.schemes[draw(number, "scheme") % len(self._grammar.schemes)]

    @property
    def num_paragraphs(self) -> int:
        return len(self._scheme.paragraphs)

    def title(self) -> str:
        return self._fill(self._scheme.title, "title")

    def paragraph(self, number: int) -> tuple[str, ...]:
        """Return the sentences of a paragraph."""
        return tuple(
            self._fill(step[draw(self._number, number, k) % len(step)], f"{number}/{k}")
            for k, step in enumerate(self._scheme.paragraphs[number])
        )

    def _fill(self, text: str, place: str) -> str:
        taken: dict[str, str] = {}  # words of this sentence and of the whole passage: none is used twice

        def fill(slot: re.Match[str]) -> str:
            name = slot["name"] + slot["number"]
            kind = self._scheme.let.get(name)
            drawn = draw(self._number, name) if kind else draw(self._number, place, name)
            if slot["low"]:
                low, high = int(slot["low"]), int(slot["high"])
                return self._number_of(slot["name"], low + drawn % (high - low + 1))
            if name not in taken:
                others = {self._word(bound, draw(self._number, other)) for other, bound in self._scheme.let.items()}
                used = {*taken.values(), *(() if kind else others)}
                tries = (self._word(kind or slot["name"], draw(drawn, k) if k else drawn) for k in range(20))
                taken[name] = next((word for word in tries if word not in used), "") or self._word(slot["name"], drawn)
            return taken[name]

        filled = SLOT.sub(fill, text)
        return with_particles(filled) if self._language == "ko" else filled

    def _number_of(self, kind: str, number: int) -> str:
        return f"{number:,}" if kind == "n" and number >= 1000 else str(number)

    def _word(self, kind: str, drawn: int) -> str:
        if kind == "person":
            return person(self._language, drawn)
        if kind == "town":
            first, last = self._grammar.words["town_first"], self._grammar.words["town_last"]
            return first[drawn % len(first)] + last[(drawn >> 20) % len(last)]
        words: Sequence[str] = self._grammar.words[kind]
        return words[drawn % len(words)]


@lru_cache(maxsize=20_000)
def person(language: str, drawn: int) -> str:
    """Return the name of a person, of Faker's lists."""
    from sources.ocr.fields import Fields

    name = Fields(language, Random(drawn)).person()
    return name.replace(" ", "") if language in UNSPACED else name


def with_particles(text: str) -> str:
    """Return a Korean text with the form of each particle that fits the syllable before: `톱을`, `망치를`."""
    return _PARTICLES.sub(_choose_particle, text)


def _choose_particle(found: re.Match[str]) -> str:
    before, (with_final, without) = found[1], found[2].rstrip(")").split("(")
    final = (ord(before[0]) - _SYLLABLE) % _FINALS if "가" <= before[0] <= "힣" else 0
    has_final = final > 0 and not (with_final == "으로" and final == _RIEUL)
    return before + (with_final if has_final else without)
