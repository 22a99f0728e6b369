"""What a terminal is shown: numbers with their nouns, and names that may hold anything."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in singular or plural: `1 file`, `2 files`, `1,234 pages`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def for_terminal(name: str) -> str:
    r"""Return a text in which nothing moves the cursor or turns the line around: such characters become `\x1b`.

    File names, and messages with them, may hold control characters, marks of direction, and halves of surrogate pairs.
    """
    if name.isprintable():
        return name
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in name)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code & 0xFF:02x}" if code < 0x100 or 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
