"""About how many tokens a text of code is, without a tokenizer."""

import re

# What byte-pair tokenizers take as one: a short word with the space before it, three digits, a run of punctuation of
# two, a run of white space; a character of Chinese, Japanese or Korean alone.
_PIECE = re.compile(
    r" ?[A-Za-z]+|\d{1,3}|\s+|[\u2e80-\u9fff\uac00-\ud7af]|[^\sA-Za-z\d\u2e80-\u9fff\uac00-\ud7af]{1,2}|."
)
LETTERS_PER_TOKEN = 7  # longer words are of several pieces


def estimate_tokens(text: str) -> int:
    """An estimate; `docs/sources/web_code.md` compares it with a tokenizer."""
    return sum(
        -(-len(piece.strip()) // LETTERS_PER_TOKEN) if piece[-1].isalpha() and piece.isascii() else 1
        for piece in _PIECE.findall(text)
    )
