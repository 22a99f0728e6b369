"""Markdown as text: the paragraphs, headings, list items and cells of a document, without its marks."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sources.base.source import InputError

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_BYTES = 1 << 26  # of a Markdown file: the parser reads it whole


def read_markdown(path: Path) -> str:
    """Return the text of a Markdown file without front matter; bytes that are not UTF-8 are surrogates.

    Raises:
        InputError: the file is too large.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError("too_large", f"a Markdown file may have {MAX_BYTES:,} bytes; name large texts .txt or .jsonl")
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    return text[4:].partition("\n---\n")[2] if text.startswith("---\n") and "\n---\n" in text[4:] else text


def markdown_paragraphs(path: Path) -> Iterator[str]:
    """Yield the text of each block of a Markdown file, in order.

    A row of a table is one text, its cells separated by semicolons. Code, HTML and front matter are left out: they
    are no running text. `surrogateescape` keeps bytes that are not UTF-8 recognizable.

    Raises:
        InputError: the file is too large.
    """
    from markdown_it import MarkdownIt  # an optional dependency

    text = read_markdown(path)
    cells: list[str] = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type in ("th_open", "td_open"):
            cells.append("")
        elif token.type == "tr_close":
            row = "; ".join(cell for cell in cells if cell)
            cells = []
            if row:
                yield row
        elif token.type == "inline":
            written = _inline_text(token.children or ())
            if cells:
                cells[-1] = written
            elif written:
                yield written


def _inline_text(tokens: "Iterable[Token]") -> str:
    parts = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(token.content)
    return " ".join("".join(parts).split())
