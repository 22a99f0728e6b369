r"""TeX as tokens: control sequences, runs of letters, single characters, and text that is kept as it is (verbatim)."""

import re
from collections.abc import Iterator
from typing import Self

from sources.papers.code_marks import DEFINING, CodeMarks

PARAGRAPH = "\\par"
# Environments whose content is no part of the document.
LEFT_OUT = ("comment", "filecontents", "filecontents*", "CCSXML")
_BEGIN = re.compile(r"\\begin\s*\{([\w@*:-]+)\}")
_TITLE = re.compile(r"\btitle\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}")  # of a box of code
_VERB = re.compile(r"\\(?:verb|lstinline|Verb)\b\*?(?:\[[^\]\n]*\])?\s?([^A-Za-z\s*])")
_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]+)|\\(?P<symbol>.)|%(?P<comment>[^\n]*)(?:\n[ \t]*(?=(?P<blank>\n?))|$)|(?P<space>\s+)"
    r"|(?P<run>[A-Za-z0-9]+)|(?P<other>.)|\\$",
    re.DOTALL,
)
_INTERNAL = re.compile(_TOKEN.pattern.replace("[A-Za-z]+)|\\\\(?P<symbol", "[A-Za-z@]+)|\\\\(?P<symbol"), re.DOTALL)
_AFTER_WORD = re.compile(r"[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000-\uf8ff\ufffe\uffff\ud800-\udfff]")


class Raw(str):
    """Text that TeX does not interpret.

    Args:
        kind: `inline` or `block` for code, `text` for a part of the text around it.
    """

    __slots__ = ("kind",)
    kind: str

    def __new__(cls, text: str, kind: str) -> Self:
        raw = super().__new__(cls, text)
        raw.kind = kind
        return raw


def decode(data: bytes) -> str:
    """Return the text of a TeX file: UTF-8, else Windows-1252; control and private-use characters are removed."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_command(token: str) -> bool:
    """Return True for a control sequence."""
    return token[0] == "\\" and len(token) > 1 and not isinstance(token, Raw)


def tokens(text: str, *, internal: bool = False, code: CodeMarks | None = None) -> Iterator[str]:
    r"""Yield the tokens of a text. A control sequence begins with a backslash; white space is one space.

    Args:
        internal: `@` is a letter, as after `\makeatletter`.
        code: how the paper marks code; what the text says about that is added.
    """
    code = code or CodeMarks()
    place, end = 0, len(text)
    pattern = _INTERNAL if internal else _TOKEN
    while place < end:
        found = pattern.match(text, place)
        assert found is not None
        kind = found.lastgroup if found.lastgroup != "blank" else "comment"
        start, place = place, found.end()
        if kind == "word":
            name = found[0]
            if name == "\\begin":
                raw = _BEGIN.match(text, start)
                if raw is not None and (raw[1] in code.environments or raw[1] in LEFT_OUT):
                    content, options, place = _environment(text, raw)
                    if raw[1] in code.environments:
                        title = _TITLE.search(options)
                        yield from (*tokens(title[1]), PARAGRAPH) if title else ()
                        yield Raw(content, "block")
                    continue
            elif name in ("\\verb", "\\lstinline", "\\Verb"):
                verb = _VERB.match(text, start)
                if verb is not None:
                    content, place = _inline(text, verb)
                    yield Raw(content, "inline")
                    continue
            elif name in DEFINING:
                place = code.learn(text, start) or place
                if place > found.end():
                    continue
            elif name in ("\\makeatletter", "\\makeatother"):
                pattern = _INTERNAL if name == "\\makeatletter" else _TOKEN
            yield name
            place = _AFTER_WORD.match(text, place).end()  # type: ignore[union-attr]  # matches always
        elif kind == "space":
            yield PARAGRAPH if found[0].count("\n") > 1 else " "
        elif kind == "comment":
            if found["blank"]:
                yield PARAGRAPH
        elif found[0] in code.signs:
            content, end_of_code = _between(text, place, found[0])
            place = end_of_code or place
            yield Raw(content, "inline") if end_of_code else found[0]
        elif found[0]:
            yield found[0]


def _environment(text: str, begin: re.Match[str]) -> tuple[str, str, int]:
    """Return the content of an environment, the options on its first line, and the place after it."""
    end = text.find(f"\\end{{{begin[1]}}}", begin.end())
    if end < 0:
        return text[begin.end() :], "", len(text)
    content = text[begin.end() : end]
    first, _, rest = content.partition("\n")  # options are on the line of \begin
    has_options = not first.strip() or first.lstrip()[:1] in "[{%"
    after = end + len(f"\\end{{{begin[1]}}}")
    return (rest, first, after) if has_options else (content, "", after)


def _inline(text: str, verb: re.Match[str]) -> tuple[str, int]:
    content, end = _between(text, verb.end(), "}" if verb[1] == "{" else verb[1])
    return content, end or verb.end()


def _between(text: str, start: int, mark: str) -> tuple[str, int]:
    """Return the text up to a mark on its line, and the end of the mark; 0 if there is none: TeX would stop there."""
    end = text.find(mark, start)
    line = text.find("\n", start)
    return ("", 0) if end < 0 or 0 <= line < end else (text[start:end], end + 1)
