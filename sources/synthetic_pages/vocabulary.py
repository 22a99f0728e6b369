"""Load the vocabulary of synthetic pages from a YAML file, and choose words from it."""

import random as random_module
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.config_file import YamlFileError, read_yaml

BUNDLED = Path(__file__).with_name("vocabulary.yaml")
LANGUAGES = ("en", "zh")
MAX_BYTES = 1_000_000


class VocabularyError(YamlFileError):
    """An unusable vocabulary; the message is one sentence."""


@lru_cache(maxsize=4)
def load_vocabulary(path: Path) -> Mapping[str, Any]:
    """Read and check a vocabulary, which must have the sections of the bundled one. Raises YamlFileError."""
    content, _ = read_yaml(path, "the vocabulary", MAX_BYTES)
    bundled = content if path == BUNDLED else load_vocabulary(BUNDLED)
    if not isinstance(content, dict) or set(content) != set(bundled):
        raise VocabularyError(f"the vocabulary {path} must have the sections {', '.join(bundled)}")
    for section, entries in content.items():
        if isinstance(bundled[section], dict):
            if not isinstance(entries, dict) or set(entries) != set(bundled[section]):
                raise VocabularyError(f"{path}: {section} must have the entries {', '.join(bundled[section])}")
            entries = list(entries.values())
        shape = _describe_shape(
            next(iter(bundled[section].values())) if isinstance(bundled[section], dict) else bundled[section][0]
        )
        fixed = section in ("months", "weekdays", "columns")
        if not isinstance(entries, list) or not entries or (fixed and len(entries) != len(bundled[section])):
            raise VocabularyError(f"{path}: {section} must be a list of {len(bundled[section])} entries")
        for k, entry in enumerate(entries):
            if _describe_shape(entry) != shape:
                raise VocabularyError(f"{path}: {section}[{k}] must be {shape}, got {entry!r}")
    return content


def _describe_shape(entry: Any) -> str:
    """Return a description of the shape of an entry."""
    if isinstance(entry, list) and len(entry) == len(LANGUAGES):
        if all(isinstance(text, str) and text.strip() for text in entry):
            return "a pair of texts, English and Chinese"
        if all(isinstance(part, list) for part in entry):
            return (
                f"two of {_describe_shape(entry[0])}"
                if _describe_shape(entry[0]) == _describe_shape(entry[1])
                else "mixed"
            )
    return "something else"


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary in one language, with a random generator."""

    vocabulary: Mapping[str, Any]
    language: str
    random: random_module.Random

    def choose(self, section: str) -> Any:
        """Return a random entry of a list: a text, or a pair of texts."""
        return self.sample(section, 1)[0]

    def sample(self, section: str, number: int) -> list[Any]:
        """Return different random entries, at most as many as there are."""
        entries = self.vocabulary[section]
        return [self._localize(entry) for entry in self.random.sample(entries, min(number, len(entries)))]

    def all(self, section: str) -> list[str]:
        """Return all entries of a list, in order."""
        return [self._localize(entry) for entry in self.vocabulary[section]]

    def phrase(self, name: str, /, **values: object) -> str:
        """Return a text by name."""
        text: str = self._localize(self.vocabulary["phrases"][name])
        return text.format(**values) if values else text

    def sentences(self, num_sentences: int) -> str:
        """Return `num_sentences` random sentences, joined."""
        return ("" if self.language == "zh" else " ").join(self.sample("sentences", num_sentences))

    def _localize(self, entry: Sequence[Any]) -> Any:
        if isinstance(entry[0], str):
            return entry[LANGUAGES.index(self.language)]
        return tuple(self._localize(part) for part in entry)
