"""Patterns: file names as a shell matches them, for folders and for object names."""

import fnmatch
import re

_WILDCARD = re.compile(r"[*?\[]")


class Pattern:
    """A relative glob pattern such as `**/a*.pdf`, matched one part of a path after the other.

    A state is an index into the pattern's parts: the part that the next name must match. Walking a tree with
    sets of states enters only folders that can hold a match and visits each file once, however many `**`
    there are.
    """

    START = frozenset({0})

    def __init__(self, pattern: str):
        self._parts: list[str] = []
        for part in pattern.split("/"):
            if part and not (part == "**" and self._parts[-1:] == ["**"]):
                self._parts.append(part)
        self._regexes = [re.compile(fnmatch.translate(part)) for part in self._parts]

    @staticmethod
    def split(pattern: str) -> tuple[str, str]:
        """The folder before the first part with a wildcard (with its slash, or empty), and the rest."""
        wildcard = _WILDCARD.search(pattern)
        if wildcard is None:
            return pattern, ""
        start = pattern.rfind("/", 0, wildcard.start()) + 1
        return pattern[:start], pattern[start:]

    def enter(self, states: frozenset[int], name: str, *, is_link: bool = False) -> frozenset[int]:
        """States inside the folder `name`; none: nothing in there can match."""
        beyond = set()
        for state in self._with_skips(states):
            if state + 1 < len(self._parts) and self._fits(state, name):
                beyond.add(state + 1)
            if self._parts[state] == "**" and not name.startswith(".") and not is_link:
                beyond.add(state)
        return frozenset(beyond)

    def accepts(self, states: frozenset[int], name: str) -> bool:
        """Return True if the file `name` completes a match."""
        last = len(self._parts) - 1
        return last in self._with_skips(states) and self._fits(last, name)

    def matches(self, path: str) -> bool:
        """Return True if a whole relative path matches."""
        *folders, name = path.split("/")
        states = self.START
        for folder in folders:
            states = self.enter(states, folder)
        return self.accepts(states, name)

    def _fits(self, state: int, name: str) -> bool:
        part = self._parts[state]
        if name.startswith(".") and not part.startswith("."):
            return False
        return self._regexes[state].match(name) is not None

    def _with_skips(self, states: frozenset[int]) -> set[int]:
        """The states, and those reached by letting a `**` stand for no folder at all."""
        reached = set(states)
        for state in states:
            if self._parts[state] == "**" and state + 1 < len(self._parts):
                reached.add(state + 1)
        return reached
