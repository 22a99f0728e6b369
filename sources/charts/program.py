"""A plotting program as data: the same statements are run with matplotlib and printed as Python.

So picture and code cannot differ, and drawing does not execute generated code.
"""

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LINE_LENGTH = 110


@dataclass(frozen=True, slots=True)
class Name:
    """A variable of the program, or a path from one, such as `ax.spines`."""

    path: str


@dataclass(frozen=True, slots=True)
class _Let:
    name: str
    value: Any


class Call:
    """A call whose result is an argument of another call."""

    __slots__ = ("args", "function", "options")

    def __init__(self, function: str, *args: Any, **options: Any):
        self.function = function
        self.args = args
        self.options = options


@dataclass(frozen=True, slots=True)
class _Do:
    call: Call
    result: str | None


@dataclass(frozen=True, slots=True)
class _Loop:
    variables: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    call: Call


@dataclass(slots=True)
class Program:
    """Statements in order. Values are literals, or Names of earlier variables."""

    statements: list[_Let | _Do | _Loop] = field(default_factory=list)

    def let(self, name: str, value: Any) -> Name:
        """Append `name = value`."""
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        self.statements.append(_Let(name, value))
        return Name(name)

    def call(self, function: str, *args: Any, result: str | None = None, **options: Any) -> Name:
        """Append `result = function(*args, **options)`; a result `name,` unpacks the only item of the value."""
        self.statements.append(_Do(Call(function, *args, **options), result))
        return Name((result or "").removesuffix(","))

    def loop(
        self, variables: Sequence[str], rows: Sequence[tuple[Any, ...]], function: str, *args: Any, **options: Any
    ) -> None:
        """Append `for variables in rows: function(*args, **options)`; args refer to the variables by Name."""
        self.statements.append(_Loop(tuple(variables), rows, Call(function, *args, **options)))

    def perform(self, objects: Mapping[str, Any]) -> dict[str, Any]:
        """Run all statements with real objects; return the final variables."""
        variables = dict(objects)
        for statement in self.statements:
            if isinstance(statement, _Let):
                variables[statement.name] = _resolve(statement.value, variables)
            elif isinstance(statement, _Do):
                value = _resolve(statement.call, variables)
                if statement.result is not None and statement.result.endswith(","):
                    (variables[statement.result[:-1]],) = value
                elif statement.result is not None:
                    variables[statement.result] = value
            else:
                for row in statement.rows:
                    variables.update(zip(statement.variables, row, strict=True))
                    _resolve(statement.call, variables)
        return variables

    def source(self) -> str:
        """Return the statements as Python."""
        return "\n".join(map(_to_source, self.statements))


def _follow(path: str, variables: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    found = variables[first]
    for name in rest:
        found = getattr(found, name)
    return found


def _resolve(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace Names and Calls in a value by objects."""
    if isinstance(value, Name):
        return _follow(value.path, variables)
    if isinstance(value, Call):
        args = [_resolve(arg, variables) for arg in value.args]
        options = {name: _resolve(option, variables) for name, option in value.options.items()}
        return _follow(value.function, variables)(*args, **options)
    if isinstance(value, list):
        return [_resolve(item, variables) for item in value]
    if isinstance(value, tuple):
        return tuple(_resolve(item, variables) for item in value)
    if isinstance(value, dict):
        return {key: _resolve(item, variables) for key, item in value.items()}
    return value


def _to_source(statement: _Let | _Do | _Loop) -> str:
    if isinstance(statement, _Let):
        return f"{statement.name} = {_literal(statement.value)}"
    if isinstance(statement, _Do):
        return (f"{statement.result} = " if statement.result else "") + _literal(statement.call)
    rows = "".join(f"    {_literal(row)},\n" for row in statement.rows)
    body = _literal(statement.call).replace("\n", "\n    ")
    return (
        f"for {', '.join(statement.variables)}{',' if len(statement.variables) == 1 else ''} in [\n{rows}]:\n    {body}"
    )


def _literal(value: Any) -> str:
    """Return a value as Python."""
    if isinstance(value, Name):
        return value.path
    if isinstance(value, Call):
        parts = [*map(_literal, value.args), *(f"{name}={_literal(option)}" for name, option in value.options.items())]
        return f"{value.function}(" + _wrap(parts, ")")
    if isinstance(value, list):
        return "[" + _wrap([*map(_literal, value)], "]")
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + _wrap([f"{key!r}: {_literal(item)}" for key, item in value.items()], "}")
    if isinstance(value, float) and value != value:
        return 'float("nan")'
    return repr(value)


def _wrap(parts: list[str], end: str) -> str:
    """Join parts on one line, or wrap and indent them."""
    line = ", ".join(parts) + end
    if len(line) <= LINE_LENGTH and "\n" not in line:
        return line
    lines = [""]
    for part in parts:
        text = part.replace("\n", "\n    ")
        if lines[-1] and len(lines[-1]) + len(text) > LINE_LENGTH - 6:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + text + ","
    return "\n" + "".join(f"    {text}\n" for text in lines) + end
