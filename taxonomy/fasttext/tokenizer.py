"""Tokenizes prompts for fastText: words, single Chinese characters and pairs, numbers by their length, and forms."""

import re
import unicodedata
from functools import lru_cache

from taxonomy.fasttext.forms import forms_of

MAX_CHARS = 600  # of a longer prompt only both ends are used: the request is at its beginning or end
_PIECE = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_]+)?|\d+|[?!%$€£¥=+<>{}\[\]/\\@#]")


@lru_cache(maxsize=1 << 16)  # prompts of users and datasets are often repeated
def line_of(prompt: str) -> str:
    """Return the prompt as one line of tokens, separated by spaces."""
    if len(prompt) > MAX_CHARS:
        prompt = f"{prompt[: MAX_CHARS // 2]} {prompt[-MAX_CHARS // 2 :]}"
    tokens: list[str] = []
    plain = unicodedata.normalize("NFKC", prompt).casefold()
    for piece in _PIECE.findall(plain):
        if piece[0] >= "\u3400" and piece[0] <= "\u9fff":
            tokens.extend(piece)
            tokens.extend(piece[k : k + 2] for k in range(len(piece) - 1))
        elif piece.isdigit():
            tokens.append(f"<{min(len(piece), 5)}digits>")
        else:
            tokens.append(piece)
    tokens.extend(forms_of(plain))
    return " ".join(tokens)
