"""What a form, an invoice or a receipt says as keys and values, each as it is printed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.ocr.countable import countable

Value = str | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The content of a page by key.

    Args:
        labelled: values by the label that is printed next to them, in the order of the page; an empty field is "".
        unlabelled: values without a printed label (the name of a firm, rows of a table), by a name that the question
            gives.
    """

    labelled: Mapping[str, Value]
    unlabelled: Mapping[str, Value] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as JSON, those without a label first."""
        return json.dumps(_as_read({**self.unlabelled, **self.labelled}), ensure_ascii=False, indent=2)

    @property
    def names(self) -> str:
        """The names of what has no label, for a question."""
        return ", ".join(f'"{name}"' for name in self.unlabelled)


def _as_read(value: Value) -> Any:
    """Return a value with its texts as a reader reads them: runs of signs and spaces have a fixed length."""
    if isinstance(value, str):
        return countable(value)
    if isinstance(value, Mapping):
        return {countable(key): _as_read(content) for key, content in value.items()}
    return [_as_read(content) for content in value]
