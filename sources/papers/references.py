"""References, citations, footnotes, addresses, and the entries of a bibliography."""

from sources.papers import commands
from sources.papers.blocks import Hole
from sources.papers.content_reader import ContentReader
from sources.papers.definitions import as_tex


def reference(reader: ContentReader, token: str) -> None:
    r"""Read \ref and its relatives."""
    reader.tokens.star()
    for _ in range(2 if token in commands.TWO_LABELS else 1):
        reader.tokens.argument()
    reader.object(Hole("reference"))


def citation(reader: ContentReader, token: str) -> None:
    r"""Read \cite and its relatives."""
    reader.tokens.star()
    reader.tokens.optional()
    reader.tokens.optional()
    reader.tokens.argument()
    reader.object(Hole("citation"))


def note(reader: ContentReader, token: str) -> None:
    """Read a footnote with its mark."""
    reader.tokens.optional()
    reader.object(Hole("note"))
    _text_of_note(reader)


def note_mark(reader: ContentReader, token: str) -> None:
    """Read the mark of a footnote whose text is elsewhere."""
    reader.tokens.optional()
    reader.object(Hole("note"))


def note_text(reader: ContentReader, token: str) -> None:
    """Read a footnote whose mark is elsewhere."""
    reader.tokens.optional()
    _text_of_note(reader)


def _text_of_note(reader: ContentReader) -> None:
    with reader.apart("note", "notes"):
        reader.label()
        reader.run(reader.tokens.argument())


def entry(reader: ContentReader, token: str) -> None:
    r"""Read \bibitem."""
    reader.flush()
    reader.tokens.optional()
    reader.tokens.argument()
    reader.kind = "reference"
    reader.label()


def address(reader: ContentReader, token: str) -> None:
    r"""Read \url and its relatives."""
    reader.text.append(as_tex(reader.tokens.argument()))
