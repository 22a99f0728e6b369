"""Prompts as lines for fastText: words apart, Chinese as characters and pairs of them, numbers by their shape."""

import re
import unicodedata
from functools import lru_cache

MAX_CHARS = 600  # of a prompt are looked at: what is asked stands at its beginning or its end
_PIECE = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_]+)?|\d+|[?!%$€£¥=+<>{}\[\]/\\@#]")


@lru_cache(maxsize=1 << 16)  # users repeat themselves, and so do the questions of a dataset
def line_of(prompt: str) -> str:
    """The prompt as one line of tokens, separated by spaces."""
    if len(prompt) > MAX_CHARS:
        prompt = f"{prompt[: MAX_CHARS // 2]} {prompt[-MAX_CHARS // 2 :]}"
    tokens: list[str] = []
    for piece in _PIECE.findall(unicodedata.normalize("NFKC", prompt).casefold()):
        if piece[0] >= "\u3400" and piece[0] <= "\u9fff":
            tokens.extend(piece)
            tokens.extend(piece[k : k + 2] for k in range(len(piece) - 1))
        elif piece.isdigit():
            tokens.append(f"<{min(len(piece), 5)}digits>")
        else:
            tokens.append(piece)
    return " ".join(tokens)
