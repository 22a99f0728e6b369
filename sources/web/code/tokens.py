"""Estimates the number of tokens of code without a tokenizer."""

import re

# Typical pieces of byte-pair tokenizers: a short word with the space before it, three digits, two punctuation marks, a
# run of white space, a single Chinese, Japanese or Korean character.
_PIECE = re.compile(
    r" ?[A-Za-z]+|\d{1,3}|\s+|[\u2e80-\u9fff\uac00-\ud7af]|[^\sA-Za-z\d\u2e80-\u9fff\uac00-\ud7af]{1,2}|."
)
LETTERS_PER_TOKEN = 7  # longer words have several pieces


def estimate_tokens(text: str) -> int:
    """Return the estimated number of tokens; `docs/sources/web_code.md` compares it with a tokenizer."""
    return sum(
        -(-len(piece.strip()) // LETTERS_PER_TOKEN) if piece[-1].isalpha() and piece.isascii() else 1
        for piece in _PIECE.findall(text)
    )
