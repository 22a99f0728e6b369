"""Headings, and the title with its parts."""

from sources.papers import commands
from sources.papers.content_reader import ContentReader


def heading(reader: ContentReader, token: str) -> None:
    """Read a heading."""
    reader.flush()
    is_numbered = not reader.tokens.star()
    reader.tokens.optional()
    title = reader.tokens.argument()
    with reader.apart("heading", level=commands.SECTIONS[token]):
        if is_numbered:
            reader.label()
        reader.run(title)


def front_part(reader: ContentReader, token: str) -> None:
    """Read a part of the title, which is printed later."""
    parts = reader.arguments(commands.FRONT[token])
    kept, reader.content.blocks = reader.content.blocks, []
    with reader.apart("title" if token == "\\title" else "front", "front"):
        reader.run(parts[-1] or [])
    reader.front += reader.content.blocks
    reader.content.blocks = kept


def make_title(reader: ContentReader, token: str) -> None:
    r"""Read \maketitle."""
    reader.print_front()
