"""The requests in a prompt or a conversation: clauses of one prompt, user turns of a conversation."""

import re
from collections.abc import Sequence

from sources.base.marks import IMAGE_PLACEHOLDER, unescaped
from sources.base.sample import Message

MAX_CLAUSES = 6
MIN_CLAUSE = 8  # letters, where a Chinese character counts as three; shorter pieces are not requests
_MAY_BREAK = re.compile(r"[.!?;。！？；\n,，)、]| and | then ", re.IGNORECASE)
_BREAK = re.compile(
    r"""[.!?;。！？；\n]+(?=\s|$|[\u3400-\u9fff])          # the end of a sentence
      | \s*\(?\b\d{1,2}[.)、](?=\s|[\u3400-\u9fff])        # 1) … 2) …
      | ,?\s+(?:and\ then|and\ also|then\ also|after\ that,?)\s | ,\s+then\s
      | [，,]\s*(?:然后|并且|另外|同时|再|顺便|以及|接着)(?=[\u3400-\u9fff])""",
    re.VERBOSE | re.IGNORECASE,
)


def clauses(prompt: str) -> list[str]:
    """Return the clauses of a prompt that may each be a request; empty if there is only one."""
    if _MAY_BREAK.search(prompt.rstrip(" .!?。！？\n")) is None:  # true of most prompts
        return []
    pieces = [piece.strip(" ,，、:：") for piece in _BREAK.split(prompt)]
    if len(pieces) == 1:
        return []
    asking = [piece for piece in pieces if _weight(piece) >= MIN_CLAUSE]
    return asking[:MAX_CLAUSES] if len(asking) > 1 else []


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(3 if letter >= "\u3400" else 1 for letter in text if letter.isalnum())


def user_turns(messages: Sequence[Message]) -> list[str]:
    """Return the user's messages of a conversation without image placeholders, leaving out empty ones."""
    asked = (message.content.replace(IMAGE_PLACEHOLDER, " ") for message in messages if message.role == "user")
    turns = (unescaped(text).strip() for text in asked)
    return [turn for turn in turns if turn]
