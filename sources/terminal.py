"""What a terminal is shown: file names, addresses and texts of strangers, in which nothing moves its cursor."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
LAYOUT = "\n\t"  # what our own texts are laid out with


def for_terminal(name: str) -> str:
    r"""Return a text in which nothing moves the cursor or turns the line around: such characters become `\x1b`.

    File names, and messages with them, may hold control characters, marks of direction, and halves of surrogate pairs.
    """
    return name if name.isprintable() else "".join(map(_shown, name))


class EscapingText:
    """A text stream that escapes what is written to it, except line breaks and tabs.

    Args:
        raw: the stream; what is written to it directly is not escaped.
    """

    def __init__(self, raw: Any):
        self.raw = raw

    def write(self, text: str) -> int:
        """Write a text, escaped."""
        self.raw.write("".join(letter if letter in LAYOUT else _shown(letter) for letter in text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write texts, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Be the stream in everything else."""
        return getattr(self.raw, name)


def escaping(main: Callable[P, T]) -> Callable[P, T]:
    """Decorate a command: all that it prints is escaped, so that no place can be forgotten."""

    @wraps(main)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        before = sys.stdout, sys.stderr
        escape_output()
        try:
            return main(*args, **kwargs)
        finally:
            sys.stdout, sys.stderr = before

    return run


def escape_output() -> None:
    """Escape all that this process prints from now on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, EscapingText):
            setattr(sys, name, EscapingText(stream))


def raw(stream: Any) -> Any:
    """Return the stream to which our own control characters (a progress line) are written."""
    return getattr(stream, "raw", stream) if isinstance(stream, EscapingText) else stream


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else _escape(letter)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code & 0xFF:02x}" if code < 0x100 or 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
