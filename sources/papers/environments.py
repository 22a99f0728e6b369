r"""Environments by their names: formulas, tables, floats, lists, theorems and others; and the items of lists."""

from sources.papers import commands
from sources.papers.blocks import STRONG, STRONG_END, Hole
from sources.papers.content_reader import ContentReader
from sources.papers.figures import float_of, picture
from sources.papers.math_mode import end_of, equations
from sources.papers.tables import table


def begin(reader: ContentReader, token: str) -> None:
    r"""Read \begin, and whole environments of those that are no running text."""
    name = "".join(reader.tokens.argument())
    if reader.tokens.begin(name):
        return
    base = name.removesuffix("*")
    reader.tokens.open_scope()
    if base in commands.MATH:
        equations(reader, name)
        reader.tokens.close_scope()
        return
    reader.closers.append([])
    if base in commands.DRAWN or name in commands.DRAWN:
        reader.tokens.until(end_of(name))
        picture(reader)
        reader.close_environment()
    elif base in commands.TABLES:
        table(reader, name)
        reader.close_environment()
    elif base in commands.FLOATS:
        float_of(reader, name)
    elif base in commands.LISTS:
        reader.flush()
        options = reader.arguments(commands.ENVIRONMENTS.get(name, "o"))
        reader.lists.append(name)
        reader.has_line_numbers = options[:1] == [["1"]]  # of an algorithm
    elif base in reader.tokens.theorems or base in commands.THEOREMS:
        _theorem(reader)
    else:
        reader.arguments(commands.ENVIRONMENTS.get(name, "o"))
        _other(reader, base)


def _theorem(reader: ContentReader) -> None:
    reader.flush()
    reader.kind = "paragraph"
    reader.text.append(STRONG)
    reader.object(Hole("label"))
    reader.text.append(STRONG_END + " ")
    note = reader.tokens.optional()
    if note is not None:
        reader.run(["(", *note, ")", " "])


def _other(reader: ContentReader, name: str) -> None:
    reader.flush()
    if name == "abstract":
        reader.literal("heading", "Abstract", 2)
    elif name == "thebibliography":
        reader.literal("heading", "Bibliography" if reader.is_book else "References", 2)


def item(reader: ContentReader, token: str) -> None:
    """Read the beginning of an item of a list."""
    reader.flush()
    label = reader.tokens.optional()
    reader.kind, reader.level = "item", max(0, len(reader.lists) - 1)
    if label is not None:
        is_description = reader.lists and "desc" in reader.lists[-1]
        reader.run([STRONG, *label, STRONG_END] if is_description else label)
        reader.text.append(" ")
    elif reader.lists and "enum" in reader.lists[-1]:
        reader.label()
