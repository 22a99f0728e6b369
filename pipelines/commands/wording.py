"""Numbers with their nouns, and names, as a terminal is shown them."""

from sources.terminal import for_terminal
from sources.wording import counted

__all__ = ["counted", "for_terminal"]
