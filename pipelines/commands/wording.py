"""Numbers with their nouns, as a terminal is shown them."""

from sources.terminal import for_terminal

__all__ = ["counted", "for_terminal"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in singular or plural: `1 file`, `2 files`, `1,234 pages`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
