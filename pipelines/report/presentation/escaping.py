"""Escaping: names and messages come from strangers; here they become harmless text for a card or a report."""

import re
import unicodedata
from typing import Any

MAX_CHARS = 500  # of one name or message shown; the ledger keeps it whole
JOINERS = "\u200c\u200d"  # invisible, but part of ordinary Persian, Hindi and emoji
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$]|^[#>+=-])")
# Markup and the addresses that readers of Markdown make links of by themselves.
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), ("://", "&#58;//"), ("www.", "www&#46;"), ("@", "&#64;"))
_CODE = re.compile(r"`([^`]+)`")


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""


def visible(text: str, limit: int = MAX_CHARS) -> str:
    """One line of text without characters that hide, reorder or break it; those are written as `\\u{202e}`.

    Args:
        limit: longer texts lose their middle, so that a path keeps its file name.
    """
    if len(text) > limit:
        text = f"{text[: limit // 3]} … {text[-(limit - limit // 3) :]}"
    return "".join(f"\\u{{{ord(c):x}}}" if _is_hidden(c) else c for c in text)


def _is_hidden(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character not in JOINERS


def markdown(value: Any) -> Markdown:
    """A value as Markdown that shows it literally, also inside a table cell; `Markdown` stays as it is."""
    if isinstance(value, Markdown):
        return value
    text = _MARKDOWN.sub(r"\\\1", visible(str(value)))
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return Markdown(text)


def code(value: Any) -> Markdown:
    """A value as a code span, also inside a table cell."""
    text = visible(str(value)).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}") if text else Markdown("")


def code_block(text: str, language: str = "") -> Markdown:
    """A fenced block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def split_code(text: str) -> list[tuple[str, bool]]:
    """Our own prose cut at its `code` spans: (piece, whether it is code)."""
    return [(piece, k % 2 == 1) for k, piece in enumerate(_CODE.split(text)) if piece]


def prose(text: str) -> Markdown:
    """Our own sentence as Markdown: code stays code, all else is escaped."""
    return Markdown("".join(f"`{piece}`" if is_code else markdown(piece) for piece, is_code in split_code(text)))
