"""Numbers with their nouns."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in singular or plural: `1 file`, `2 files`, `1,234 pages`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
