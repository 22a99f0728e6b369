"""JSON Lines: one object per line."""

from collections.abc import Mapping, Sequence
from typing import Any

from sources.base.source import ItemError
from sources.rows.line_index import Lines
from sources.rows.row import Rows, object_of

NAMED_ROWS = 16  # first rows that are looked at for names of fields


class JsonLines(Rows):
    """The objects in the lines of a file. A line that is none is an error, and costs only itself."""

    def __init__(self, lines: Lines, encodings: Sequence[str]):
        self._lines = lines
        self._encodings = encodings
        self.names = names_of(self)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> Mapping[str, Any]:
        return object_of(self._lines[number], self._encodings)


def names_of(rows: Rows) -> list[str]:
    """The names of the fields that the first rows have, in the order in which they are met."""
    names: dict[str, None] = {}
    for number in range(min(NAMED_ROWS, len(rows))):
        try:
            names |= dict.fromkeys(rows[number])
        except ItemError:
            continue
    return list(names)
