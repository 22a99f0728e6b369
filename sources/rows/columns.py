"""Columns of rows by their meaning: named in the recipe, or guessed from their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sources.base.source import InputError

Names = Mapping[str, tuple[str, ...]]  # of columns that published data use, by meaning, most telling first

TEXT_NAMES: Names = {
    "messages": ("messages", "conversations", "conversation", "dialogue", "texts"),
    "text": ("text", "content", "raw_content", "body", "document", "article", "caption", "txt"),
    "question": ("question", "instruction", "prompt", "query", "problem"),
    "answer": ("answer", "output", "response", "completion", "solution", "answers"),
    "context": ("context", "input"),
    "url": ("url",),
    "license": ("license", "licence"),
}
CONTENTS = (("messages",), ("text",), ("question", "answer"))  # a sample has one of them
OPTIONAL = ("context", "url", "license")


@dataclass(frozen=True)
class Columns:
    """The columns of a file by their meaning.

    Args:
        found: names of columns; `a.b` is the field b of the column a.
        wanted: those that the recipe names.
    """

    found: Mapping[str, str]
    wanted: Mapping[str, str]

    def value(self, row: Mapping[str, Any], meaning: str) -> Any:
        """Return what a row has of this meaning, None if it has nothing."""
        path = self.found.get(meaning)
        if path is None:
            return None
        value: Any = row
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict | Mapping) else None
        return value

    def top_level(self) -> list[str]:
        """Names of the columns that have to be read."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self.found.values()))

    def guesses(self) -> str:
        """Return a sentence about the columns that were guessed; empty if none were."""
        guesses = [f"{meaning}: {name}" for meaning, name in self.found.items() if meaning not in self.wanted]
        return f"guessed columns={{{', '.join(guesses)}}}" if guesses else ""


def check_columns(wanted: Mapping[str, str], known: Names) -> None:
    """Raise ValueError if the recipe's columns have an unknown meaning, or contents that exclude each other."""
    for meaning in wanted:
        if meaning not in known:
            raise ValueError(f"columns has an unknown meaning {meaning!r}; expected some of {', '.join(known)}")
    if len([m for m in ("text", "messages", "answer") if m in wanted]) > 1:
        raise ValueError("columns must name one of text, messages and answer, because a sample has one content")
    if ("question" in wanted) != ("answer" in wanted) or ("context" in wanted and "question" not in wanted):
        raise ValueError("columns must name a question together with its answer, a context only with both")


def columns_of(
    names: Sequence[str], wanted: Mapping[str, str], known: Names = TEXT_NAMES, optional: Sequence[str] = OPTIONAL
) -> Columns:
    """Find the columns of a file that hold its content (`CONTENTS`), and the optional ones.

    Args:
        names: columns of the file.
        wanted: columns by meaning, as the recipe names them. If it names a content, none is guessed.
        known: names to guess from.
        optional: meanings that are guessed in addition to a content.
    Raises:
        InputError: the file has not the columns that the recipe names, or none that holds text.
    """
    has = f"it has {', '.join(map(str, names[:20]))}" if names else "its rows cannot be read"
    for meaning, name in wanted.items():
        if name.partition(".")[0] not in names:
            raise InputError("wrong_columns", f"no column {name!r} for {meaning}; {has}")
    found = dict(wanted)
    contents = [] if any(m in wanted for content in CONTENTS for m in content) else CONTENTS
    for meanings in contents:
        guesses = {meaning: _guess(names, known[meaning]) for meaning in meanings}
        if all(guesses.values()):
            found |= {meaning: name for meaning, name in guesses.items() if name}
            break
    if not any(meaning in found for meaning in ("messages", "text", "answer")):
        raise InputError(
            "wrong_columns", f"no column of text is known; {has}; name one: --set 'columns={{text: NAME}}'"
        )
    for meaning in optional:
        guess = _guess(names, known[meaning])
        if guess and (meaning != "context" or "question" in found):
            found.setdefault(meaning, guess)
    return Columns({meaning: found[meaning] for meaning in known if meaning in found}, wanted)


def _guess(names: Sequence[str], known: Sequence[str]) -> str | None:
    return next((name for name in known if name.partition(".")[0] in names), None)
