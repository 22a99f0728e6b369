"""The bundled words, texts, listings and formulas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.config_file import load_data

CORPUS = Path(__file__).parent / "corpus"
LANGUAGES = ("en", "zh")  # that there are bundled texts and words in


@dataclass(frozen=True, slots=True)
class Listing:
    """Source code and the name of its language."""

    language: str
    lines: tuple[str, ...]


def furniture_language(language: str) -> str:
    """The language of what pages themselves say (titles, labels, names), where their text is in this one."""
    return language if language in LANGUAGES else "en"


@lru_cache(maxsize=1)
def _vocabulary() -> Mapping[str, Any]:
    content: Mapping[str, Any] = load_data(CORPUS / "vocabulary.yaml")
    return content


def words(kind: str, language: str) -> Sequence[Any]:
    """A list of the vocabulary, e.g. `people`."""
    return _vocabulary()[kind][language]


def label(name: str, language: str, /, **values: object) -> str:
    """What a page itself says, e.g. `total`."""
    return str(_vocabulary()["labels"][name][language]).format(**values)


@lru_cache(maxsize=1)
def listings() -> tuple[Listing, ...]:
    """Short programs."""
    found = []
    for text in (CORPUS / "code.txt").read_text(encoding="utf-8").split("### ")[1:]:
        language, *lines = text.rstrip().split("\n")
        found.append(Listing(language, tuple(lines)))
    return tuple(found)


@lru_cache(maxsize=1)
def formulas() -> tuple[str, ...]:
    """Formulas as TeX, without dollar signs."""
    return tuple((CORPUS / "formulas.txt").read_text(encoding="utf-8").split("\n")[:-1])
