"""Conversations to the text the model was trained on, special tokens kept apart from what people typed."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

# The system prompt of the authors' chat models.
SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language."
)
Message = Mapping[str, Any]


class Special(Enum):
    """A token that no text can spell."""

    IMAGE = "image"
    """One image, all its visual tokens."""
    END = "end of sentence"


def render(messages: Sequence[Message], system: str = SYSTEM) -> list[str | Special]:
    """Lay out a conversation in the authors' template: texts and special tokens in order.

    Args:
        messages: `{"role", "content"}` each. Roles are `user` and `assistant` in turn, a `system` message may come
            first. Content is a text, or a list of parts `{"type": "text", "text"}` and `{"type": "image"}`. Whatever a
            text holds is text. After a last message of the user the assistant's turn is opened.
        system: system prompt where no message gives one; empty for none.
    Raises:
        ValueError: roles out of turn, or content of another form; it is named.
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
    return _joined(pieces)


def _content(message: Message, k: int) -> list[str | Special]:
    """The content of message `k`, with white space at its ends removed as the authors do."""
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
    """Neighbouring texts as one, so that they are tokenized as one."""
    joined: list[str | Special] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
