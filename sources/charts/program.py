"""A plotting program as data: the same statements are performed on matplotlib and printed as Python.

Picture and code cannot differ, and nothing that was generated has to be executed to draw.
"""

import keyword
import pprint
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable of the program, or a path from one, such as `ax.spines`."""

    path: str


@dataclass(frozen=True, slots=True)
class _Let:
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    result: str | None


@dataclass(frozen=True, slots=True)
class _Loop:
    variables: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    call: _Call


@dataclass(slots=True)
class Program:
    """Statements in order. Values are literals, or Names of variables set before."""

    statements: list[_Let | _Call | _Loop] = field(default_factory=list)

    def let(self, name: str, value: Any) -> Name:
        """`name = value`"""
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        self.statements.append(_Let(name, value))
        return Name(name)

    def call(self, function: str, *args: Any, result: str | None = None, **options: Any) -> Name:
        """`result = function(*args, **options)`"""
        self.statements.append(_Call(function, args, options, result))
        return Name(result or "")

    def loop(self, variables: Sequence[str], rows: Sequence[tuple[Any, ...]], function: str, *args: Any, **options: Any) -> None:
        """`for variables in rows: function(*args, **options)`; args name the variables."""
        self.statements.append(_Loop(tuple(variables), rows, _Call(function, args, options, None)))

    def perform(self, objects: Mapping[str, Any]) -> dict[str, Any]:
        """Run every statement on real objects. Returns all variables at the end."""
        variables = dict(objects)
        for statement in self.statements:
            if isinstance(statement, _Let):
                variables[statement.name] = _resolve(statement.value, variables)
            elif isinstance(statement, _Call):
                _perform(statement, variables)
            else:
                for row in statement.rows:
                    variables.update(zip(statement.variables, row, strict=True))
                    _perform(statement.call, variables)
        return variables

    def source(self) -> str:
        """The statements as Python."""
        return "\n".join(_printed(statement) for statement in self.statements)


def _perform(call: _Call, variables: dict[str, Any]) -> None:
    function = _follow(call.function, variables)
    result = function(
        *(_resolve(arg, variables) for arg in call.args),
        **{name: _resolve(value, variables) for name, value in call.options.items()},
    )
    if call.result is not None:
        names = call.result.split(", ")
        if len(names) == 1:
            variables[call.result] = result
        else:
            variables.update(zip(names, result, strict=True))


def _follow(path: str, variables: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    found = variables[first]
    for name in rest:
        found = getattr(found, name)
    return found


def _resolve(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Name):
        return _follow(value.path, variables)
    if isinstance(value, list):
        return [_resolve(item, variables) for item in value]
    if isinstance(value, tuple):
        return tuple(_resolve(item, variables) for item in value)
    if isinstance(value, dict):
        return {key: _resolve(item, variables) for key, item in value.items()}
    return value


def _printed(statement: _Let | _Call | _Loop) -> str:
    if isinstance(statement, _Let):
        return f"{statement.name} = {_literal(statement.value)}"
    if isinstance(statement, _Call):
        return (f"{statement.result} = " if statement.result else "") + _call(statement)
    rows = ",\n    ".join(_literal(row) for row in statement.rows)
    return f"for {', '.join(statement.variables)} in [\n    {rows},\n]:\n    {_call(statement.call)}"


def _call(call: _Call) -> str:
    parts = [_literal(arg) for arg in call.args]
    parts += [f"{name}={_literal(value)}" for name, value in call.options.items()]
    line = f"{call.function}({', '.join(parts)})"
    return line if len(line) <= 110 else f"{call.function}(\n    " + ",\n    ".join(parts) + ",\n)"


def _literal(value: Any) -> str:
    if isinstance(value, Name):
        return value.path
    if isinstance(value, list):
        line = "[" + ", ".join(map(_literal, value)) + "]"
        return line if len(line) <= 110 or any(isinstance(item, Name) for item in value) else pprint.pformat(
            value, width=110, compact=True
        )  # fmt: skip
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item)}" for key, item in value.items()) + "}"
    return repr(value)
