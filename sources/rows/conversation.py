"""Conversations as they are published (ShareGPT, LLaVA, chat templates) as turns of user and assistant."""

from collections.abc import Mapping, Sequence
from typing import Any

from sources.base.marks import IMAGE_PLACEHOLDER, escaped
from sources.base.sample import Message
from sources.base.source import ItemError

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("user", "human", "prompter", "question", "Human", "User"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "bard", "bing", "bot", "model", "answer", "Assistant"), "assistant"
    ),
    **dict.fromkeys(("system", "System"), "system"),
}
ROLE_FIELDS, CONTENT_FIELDS = ("role", "from", "speaker"), ("content", "value", "text")


def messages_of(value: Any) -> list[Message]:
    """Return the turns of a published conversation.

    A turn is a mapping with a role (`role` or `from`) and a content (`content`, `value` or `text`: a text, or a list of
    parts of type `text` and `image`, as in the chat templates). Roles get the names user, assistant and system. The
    user's turns after the last answer are left out, because nothing can be learned from them.

    Raises:
        ItemError: the value is no conversation in which user and assistant speak in turn.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
        raise ItemError("not_a_conversation", f"expected a list of turns, got {_short(value)}")
    turns = [turn for each in value for turn in _turns(each)]
    while turns and turns[-1].role == "user":
        turns.pop()
    if not any(turn.role == "assistant" for turn in turns):
        raise ItemError("no_answer", "no turn of the conversation is an answer")
    spoken = turns[1:] if turns[0].role == "system" else turns
    for k, turn in enumerate(spoken):
        if turn.role != ("assistant" if k % 2 else "user"):
            raise ItemError(
                "turns_out_of_order", f"turn {k + 1} is of the {turn.role}: user and assistant do not take turns"
            )
        if not turn.content.strip():
            raise ItemError("empty_turn", f"turn {k + 1} of the conversation is empty")
    if turns[-1].role != "assistant":
        raise ItemError("no_answer", "the last turn of the conversation is not an answer")
    return turns


def _turns(turn: Any) -> list[Message]:
    """The turn; or two, where a question and its answer are in one mapping, as in The Cauldron."""
    if isinstance(turn, Mapping) and isinstance(turn.get("user"), str) and isinstance(turn.get("assistant"), str):
        return [Message(role=role, content=turn[role]) for role in ("user", "assistant")]
    return [_turn(turn)]


def _turn(turn: Any) -> Message:
    if not isinstance(turn, Mapping):
        raise ItemError("not_a_conversation", f"a turn is {_short(turn)}, expected a mapping of role and content")
    role = next((turn[name] for name in ROLE_FIELDS if turn.get(name) is not None), None)
    content = next((turn[name] for name in CONTENT_FIELDS if turn.get(name) is not None), None)
    if not isinstance(role, str) or content is None:
        raise ItemError(
            "not_a_conversation", f"a turn has the fields {', '.join(map(str, turn))}: no role or no content"
        )
    if role not in ROLES:
        raise ItemError("unknown_role", f"a turn is of the role {_short(role)}; known are {', '.join(sorted(ROLES))}")
    return Message(role=ROLES[role], content=_content(content))


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise ItemError("not_a_conversation", f"the content of a turn is {_short(content)}, expected a text")
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            parts.append(part["text"].replace(IMAGE_PLACEHOLDER, escaped(IMAGE_PLACEHOLDER)))
        elif kind in ("image", "image_url"):
            parts.append(f"{IMAGE_PLACEHOLDER}\n")
        else:
            raise ItemError("not_a_conversation", f"a part of a turn is {_short(part)}, expected a text or an image")
    return "".join(parts)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
