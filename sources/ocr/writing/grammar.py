"""Writes passages: a title and paragraphs of sentences in order, about the same things throughout.

The grammar is in `passages.yaml`, its words in `lexicon.yaml`. Every choice is made from the number of the passage and
the place of the choice, in both languages alike: the English and the Chinese passage of a number are translations where
both languages have the chosen sentence.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sources.config_file import load_data
from sources.ocr.writing.names import chinese_name, english_name
from sources.ocr.writing.words_of_language import chinese_words, english_words, plural, with_article

LANGUAGES = ("en", "zh")
CHINESE_TAGS = {"noun": "n", "verb": "v", "adj": "a", "idiom": "i"}
SLOT = re.compile(r"\{(?:(?P<form>[as]):)?(?P<name>[a-z_]+)(?P<number>\d*)(?:=(?P<low>\d+)\.\.(?P<high>\d+))?\}")
_FIRST_LETTER = re.compile(r"^([“‘(]?)([a-z])")
_ENGLISH, _CHINESE = 0, 1
Texts = tuple[str | None, str | None]  # a sentence in English and in Chinese; None where it has no translation


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of passage.

    Args:
        let: class or range of each name that stays the same in the passage.
        title: in English and Chinese.
        paragraphs: each a list of steps, each a list of sentences of which one is written.
    """

    let: Mapping[str, str]
    title: Texts
    paragraphs: tuple[tuple[tuple[Texts, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A written passage: its title, and the sentences of each paragraph."""

    title: str
    paragraphs: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=1)
def schemes() -> tuple[Scheme, ...]:
    """Return the kinds of passages."""
    folder = Path(__file__).parent
    return tuple(
        Scheme(
            let=scheme["let"],
            title=_texts(scheme["title"]),
            paragraphs=tuple(
                tuple(tuple(_texts(sentence) for sentence in step) for step in paragraph)
                for paragraph in scheme["paragraphs"]
            ),
        )
        for scheme in load_data(folder / "passages.yaml")
    )


def _texts(sentence: Sequence[str] | Mapping[str, str]) -> Texts:
    if isinstance(sentence, Mapping):
        return sentence.get("en"), sentence.get("zh")
    english, chinese = sentence
    return english, chinese


@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return the words of each class: pairs of English and Chinese."""
    data: Mapping[str, str] = load_data(Path(__file__).parent / "lexicon.yaml")
    return {name: tuple(_pair(entry) for entry in text.split(";")) for name, text in data.items()}


def _pair(entry: str) -> tuple[str, str]:
    english, chinese = entry.strip().split("|")
    return english, chinese


def draw(*key: object) -> int:
    """Return a number of 64 bits that depends on a key alone."""
    return int.from_bytes(hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest(), "big")


class Writer:
    """Writes the passage of a number in one language.

    Args:
        is_parallel: only sentences that exist in both languages, and names that do.
    """

    def __init__(self, number: int, language: str, *, is_parallel: bool = False):
        self._number = number
        self._side = LANGUAGES.index(language)
        self._is_parallel = is_parallel
        self._scheme = schemes()[draw(number, "scheme") % len(schemes())]

    def passage(self) -> Passage:
        """Return the whole passage."""
        paragraphs = range(len(self._scheme.paragraphs))
        return Passage(title=self.title(), paragraphs=tuple(self.paragraph(number) for number in paragraphs))

    @property
    def num_paragraphs(self) -> int:
        return len(self._scheme.paragraphs)

    def title(self) -> str:
        """Return the title."""
        text = self._scheme.title[self._side]
        assert text is not None
        return self._fill(text, "title")

    def paragraph(self, number: int) -> tuple[str, ...]:
        """Return the sentences of a paragraph."""
        written = []
        for step, alternatives in enumerate(self._scheme.paragraphs[number]):
            fitting = [
                texts[self._side]
                for texts in alternatives
                if (None not in texts if self._is_parallel else texts[self._side] is not None)
            ]
            if fitting:
                text = fitting[draw(self._number, number, step) % len(fitting)]
                assert text is not None
                written.append(self._fill(text, f"{number}/{step}"))
        return tuple(written)

    def _fill(self, text: str, place: str) -> str:
        def fill(slot: re.Match[str]) -> str:
            name = slot["name"] + slot["number"]
            wanted = self._scheme.let.get(name)
            key = (self._number, name) if wanted else (self._number, place, name)
            if wanted and "=" in wanted:
                kind, _, bounds = wanted.partition("=")
                low, _, high = bounds.partition("..")
                return self._format_number(kind, int(low), int(high), draw(*key))
            if slot["low"]:
                return self._format_number(slot["name"], int(slot["low"]), int(slot["high"]), draw(*key))
            kind = wanted or slot["name"]
            word = (
                _lexeme(kind, self._index(kind, name, place))[self._side]
                if kind in lexicon()
                else self._word(kind, draw(*key))
            )
            if self._side == _CHINESE:
                return word
            return with_article(word) if slot["form"] == "a" else plural(word) if slot["form"] == "s" else word

        filled = SLOT.sub(fill, text)
        if self._side == _CHINESE:
            return filled
        return _FIRST_LETTER.sub(lambda found: found[1] + found[2].upper(), filled)

    def _format_number(self, kind: str, low: int, high: int, drawn: int) -> str:
        number = low + drawn % (high - low + 1)
        return f"{number:,}" if kind == "n" and self._side == _ENGLISH else str(number)

    def _index(self, kind: str, name: str, place: str) -> int:
        """Return the place in the lexicon of the word of a slot: not one that an earlier slot of the class has.

        Earlier are the names of the whole passage and, in the sentence, `tool` before `tool2`, in any language.
        """
        bound = [other for other, wanted in self._scheme.let.items() if wanted == kind]
        if name in bound:
            earlier = bound[: bound.index(name)]
            drawn = draw(self._number, name)
        else:
            number = int(name.removeprefix(kind) or 1)
            earlier = bound + [other for k in range(1, number) if (other := f"{kind}{k if k > 1 else ''}") not in bound]
            drawn = draw(self._number, place, name)
        taken = {self._index(kind, other, place) for other in earlier}
        size = len(lexicon()[kind])
        return next(
            k % size for k in range(drawn % size, drawn % size + size) if k % size not in taken or len(taken) >= size
        )

    def _word(self, kind: str, drawn: int) -> str:
        if kind in ("person", "who"):
            return self._person(drawn)
        if kind == "town":
            (first, zh_first), (last, zh_last) = (
                _chosen(part, drawn >> shift) for part, shift in (("town_first", 0), ("town_last", 20))
            )
            return f"{first}{last}" if self._side == _ENGLISH else f"{zh_first}{zh_last}镇"
        if self._side == _CHINESE:
            return chinese_words()[CHINESE_TAGS[kind]].pick(drawn)
        words = english_words()[kind]
        return words[drawn % len(words)]

    def _person(self, drawn: int) -> str:
        if not self._is_parallel:
            return (english_name if self._side == _ENGLISH else chinese_name)(drawn)
        surname, given = _chosen("surname", drawn), _chosen("given", drawn >> 20)
        return f"{surname[0]} {given[0]}" if self._side == _ENGLISH else surname[1] + given[1]


def _chosen(kind: str, drawn: int) -> tuple[str, str]:
    return _lexeme(kind, drawn % len(lexicon()[kind]))


def _lexeme(kind: str, index: int) -> tuple[str, str]:
    return lexicon()[kind][index]


def parallel_sentences(number: int) -> list[tuple[str, str]]:
    """Return the title and the sentences of a passage as pairs of English and Chinese, which say the same."""
    both = [Writer(number, language, is_parallel=True) for language in LANGUAGES]
    english, chinese = ([writer.title(), *_flat(writer)] for writer in both)
    return list(zip(english, chinese, strict=True))


def _flat(writer: Writer) -> list[str]:
    return [sentence for k in range(writer.num_paragraphs) for sentence in writer.paragraph(k)]
