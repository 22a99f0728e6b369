"""Reads the fields of JSON objects. A wrong one is an error that names it."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from deepseek_vl.serve.errors import ApiError

MAX_TEXT_CHARS = 1_000_000  # far more than the model can read, and tokenized in a second


class Fields:
    """The fields of a JSON object, removed as they are read; null means absent. All methods raise ApiError."""

    def __init__(self, content: Any, where: str = ""):
        self.where = where
        if not isinstance(content, dict):
            self.refuse("", f"expected an object, got {json_type(content)}")
        self.left: dict[str, Any] = {name: value for name, value in content.items() if value is not None}

    def refuse(self, name: str, message: str, code: str | None = None) -> NoReturn:
        """Reject the request because of field `name`."""
        param = ".".join(filter(None, (self.where, name)))
        raise ApiError(400, f"{param or 'the body'}: {message}", param=param or None, code=code)

    def required(self, name: str) -> Any:
        """Return the value of a required field."""
        if name not in self.left:
            self.refuse(name, "this field is required")
        return self.left.pop(name)

    def text(self, name: str) -> str:
        """Return a required text."""
        return self.checked_text(name, self.required(name))

    def checked_text(self, name: str, value: Any, max_chars: int = MAX_TEXT_CHARS) -> str:
        """Check that a value is a text, encodable as UTF-8 and not too long, and return it."""
        if not isinstance(value, str):
            self.refuse(name, f"expected a text, got {json_type(value)}")
        if len(value) > max_chars:
            code = "context_length_exceeded" if max_chars == MAX_TEXT_CHARS else None
            self.refuse(name, f"the text has {len(value)} characters; expected at most {max_chars}", code)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.refuse(name, "the text holds half a surrogate pair, which is no character")
        return value

    def texts(self, name: str, most: int) -> list[str]:
        """Return a required list of 1 to `most` texts."""
        values = self.required(name)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            got = len(values) if isinstance(values, list) else json_type(values)
            self.refuse(name, f"expected a list of 1 to {most} texts, got {got}")
        return [self.checked_text(name, value) for value in values]

    def flag(self, name: str) -> bool:
        """Return a boolean; false if absent."""
        value = self.left.pop(name, False)
        if not isinstance(value, bool):
            self.refuse(name, f"expected true or false, got {json_type(value)}")
        return value

    def number(self, name: str, lowest: float, highest: float, default: float) -> float:
        """Return a number within bounds."""
        value = self.left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, f"expected a number, got {json_type(value)}")
        if not lowest <= value <= highest:
            self.refuse(name, f"expected a number from {lowest:g} to {highest:g}, got {value!s:.20}")
        return float(value)

    def integer(self, name: str, lowest: int, highest: int, default: int) -> int:
        """Return a whole number within bounds."""
        value = self.left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, f"expected a whole number, got {json_type(value)}")
        if not lowest <= value <= highest:
            self.refuse(name, f"expected a whole number from {lowest} to {highest}, got {value!s:.20}")
        return value

    def end(self, ignored: frozenset[str] = frozenset(), unsupported: Mapping[str, tuple[Any, ...]] = {}) -> None:
        """Reject the remaining fields, except ignored ones and unsupported ones with a neutral value."""
        for name, value in self.left.items():
            if name in unsupported:
                # Compare types too, because 1 == True in Python but not in JSON.
                if not any(type(value) is type(neutral) and value == neutral for neutral in unsupported[name]):
                    only = " or ".join(json.dumps(neutral) for neutral in unsupported[name])
                    self.refuse(
                        name, "not supported by this server; leave it out" + (f" or give {only}" if only else "")
                    )
            elif name not in ignored:
                self.refuse(name, "unknown field")


def parse_json(body: bytes) -> Any:
    """Parse strict JSON, without NaN and Infinity. Raises ApiError."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not valid JSON: {error}", code="invalid_json") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type."""
    names = {
        bool: "a truth value",
        str: "a text",
        list: "a list",
        dict: "an object",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "null")
