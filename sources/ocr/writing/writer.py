"""The writer of passages in a language: from the grammar of English and Chinese, or from the language's own."""

from typing import Protocol

from sources.ocr.writing.grammar import LANGUAGES, Writer
from sources.ocr.writing.own_grammar import OwnWriter
from sources.ocr.writing.traditional import TRADITIONAL, to_traditional


class PassageWriter(Protocol):
    """Writes the passage of a number."""

    @property
    def num_paragraphs(self) -> int: ...

    def title(self) -> str: ...

    def paragraph(self, number: int) -> tuple[str, ...]:
        """Return the sentences of a paragraph."""


class TraditionalWriter:
    """Writes the Chinese passage of a number in traditional characters."""

    def __init__(self, number: int):
        self._writer = Writer(number, "zh")
        self.num_paragraphs = self._writer.num_paragraphs

    def title(self) -> str:
        return to_traditional(self._writer.title())

    def paragraph(self, number: int) -> tuple[str, ...]:
        return tuple(map(to_traditional, self._writer.paragraph(number)))


def writer_of(number: int, language: str) -> PassageWriter:
    """Return the writer of the passage of a number."""
    if language == TRADITIONAL:
        return TraditionalWriter(number)
    return Writer(number, language) if language in LANGUAGES else OwnWriter(number, language)
