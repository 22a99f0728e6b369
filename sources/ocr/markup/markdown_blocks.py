"""Markdown documents as blocks of HTML: headings, paragraphs, lists, tables, quotations and code, each by itself."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sources.ocr.markup.elements import Element, parse
from sources.text.fonts import FontError, fonts_for, missing

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_BLOCK = 100_000  # characters of a block
MAX_WORD, MAX_CODE_WORD = 40, 50  # characters that fit into a line
MAX_TABLE = 55  # characters of the longest words of the columns of a table together
KEPT_CONTROLS = "\n\t"


def markdown_blocks(text: str) -> Iterator[str]:
    """Yield the top-level blocks of a Markdown text as HTML. HTML in it is left out, but for line breaks."""
    from markdown_it import MarkdownIt  # an optional dependency

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    env: dict[str, Any] = {}
    group: list[Token] = []
    for token in markdown.parse(text, env):
        if token.type != "html_block":
            group.append(_cleaned(token))
        if token.level == 0 and token.nesting <= 0 and group:
            yield markdown.renderer.render(group, markdown.options, env)
            group = []


def _cleaned(token: "Token") -> "Token":
    """Return a token without HTML of the author and without styles, in place."""
    if token.type in ("td_open", "th_open") and "style" in token.attrs:
        token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}
    for child in token.children or ():
        if child.type == "html_inline":
            child.type = "hardbreak" if child.content.lower().startswith("<br") else "text"
            child.content = ""
    return token


def usable_blocks(text: str, language: str, dropped: Counter[str]) -> Iterator[str]:
    """Yield the blocks of a Markdown text that can be printed; the others are counted by the reason.

    Args:
        language: of the text, in whose fonts it is printed.
    """
    for html in markdown_blocks(_normalized(text)):
        reason = _reason(html, language)
        if reason:
            dropped[f"markdown_{reason}"] += 1
        else:
            yield html


def _normalized(text: str) -> str:
    """Return a text without characters that print nothing."""
    kept = (c for c in unicodedata.normalize("NFC", text) if c in KEPT_CONTROLS or not _is_silent(c))
    return "".join(" " if c != "\n" and unicodedata.category(c) == "Zs" else c for c in kept)


def _is_silent(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") or 0xFE00 <= ord(character) <= 0xFE0F


def _reason(html: str, language: str) -> str:
    """Return why a block cannot be printed; empty if it can."""
    if len(html) > MAX_BLOCK:
        return "too_long"
    body, problems = parse(html)
    if problems:
        return "too_deep"
    text = "".join(part.text for part in body.texts())
    if not text.strip() and not any(element.tag in ("hr", "img") for element in body.elements()):
        return "empty"
    if any(unicodedata.category(character) in ("Cn", "Co", "Cs") for character in text):
        return "unassigned_character"
    if not _can_be_drawn("".join(sorted({sign for sign in text if not sign.isspace()})), language):
        return "no_font"
    return _too_wide(body)


def _too_wide(body: Element) -> str:
    for element in body.elements():
        if element.tag == "table" and sum(_column_widths(element)) > MAX_TABLE:
            return "wide_table"
        if element.tag == "pre":
            most = MAX_CODE_WORD
        elif element.tag in ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6"):
            most = MAX_WORD
        else:
            continue
        words = "".join(part.text for part in element.texts()).split()
        if any(len(word) > most and word.isascii() for word in words):
            return "long_word"
    return ""


def _column_widths(table: Element) -> Sequence[int]:
    """Return the length of the longest word of each column."""
    widths: Counter[int] = Counter()
    for row in (element for element in table.elements() if element.tag == "tr"):
        cells = [cell for cell in row.children if isinstance(cell, Element)]
        for k, cell in enumerate(cells):
            words = "".join(part.text for part in cell.texts()).split()
            widths[k] = max([widths[k], 2, *map(len, words)])
    return list(widths.values())


@lru_cache(maxsize=10_000)
def _can_be_drawn(signs: str, language: str) -> bool:
    """Return whether one font of running text has all of some characters."""
    try:
        return any(not missing(signs, font) for font in fonts_for(language, ("serif", "sans")))
    except FontError:
        return False
