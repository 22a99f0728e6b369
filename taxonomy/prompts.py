"""The requests in a prompt or a conversation: clauses of one prompt, user turns of a conversation."""

import difflib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sources.base.marks import IMAGE_PLACEHOLDER, unescaped
from sources.base.sample import Message
from sources.config_file import ConfigFileError, Problem

MAX_CLAUSES = 12  # of a longer prompt only those at both ends: the request is at its beginning or end
MIN_CLAUSE = 8  # letters, where a Chinese character counts as three; shorter pieces are not requests
_MAY_BREAK = re.compile(r"[.!?;。！？；\n,，)、]| and | then ", re.IGNORECASE)
_BREAK = re.compile(
    r"""[.!?;。！？；\n]+(?=\s|$|[\u3400-\u9fff])          # the end of a sentence
      | \s*\(?\b\d{1,2}[.)、](?=\s|[\u3400-\u9fff])        # 1) … 2) …
      | ,?\s+(?:and\ then|and\ also|then\ also|after\ that,?)\s | ,\s+then\s
      | [，,]\s*(?:然后|并且|另外|同时|再|顺便|以及|接着)(?=[\u3400-\u9fff])""",
    re.VERBOSE | re.IGNORECASE,
)

_REQUEST = re.compile(
    r"^(?:please|pls|can|could|would|will|do|does|is|are|what|which|who|where|when|why|how|give|tell|show|list|count|read|write"
    r"|find|name|identify|describe|explain|summari[sz]e|translate|transcribe|convert|turn|make|compare|sort|solve|draw)\b"
    r"|[请帮]|什么|多少|[几哪吗]|怎么|怎样|为什么|^(?:写|翻译|读|数|找|把|给|列|说|算)",
    re.IGNORECASE,
)


def clauses(prompt: str) -> list[str]:
    """Return the clauses of a prompt that may each be a request; empty if there is only one."""
    if _MAY_BREAK.search(prompt.rstrip(" .!?。！？\n")) is None:  # true of most prompts
        return []
    pieces = [piece.strip(" ,，、:：") for piece in _BREAK.split(prompt)]
    if len(pieces) == 1:
        return []
    asking = [piece for piece in pieces if _weight(piece) >= MIN_CLAUSE]
    if len(asking) > MAX_CLAUSES:
        asking = asking[: MAX_CLAUSES // 2] + asking[-MAX_CLAUSES // 2 :]
    return asking if len(asking) > 1 else []


def is_request(clause: str, prompt: str) -> bool:
    """Return True if a clause of a prompt asks for something: it is a question, or begins as a request does."""
    after = prompt[prompt.find(clause) + len(clause) :].lstrip(' ”"')[:1]
    return after in ("?", "？") or _REQUEST.search(clause) is not None


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(3 if letter >= "\u3400" else 1 for letter in text if letter.isalnum())


def user_turns(messages: Sequence[Message]) -> list[str]:
    """Return the user's messages of a conversation without image placeholders, leaving out empty ones."""
    asked = (message.content.replace(IMAGE_PLACEHOLDER, " ") for message in messages if message.role == "user")
    turns = (unescaped(text).strip() for text in asked)
    return [turn for turn in turns if turn]


def is_path(word: str) -> bool:
    """Return True if a single word is a path, or one that was mistyped: a folder of a similar name is here."""
    if not word or any(letter.isspace() for letter in word) or not word.isascii():
        return False
    if "://" in word or "/" in word or "\\" in word or Path(word).exists():
        return True
    folder_names = [path.name for path in Path().iterdir() if path.is_dir()]
    return bool(difflib.get_close_matches(word, folder_names, n=1, cutoff=0.8))


def read_prompts(path: Path) -> list[str]:
    """Read the prompts of a file: one per line, or JSONL with {"prompt"}; `-` is the standard input.

    Raises:
        ConfigFileError: the file cannot be read, has no prompt, or a line of JSON has no prompt.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigFileError(path, [Problem(1, f"cannot be read: {reason}")]) from error
    prompts, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("{"):
            prompts.append(line.strip())
            continue
        try:
            prompt = json.loads(line)["prompt"]
            prompts.append(str(prompt))
        except (ValueError, KeyError, TypeError):
            problems.append(Problem(number, 'expected a prompt, or {"prompt": …}'))
    if not prompts and not problems:
        problems.append(Problem(1, "holds no prompt"))
    if problems:
        raise ConfigFileError(path, problems)
    return prompts
