"""Floats with their captions, and pictures."""

from sources.papers import commands
from sources.papers.blocks import Picture
from sources.papers.content_reader import ContentReader
from sources.papers.definitions import as_tex


def caption(reader: ContentReader, token: str) -> None:
    """Read a caption, which is a block of its own."""
    content = _text_of_caption(reader)
    reader.flush()
    _write_caption(reader, content)


def caption_of(reader: ContentReader, token: str) -> None:
    r"""Read \captionof."""
    reader.tokens.star()
    reader.tokens.argument()
    caption(reader, token)


def caption_in_table(reader: ContentReader) -> None:
    """Read a caption in a table that goes on behind it."""
    _write_caption(reader, _text_of_caption(reader))


def _text_of_caption(reader: ContentReader) -> list[str]:
    reader.tokens.star()
    reader.tokens.optional()
    return reader.tokens.argument()


def _write_caption(reader: ContentReader, content: list[str]) -> None:
    """Write a caption with its label."""
    with reader.apart("caption"):
        reader.label()
        reader.run(content)


def graphics(reader: ContentReader, token: str) -> None:
    r"""Read \includegraphics and its relatives."""
    reader.tokens.star()
    reader.tokens.optional()
    reader.tokens.optional()
    picture(reader, as_tex(reader.tokens.argument()).strip())


def picture(reader: ContentReader, name: str = "") -> None:
    """Write a picture: a block in a float, elsewhere a part of the text."""
    reader.object(Picture(name))
    if reader.group:
        reader.kind = "picture"
        reader.flush()
        reader.kind = "paragraph"


def float_of(reader: ContentReader, name: str) -> None:
    """Read a float, whose blocks belong together."""
    base = name.removesuffix("*")
    reader.arguments(commands.ENVIRONMENTS.get(base, "o"))
    reader.flush()
    kept = reader.stream, reader.group, reader.kind, reader.level
    if not reader.group:
        reader.num_groups += 1
        reader.group = reader.num_groups
    reader.stream = "tables" if commands.FLOATS[base] == "tables" else "figures"
    reader.kind, reader.level = "paragraph", 0
    while token := reader.tokens.next():
        if token == "\\end" and reader.end(stop=name):
            break
        if token != "\\end":
            reader.take(token)
    reader.flush()
    reader.stream, reader.group, reader.kind, reader.level = kept
