"""Texts as HTML and as Markdown."""

import html
import re

from sources.ocr.countable import countable

_MARKDOWN_SIGNS = re.compile(r"([\\*`|<#])")
# Underscores between letters, or before a space, open no emphasis: blanks of forms and exams stay as they are printed.
_OPENING_UNDERSCORES = re.compile(r"(?<![^\W_])(?<!_)_+(?=[^\s_])|^[_\s]*_[_\s]*$")


def escape_html(text: str) -> str:
    """Return a text as HTML."""
    return html.escape(text, quote=False)


def escape_markdown(text: str) -> str:
    """Return a text as Markdown: what can be read of it, with characters escaped that have a meaning in Markdown."""
    signs = _MARKDOWN_SIGNS.sub(r"\\\1", countable(text))
    return _OPENING_UNDERSCORES.sub(lambda run: run[0].replace("_", r"\_"), signs)
