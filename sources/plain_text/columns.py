"""Columns of rows by their meaning: named in the recipe, or guessed from their names."""

from collections.abc import Mapping, Sequence

from sources.base.source import InputError

# Names that published data use, most telling first.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "dialogue"),
    "text": ("text", "content", "raw_content", "body", "document", "article"),
    "question": ("question", "instruction", "prompt", "query", "problem"),
    "answer": ("answer", "output", "response", "completion", "solution"),
    "context": ("context", "input"),
    "url": ("url",),
    "license": ("license", "licence"),
}


def columns_of(names: Sequence[str], wanted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the column of each meaning that a file has: a conversation, or a text, or a question with its answer.

    Args:
        names: columns of the file.
        wanted: columns by meaning, as the recipe names them. If it names some content, none is guessed.
    Raises:
        InputError: the file has not the columns that the recipe names, or none that holds text.
    """
    has = f"it has {', '.join(names[:20])}" if names else "its rows cannot be read"
    for meaning, name in wanted.items():
        if name not in names:
            raise InputError("wrong_columns", f"no column {name!r} for {meaning}; {has}")
    found = dict(wanted)
    is_named = any(meaning in wanted for meaning in ("messages", "text", "question", "answer"))
    for meanings in (("messages",), ("text",), ("question", "answer", "context")):
        guesses = {m: guess for m in meanings if (guess := next((n for n in KNOWN[m] if n in names), None))}
        if not is_named and all(m in guesses for m in meanings if m != "context"):
            found |= guesses
            break
    if not any(meaning in found for meaning in ("messages", "text", "answer")):
        raise InputError(
            "wrong_columns", f"no column of text is known; {has}; name one: --set 'columns={{text: NAME}}'"
        )
    for meaning in ("url", "license"):
        known = [name for name in KNOWN[meaning] if name in names]
        found = {meaning: known[0], **found} if known else found
    return {meaning: found[meaning] for meaning in KNOWN if meaning in found}


def guessed(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Return a sentence about the columns that were guessed; empty if none were."""
    guesses = [f"{meaning}: {name}" for meaning, name in found.items() if meaning not in wanted]
    return f"guessed columns={{{', '.join(guesses)}}}" if guesses else ""
