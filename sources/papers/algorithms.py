"""Algorithms of the packages algorithmic and algpseudocode: a line for each statement, keywords as printed."""

from collections.abc import Mapping

from sources.papers.blocks import LINE_BREAK, STRONG, STRONG_END
from sources.papers.content_reader import ContentReader
from sources.papers.running_text import unknown

ENVIRONMENT = "algorithmic"
# Keyword before the argument, number of arguments, keyword after it.
_STATEMENTS: Mapping[str, tuple[str, int, str]] = {
    "State": ("", 0, ""), "Statex": ("", 0, ""), "If": ("if", 1, "then"), "Else": ("else", 0, ""),
    "ElsIf": ("else if", 1, "then"), "EndIf": ("end if", 0, ""), "For": ("for", 1, "do"),
    "ForAll": ("for all", 1, "do"), "EndFor": ("end for", 0, ""), "While": ("while", 1, "do"),
    "EndWhile": ("end while", 0, ""), "Repeat": ("repeat", 0, ""), "Until": ("until", 1, ""), "Loop": ("loop", 0, ""),
    "EndLoop": ("end loop", 0, ""), "Require": ("Require:", 0, ""), "Ensure": ("Ensure:", 0, ""),
    "Procedure": ("procedure", 2, ""), "EndProcedure": ("end procedure", 0, ""), "Function": ("function", 2, ""),
    "EndFunction": ("end function", 0, ""),
}  # fmt: skip
_IN_LINES: Mapping[str, tuple[str, int, str]] = {
    "Return": ("return", 0, ""), "Comment": ("", 1, ""), "Print": ("print", 0, ""), "Call": ("", 2, ""),
    "And": ("and", 0, ""), "Or": ("or", 0, ""), "Not": ("not", 0, ""), "To": ("to", 0, ""), "True": ("true", 0, ""),
    "False": ("false", 0, ""),
}  # fmt: skip
COMMANDS: Mapping[str, tuple[str, int, str]] = {
    f"\\{written}": parts for name, parts in {**_STATEMENTS, **_IN_LINES}.items() for written in (name, name.upper())
}
_WITHOUT_NUMBER = ("\\require", "\\ensure", "\\statex")
_LINES = frozenset(f"\\{written}" for name in _STATEMENTS for written in (name, name.upper()))


def statement(reader: ContentReader, token: str) -> None:
    """Read a command of an algorithm; elsewhere it is an unknown one."""
    if ENVIRONMENT not in reader.lists:
        unknown(reader, token)
        return
    before, num_arguments, after = COMMANDS[token]
    if token in _LINES:
        if "".join(reader.text).strip():
            reader.text.append(LINE_BREAK)
        reader.tokens.optional()
        if reader.has_line_numbers and token.lower() not in _WITHOUT_NUMBER:
            reader.label()
    _keyword(reader, before)
    arguments = [reader.tokens.argument() for _ in range(num_arguments)]
    if num_arguments == 2:
        reader.run([*arguments[0], "(", *arguments[1], ")"])
    elif arguments:
        reader.run(arguments[0])
        reader.text.append(" ")
    _keyword(reader, after)


def _keyword(reader: ContentReader, words: str) -> None:
    if words:
        reader.text += [STRONG, words, STRONG_END, " "]
