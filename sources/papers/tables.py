"""Tables: cells and rows, those that span others, and what stands in them."""

from sources.papers import commands
from sources.papers.blocks import CELL, LINE_BREAK, ROW, Block, Span
from sources.papers.content_reader import ContentReader
from sources.papers.figures import caption_in_table
from sources.papers.tokens import PARAGRAPH

MAX_SPAN = 100
_OUTSIDE = ("note", "caption")  # blocks in cells that are not part of the table
_PARTS = ("\\endhead", "\\endfirsthead", "\\endfoot", "\\endlastfoot")  # of a longtable


def table(reader: ContentReader, name: str) -> None:
    """Read a table."""
    reader.arguments(commands.TABLES[name.removesuffix("*")])
    outer, reader.text = reader.text, []
    reader.closers.append([])
    while token := reader.tokens.next():
        if token == "\\end":
            inner = "".join(reader.tokens.argument())
            if inner == name or inner == "document":
                break
            if not reader.tokens.end(inner):
                reader.close_environment()
        else:
            _token(reader, token)
    reader.close_group()
    text, reader.text = "".join(reader.text), outer
    _write(reader, text)


def _write(reader: ContentReader, text: str) -> None:
    if CELL not in text and ROW not in text.strip().rstrip(ROW):  # one cell only arranges its content
        reader.text.append(text.replace(ROW, " "))
    elif reader.text and CELL in "".join(reader.text):  # a table in a cell
        reader.text.append(text.replace(CELL, " ").replace(ROW, LINE_BREAK))
    else:
        reader.flush()
        reader.add(Block("table", text, stream=reader.stream, group=reader.group))


def _token(reader: ContentReader, token: str) -> None:
    if token == "&":
        _end_cell(reader, CELL)
    elif token in ("\\\\", "\\tabularnewline", "\\cr"):
        reader.tokens.star()
        reader.tokens.optional()
        _end_cell(reader, ROW)
    elif token == "\\multicolumn":
        _span(reader, columns=_number(reader))
    elif token == "\\multirow":
        reader.tokens.optional()
        _span(reader, rows=_number(reader))
    elif token == PARAGRAPH:
        reader.text.append(" ")
    elif token == "\\caption":
        caption_in_table(reader)
    elif token in _PARTS:
        if token.endswith("foot"):
            reader.text.clear()
    else:
        _take(reader, token)


def _end_cell(reader: ContentReader, mark: str) -> None:
    reader.text += [*reversed(reader.closers[-1]), mark]
    reader.closers[-1].clear()


def _take(reader: ContentReader, token: str) -> None:
    """Read a token in a cell; blocks inside of cells stay in their cells."""
    blocks = reader.content.blocks
    num = len(blocks)
    kind, reader.kind = reader.kind, "paragraph"
    reader.take(token)
    reader.kind = kind
    inner = [block for block in blocks[num:] if block.kind not in _OUTSIDE]
    if inner:
        blocks[num:] = [block for block in blocks[num:] if block.kind in _OUTSIDE]
        reader.text[:0] = [" ".join(block.text for block in inner if block.kind != "table")]


def _number(reader: ContentReader) -> int:
    text = "".join(reader.tokens.argument()).strip()
    return max(1, min(int(text), MAX_SPAN)) if text.isascii() and text.isdecimal() else 1


def _span(reader: ContentReader, *, columns: int = 1, rows: int = 1) -> None:
    reader.tokens.argument()
    reader.tokens.optional()
    reader.object(Span(columns, rows))
    reader.tokens.push(["{", *reader.tokens.argument(), "}"])
