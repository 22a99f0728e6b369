"""The bundled words, texts, code listings and formulas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.config_file import load_data

CORPUS = Path(__file__).parent / "corpus"
LANGUAGES = ("en", "zh")  # of the bundled texts and words


@dataclass(frozen=True, slots=True)
class CodeListing:
    """Source code and the name of its language."""

    language: str
    lines: tuple[str, ...]


def furniture_language(language: str) -> str:
    """Return the language of titles, labels and names on a page whose text is in `language`."""
    return language if language in LANGUAGES or language in _load_furniture() else "en"


@lru_cache(maxsize=1)
def _load_furniture() -> Mapping[str, Any]:
    furniture: Mapping[str, Any] = load_data(CORPUS / "furniture.yaml")
    return furniture


@lru_cache(maxsize=1)
def _load_vocabulary() -> Mapping[str, Any]:
    vocabulary: Mapping[str, Any] = load_data(CORPUS / "vocabulary.yaml")
    return vocabulary


def words(kind: str, language: str) -> Sequence[str]:
    """Return a word list of the vocabulary, e.g. `people`."""
    found: Sequence[str] = (
        _load_vocabulary()[kind][language] if language in LANGUAGES else _load_furniture()[language][kind]
    )
    return found


def fields(language: str) -> list[tuple[str, str]]:
    """Return the fields of forms: their label and their type."""
    return [(name, kind) for name, kind in _load_vocabulary()["fields"][language]]


@lru_cache(maxsize=1)
def measure_ranges() -> list[tuple[float, float, int]]:
    """Return the least and greatest value and the decimals of each measure, in the order of the word list."""
    return [(low, high, decimals) for low, high, decimals in _load_vocabulary()["measure_ranges"]]


@lru_cache(maxsize=32)
def months(language: str) -> Sequence[str]:
    """Return the names of the months."""
    from babel.dates import get_month_names  # an optional dependency

    names = get_month_names("wide", context="stand-alone", locale=language)
    return [str(names[k]) for k in range(1, 13)]


def label(name: str, language: str, /, **values: object) -> str:
    """Return a label that is printed on pages, e.g. `total`."""
    if language in LANGUAGES:
        return str(_load_vocabulary()["labels"][name][language]).format(**values)
    return str(_load_furniture()[language]["labels"][name]).format(**values)


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
