r"""Macros of a paper: \def, \newcommand and their relatives as parameters and a body."""

from collections.abc import Sequence
from dataclasses import dataclass

Tokens = Sequence[str]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a macro.

    Args:
        kind: `mandatory`, `optional`, `star`, or `delimited` by tokens.
        default: value of an optional one that is not given.
        delimiter: tokens that end a delimited one.
    """

    kind: str = "mandatory"
    default: tuple[str, ...] = ()
    delimiter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro.

    Args:
        prefix: tokens that follow its name before the first parameter.
        is_alias: the body is a character or command with the meaning that TeX or a package gives it.
    """

    body: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    prefix: tuple[str, ...] = ()
    is_alias: bool = False


def with_arguments(body: Tokens, arguments: Sequence[Tokens]) -> list[str]:
    """Return a body with `#1` and so on replaced; `##` becomes `#`."""
    result: list[str] = []
    k = 0
    while k < len(body):
        token = body[k]
        if token == "#" and k + 1 < len(body):
            after = body[k + 1]
            k += 2
            if after == "#":
                result.append("#")
            elif after[0].isdigit():
                number = int(after[0])
                if 1 <= number <= len(arguments):
                    result += arguments[number - 1]
                if len(after) > 1:
                    result.append(after[1:])
            continue
        result.append(token)
        k += 1
    return result


def parameters_of_def(text: Tokens) -> tuple[tuple[str, ...], tuple[Parameter, ...]]:
    r"""Return the prefix and the parameters of the parameter text of \def."""
    parts: list[list[str]] = [[]]
    k = 0
    while k < len(text):
        if text[k] == "#":
            parts.append([])
            if k + 1 < len(text) and len(text[k + 1]) > 1 and not text[k + 1].startswith("\\"):
                parts[-1].append(text[k + 1][1:])
            k += 2
            continue
        parts[-1].append(text[k])
        k += 1
    prefix, *delimiters = parts
    found = (Parameter("delimited", delimiter=tuple(d)) if d else Parameter() for d in delimiters)
    return tuple(prefix), tuple(found)


def parameters_of_spec(spec: Tokens) -> tuple[Parameter, ...]:
    r"""Return the parameters of an argument specification of \NewDocumentCommand: m, o, O{…}, s, + before them."""
    found: list[Parameter] = []
    letters = list("".join(spec).replace(" ", "").replace("+", ""))
    k = 0
    while k < len(letters):
        letter = letters[k]
        if letter == "O" and k + 1 < len(letters) and letters[k + 1] == "{":
            end = letters.index("}", k) if "}" in letters[k:] else len(letters)
            found.append(Parameter("optional", default=tuple(letters[k + 2 : end])))
            k = end
        elif letter in "oO":
            found.append(Parameter("optional"))
        elif letter == "s":
            found.append(Parameter("star"))
        elif letter in "mrv":
            found.append(Parameter())
        k += 1
    return tuple(found)


def as_tex(tokens: Tokens) -> str:
    """Return tokens as TeX, with a space after a control word where a letter follows."""
    parts: list[str] = []
    for token in tokens:
        if parts and token[:1].isalpha() and parts[-1][:1] == "\\" and parts[-1][-1:].isalpha():
            parts.append(" ")
        parts.append(token)
    return "".join(parts)
