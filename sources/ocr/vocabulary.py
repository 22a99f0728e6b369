"""The bundled words, texts, code listings and formulas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.config_file import load_data
from sources.ocr.writing.traditional import TRADITIONAL, to_traditional
from sources.text.languages import locale_of

CORPUS = Path(__file__).parent / "corpus"
LANGUAGES = ("en", "zh")  # of the texts that are made without a setting
OWN = ("ja", "ko", "th")  # with a file of words of their own
BUNDLED = (*LANGUAGES, TRADITIONAL, *OWN)  # of the bundled texts and words


@dataclass(frozen=True, slots=True)
class CodeListing:
    """Source code and the name of its language."""

    language: str
    lines: tuple[str, ...]


def furniture_language(language: str) -> str:
    """Return the language of titles, labels and names on a page whose text is in `language`."""
    return language if language in BUNDLED or language in _load_furniture() else "en"


@lru_cache(maxsize=1)
def _load_furniture() -> Mapping[str, Any]:
    furniture: Mapping[str, Any] = load_data(CORPUS / "furniture.yaml")
    return furniture


@lru_cache(maxsize=len(OWN))
def _load_own(language: str) -> Mapping[str, Any]:
    own: Mapping[str, Any] = load_data(CORPUS / "languages" / f"{language}.yaml")
    return own


def _words_of(language: str) -> Mapping[str, Any]:
    return _load_own(language) if language in OWN else _load_furniture()[language]


@lru_cache(maxsize=1)
def _load_vocabulary() -> Mapping[str, Any]:
    vocabulary: Mapping[str, Any] = load_data(CORPUS / "vocabulary.yaml")
    return vocabulary


def words(kind: str, language: str) -> Sequence[str]:
    """Return a word list of the vocabulary, e.g. `people`."""
    if language == TRADITIONAL:
        return [to_traditional(word) for word in words(kind, "zh")]
    found: Sequence[str] = _load_vocabulary()[kind][language] if language in LANGUAGES else _words_of(language)[kind]
    return found


def fields(language: str) -> list[tuple[str, str]]:
    """Return the fields of forms: their label and their type."""
    if language == TRADITIONAL:
        return [(to_traditional(name), kind) for name, kind in fields("zh")]
    found = _load_own(language)["fields"] if language in OWN else _load_vocabulary()["fields"][language]
    return [(name, kind) for name, kind in found]


@lru_cache(maxsize=1)
def measure_ranges() -> list[tuple[float, float, int]]:
    """Return the least and greatest value and the decimals of each measure, in the order of the word list."""
    return [(low, high, decimals) for low, high, decimals in _load_vocabulary()["measure_ranges"]]


@lru_cache(maxsize=32)
def months(language: str) -> Sequence[str]:
    """Return the names of the months."""
    from babel.dates import get_month_names  # an optional dependency

    names = get_month_names("wide", context="stand-alone", locale=locale_of(language))
    return [str(names[k]) for k in range(1, 13)]


def label(name: str, language: str, /, **values: object) -> str:
    """Return a label that is printed on pages, e.g. `total`."""
    return _label_form(name, language).format(**values)


@lru_cache(maxsize=1024)
def _label_form(name: str, language: str) -> str:
    if language == TRADITIONAL:
        return to_traditional(_label_form(name, "zh"))
    if language in LANGUAGES:
        return str(_load_vocabulary()["labels"][name][language])
    return str(_words_of(language)["labels"][name])


@lru_cache(maxsize=1)
def listings() -> tuple[CodeListing, ...]:
    """Return short programs."""
    found = []
    for text in (CORPUS / "code.txt").read_text(encoding="utf-8").split("### ")[1:]:
        language, *lines = text.rstrip().split("\n")
        found.append(CodeListing(language, tuple(lines)))
    return tuple(found)


@lru_cache(maxsize=1)
def formulas() -> tuple[str, ...]:
    """Return formulas as TeX, without dollar signs."""
    return tuple((CORPUS / "formulas.txt").read_text(encoding="utf-8").split("\n")[:-1])
