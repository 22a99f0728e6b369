r"""Running text: characters, accents, quotes and dashes, code, styles, and commands that leave text out."""

import re

from sources.papers import commands
from sources.papers.blocks import CODE, CODE_END, LINE_BREAK, OPENING, Block
from sources.papers.content_reader import ContentReader
from sources.papers.math_mode import dollar
from sources.papers.symbols import SIGNS, accented
from sources.papers.tokens import Raw

_TEXT = {"~": " ", "``": "“", "''": "”"}
_JOINED = {("-", "-"): "–", ("–", "-"): "—", ("<", "<"): "«", (">", ">"): "»"}  # ligatures of text fonts
_LENGTH = re.compile(r"\s*=?\s*-?[\d.]*\s*(?:true\s*)?(?:pt|mm|cm|in|ex|em|mu|bp|pc|dd|cc|sp|fil+)?")


def character(reader: ContentReader, token: str) -> None:
    """Read letters, or one other character."""
    joined = _JOINED.get((reader.text[-1], token)) if reader.text else None
    if token == "$":
        dollar(reader)
    elif joined and not _is_code(reader):
        reader.text[-1] = joined
    elif token == "{":
        reader.closers.append([])
    elif token == "}":
        reader.close_group()
    elif token == "`" or token == "'":
        _quote(reader, token)
    elif token == "&":
        reader.text.append(" ")
    else:
        reader.text.append(_TEXT.get(token, token))


def _quote(reader: ContentReader, token: str) -> None:
    last = reader.text[-1] if reader.text else ""
    single, double = ("‘", "“") if token == "`" else ("’", "”")
    if token == "`" and last in ("?", "!"):
        reader.text[-1] = {"?": "¿", "!": "¡"}[last]
    elif last == single:
        reader.text[-1] = double
    else:
        reader.text.append(single)


def _is_code(reader: ContentReader) -> bool:
    """Return True if the text that is open is in a font whose dashes and quotes are not joined."""
    return next((part == CODE for part in reversed(reader.text) if part in (CODE, CODE_END)), False)


def sign(reader: ContentReader, token: str) -> None:
    """Read a command that prints a character."""
    reader.text.append(SIGNS[token])


def accent(reader: ContentReader, token: str) -> None:
    """Read an accent with its letter."""
    base = reader.tokens.expanded(reader.tokens.argument())
    letters = "".join(SIGNS.get(part, part) for part in base if part not in "{}")
    reader.text.append(accented(token, letters))


def raw(reader: ContentReader, token: Raw) -> None:
    """Read text that TeX does not interpret."""
    if token.kind == "text":
        reader.text.append(str(token))
    elif token.kind == "inline":
        reader.text += [CODE, str(token), CODE_END]
    else:
        reader.flush()
        if token.strip():
            code = token.rstrip().lstrip("\n")
            reader.add(Block("code", code, stream=reader.stream, group=reader.group))


def space(reader: ContentReader, token: str) -> None:
    """Read a command that separates names."""
    reader.text.append(" ")


def new_line(reader: ContentReader, token: str) -> None:
    r"""Read `\\` outside of tables."""
    reader.tokens.star()
    _skip_options(reader)
    reader.text.append(LINE_BREAK)


def unknown(reader: ContentReader, token: str) -> None:
    """Leave a command out with its star; its arguments are text, but for those in brackets."""
    if reader.tokens.star():
        following = reader.tokens.raw()
        reader.tokens.push((following,) if following in ("{", "[") else ("*", following))
    _skip_options(reader)


def _skip_options(reader: ContentReader) -> None:
    following = reader.tokens.raw()
    reader.tokens.push((following,))
    if following == "[":
        reader.tokens.optional()


def styled(reader: ContentReader, token: str) -> None:
    """Read a command that sets its argument in a style."""
    mark = commands.STYLES[token]
    content = reader.tokens.argument()
    reader.tokens.push([mark, *content, OPENING[mark]])


def declared(reader: ContentReader, token: str) -> None:
    """Read a command that changes the style to the end of the group."""
    mark = commands.DECLARATIONS[token]
    reader.text.append(mark)
    reader.closers[-1].append(OPENING[mark])


def transparent(reader: ContentReader, token: str) -> None:
    """Read a command one of whose arguments is text."""
    spec = commands.TRANSPARENT[token]
    parts = reader.arguments(spec)
    if parts:
        reader.tokens.push(["{", *(parts[0 if spec[0] == "M" else -1] or ()), "}"])


def left_out(reader: ContentReader, token: str) -> None:
    """Leave out a command with its arguments."""
    reader.arguments(commands.LEFT_OUT[token])


def length(reader: ContentReader, token: str) -> None:
    """Leave out a command with the length that follows."""
    taken: list[str] = []
    token = reader.tokens.raw()
    while token in ("=", " ", "-", ".") or token[:1].isdigit():
        taken.append(token)
        token = reader.tokens.raw()
        if taken[-1][:1].isdigit() and token[:1].isalpha():
            taken.append(token)
            token = reader.tokens.raw()
    if token.startswith("\\") and "=" in taken and all(part in ("=", " ", "-") for part in taken):
        return  # another length
    text = "".join(taken)
    found = _LENGTH.match(text)
    rest = text[found.end() :] if found else text
    reader.tokens.push((rest, token) if rest else (token,))
    if token in ("plus", "minus"):
        reader.tokens.raw()
        length(reader, token)
