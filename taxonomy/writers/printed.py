"""Texts as they are printed, for answers that repeat a page in another form: without the marks of Markdown."""

import re

from taxonomy.writers.page import Page

_MARK = re.compile(r"^ *(#{1,6}|[-*+>]) +")
_ESCAPE = re.compile(r"\\([^\w\s])")
_BOLD = re.compile(r"\*\*|__")
# What has no printed form in one line: rows of tables, code, formulas, pictures and links.
_OTHER_FORM = re.compile(r"^\|.*\|$|^(?:```|~~~)|</?(?:br|t[dhr]|table|sub|sup)\b|\$\$|\$[^$]*\\[a-z]|!\[|\]\(")
_OPERATOR = re.compile("[∂∆∏∑√∞∩∪∈∉⊂⊆∀∃∫≤≥≠≈⇒]")
MAX_OPERATORS = 3  # of a page's text; formulas have places above and below the line, which a text has not


def printed_text(page: Page) -> str:
    """Return the page's text without marks that are not printed; empty if it has parts that have another form."""
    words = set(page.words)
    found = []
    for line in page.text.split("\n"):
        if _OTHER_FORM.search(line.strip()) and "|" not in words and "```" not in words:
            return ""
        mark = _MARK.match(line)
        if mark is not None and mark[1] not in words:
            line = line[mark.end() :]
        found.append(_ESCAPE.sub(r"\1", _BOLD.sub("", line)))
    return "\n".join(found)


def printed_lines(page: Page) -> list[str]:
    """Return the lines of `printed_text` that are not empty."""
    return [line.strip() for line in printed_text(page).split("\n") if line.strip()]


def has_formulas(page: Page) -> bool:
    """Return True if the text has signs of formulas, of which it tells the characters but not their places."""
    return len(_OPERATOR.findall(page.text)) >= MAX_OPERATORS
