"""Rows by number: the interface of all formats."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sources.base.source import ItemError


class Rows(ABC):
    """The rows of a file, each read when it is asked for; neighbours one after the other are read fastest.

    Args:
        names: names of the fields that rows have; for JSON, of the first rows.
    """

    names: Sequence[str]

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows, found without parsing them."""

    @abstractmethod
    def __getitem__(self, number: int) -> Mapping[str, Any]:
        """Return a row. Raises ItemError if it cannot be read; the others are not affected."""


def decoded(data: bytes, encodings: Sequence[str]) -> str:
    """Return bytes as text in the first of `encodings` that fits. Raises ItemError if none does."""
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeError as error:
            place = f" at byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else ""
    raise ItemError("wrong_encoding", f"the text is not {' or '.join(encodings)}{place}; `encodings` may name others")


def object_of(data: bytes, encodings: Sequence[str]) -> Mapping[str, Any]:
    """Return the JSON object in `data`. Raises ItemError if it is none."""
    text = decoded(data, encodings)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ItemError("not_json", f"the row is not JSON at character {error.pos}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number of too many digits, brackets nested too deep
        raise ItemError("not_json", f"the row is JSON that cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ItemError("not_an_object", f"the row is a JSON {type(value).__name__}, expected an object")
    return value
