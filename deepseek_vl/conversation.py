"""Renders conversations in the template the model was trained on; special tokens are never confused with typed text."""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

# The system prompt of the authors' chat models.
SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language."
)
Message = Mapping[str, Any]
IMAGE_MARK = "<image>"  # in the columns `text` and `messages` of data, as the common trainers write it
_MARK_IN_MESSAGE = re.compile(rf"{IMAGE_MARK}[\r\n]*")


class Special(Enum):
    """A special token, which no text can contain."""

    IMAGE = "image"
    """One image with all its visual tokens."""
    END = "end of sentence"


def render(messages: Sequence[Message], system: str = SYSTEM, *, continue_last: bool = False) -> list[str | Special]:
    """Render a conversation in the authors' template, as texts and special tokens in order.

    After a last message of the user, the assistant's turn is opened.

    Args:
        messages: each is `{"role", "content"}`. Roles alternate between `user` and `assistant`; a `system` message may
            come first. Content is a text, or a list of parts `{"type": "text", "text"}` and `{"type": "image"}`.
        system: system prompt if no message gives one; empty for none.
        continue_last: a last message of the assistant is the beginning of its answer, and stays open.
    Raises:
        ValueError: roles do not alternate, or content has another form; the message is named.
    """
    pieces: list[str | Special] = []
    first = messages[0] if messages else {}
    if isinstance(first, Mapping) and first.get("role") == "system":
        content = _content(first, 0)
        if Special.IMAGE in content:
            raise ValueError("message 0: a system message holds no image")
        system, messages = "".join(str(piece) for piece in content), messages[1:]
    if not messages:
        raise ValueError("a conversation needs at least one message of the user")
    if system:
        pieces.append(f"{system}\n\n")
    for k, message in enumerate(messages):
        role = "user" if k % 2 == 0 else "assistant"
        if not isinstance(message, Mapping) or message.get("role") != role:
            got = message.get("role") if isinstance(message, Mapping) else message
            raise ValueError(f"message {k}: expected the role {role!r} (user and assistant in turn), got {got!r}")
        pieces += [f"{role.capitalize()}: ", *_content(message, k)]
        pieces += ["\n\n"] if role == "user" else [Special.END]
    if len(messages) % 2:
        pieces.append("Assistant:")
    elif continue_last:
        *texts, beginning = _joined(pieces[:-1])
        return [*texts, beginning.rstrip() if isinstance(beginning, str) else beginning]
    return _joined(pieces)


def marked_parts(content: str) -> list[dict[str, str]]:
    """Return a content with marks `<image>`, as data and tasks have it, as parts of text and images.

    The line break that data sets write behind a mark is left out: the authors' chat has none, and a small model that
    learned with one reads one letter too far without it.
    """
    parts: list[dict[str, str]] = []
    for n, text in enumerate(_MARK_IN_MESSAGE.split(content)):
        parts += [{"type": "image"}] * bool(n) + [{"type": "text", "text": text}] * bool(text)
    return parts


def join_turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Join messages of the same role in a row to one, with a line break between them; content becomes lists of parts.

    People send several messages before they get an answer; the template has one per turn.
    """
    joined: list[dict[str, Any]] = []
    for message in messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1]["content"] += [{"type": "text", "text": "\n"}, *parts]
        else:
            joined.append({"role": message["role"], "content": parts})
    return joined


def _content(message: Message, k: int) -> list[str | Special]:
    """Return the content of message `k`, with white space removed at its ends, as the authors do."""
    content = message.get("content")
    if isinstance(content, str):
        return [content.strip()]
    if not isinstance(content, Sequence):
        raise ValueError(f"message {k}: content must be a text or a list of parts, got {type(content).__name__}")
    pieces: list[str | Special] = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "image":
            pieces.append(Special.IMAGE)
        elif kind == "text" and isinstance(part.get("text"), str):
            pieces.append(part["text"])
        else:
            raise ValueError(f"message {k}: a part must be of type text (with a text) or image, got {part!r:.80}")
    pieces = _joined(pieces)
    if pieces and isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return pieces


def _joined(pieces: Sequence[str | Special]) -> list[str | Special]:
    """Join consecutive texts, so that they are tokenized as one."""
    joined: list[str | Special] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
