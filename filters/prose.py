"""Prose in a text: lines of words, as opposed to tables, code, contents, forms and formulas."""

import re

MIN_LETTERS = 0.8  # of the visible characters of a line
MAX_CAPITALS = 0.5  # of its letters: signal names, part lists and headings are in capitals
MIN_LINE_WORDS = 5
MIN_WORDS = 20  # of prose in a text that is judged
WORDS_PER_IDEOGRAPH = 0.5
# Vowel signs and accents belong to their letters, but are no letters to Python.
_NO_LETTER = re.compile(r"[^\w\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u109f\u1780-\u17ff]|[\d_]")
_WITHOUT_SPACES = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)  # Thai, Lao, Burmese, Khmer, Chinese and Japanese


def prose(text: str, max_chars: int) -> str:
    """Return the lines of prose in a text, joined by spaces; nothing if they have fewer than `MIN_WORDS` words.

    A line of prose consists of letters and has several words, most of them not in capitals. Of scripts without spaces,
    two characters count as a word.

    Args:
        max_chars: search for more lines ends when this many characters are found.
    """
    found, num_chars, num_words = [], 0, 0.0
    for line in text.splitlines():
        words = _words_of_prose(line)
        if words:
            found.append(line.strip())
            num_chars += len(line)
            num_words += words
            if num_chars >= max_chars:
                break
    return " ".join(found) if num_words >= MIN_WORDS else ""


def _words_of_prose(line: str) -> float:
    """Return the number of words of a line; 0 if it is no prose."""
    visible = "".join(line.split())
    if len(_NO_LETTER.findall(visible)) > (1 - MIN_LETTERS) * len(visible):
        return 0
    num_ideographs = 0 if line.isascii() else len(_WITHOUT_SPACES.findall(visible))
    num_words = num_ideographs * WORDS_PER_IDEOGRAPH or sum(len(word) > 1 for word in line.split())
    if num_words < MIN_LINE_WORDS or sum(map(str.isupper, visible)) > MAX_CAPITALS * len(visible):
        return 0
    return num_words
