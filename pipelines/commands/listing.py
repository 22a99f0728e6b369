"""A list of sources or filters with their settings, for a person and as JSON; taken from the classes themselves."""

import argparse
import dataclasses
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.registry import Registry

DONE, WRONG_USAGE = 0, 2
WIDTH = 100
_ARGUMENT = re.compile(r"^    (?:    )?((?:\w+)(?:, \w+)*): (.*)")


def build_parser(prog: str, noun: str, examples: str) -> argparse.ArgumentParser:
    """The parser of a command that lists things.

    Args:
        noun: `source` or `filter`.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description=f"List the {noun}s that recipes name, with their settings, types and defaults.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar=noun.upper(), help="only these, with what each setting means")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    return parser


def run(registry: Registry[Any], noun: str, args: argparse.Namespace) -> int:
    """Print the list. Returns the exit code: 2 for an unknown name."""
    for name in args.names:
        if name not in registry:
            print(f"error: no {noun} {name!r}; there are {', '.join(sorted(registry))}", file=sys.stderr)
            return WRONG_USAGE
    entries = [described(name, registry[name]) for name in args.names or registry]
    if args.json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return DONE
    for k, entry in enumerate(entries):
        if k:
            print()
        _print(entry, is_long=bool(args.names))
    return DONE


def described(name: str, cls: type[Any]) -> dict[str, Any]:
    """A source or filter as data: its name, what it is, and its settings with type, default and meaning."""
    meanings: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        meanings |= _meanings(vars(each).get("__doc__") or "")
    settings = [
        {
            "name": f.name,
            "type": _type_name(f.type),
            "default": _default(f),
            "is_required": f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
            "meaning": meanings.get(f.name, ""),
        }
        for f in dataclasses.fields(cls)
        if not f.metadata.get("secret") and f.name != "pinned_as"
    ]
    return {"name": name, "about": _first_line(inspect.getdoc(cls) or ""), "settings": settings}


def _print(entry: Mapping[str, Any], *, is_long: bool) -> None:
    print(f"{entry['name']}: {entry['about']}")
    for setting in entry["settings"]:
        value = "required" if setting["is_required"] else json.dumps(setting["default"], ensure_ascii=False)
        print(f"  {setting['name']}: {setting['type']} = {value}")
        if is_long and setting["meaning"]:
            print(textwrap.indent(textwrap.fill(setting["meaning"], WIDTH - 6), "      "))


def _type_name(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    text = re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)  # the modules of types
    return re.sub(r"tuple\[(.*), \.\.\.\]", r"list[\1]", text)


def _default(f: dataclasses.Field[Any]) -> Any:
    value = f.default
    if f.default_factory is not dataclasses.MISSING:
        value = f.default_factory()
    if value is dataclasses.MISSING:
        return None
    return json.loads(json.dumps(_plain(value), default=str))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list | frozenset | set) else value


def _first_line(doc: str) -> str:
    return " ".join(doc.partition("\n\n")[0].split())


def _meanings(doc: str) -> dict[str, str]:
    """The lines of `Args:` in a docstring, by name."""
    found: dict[str, str] = {}
    current: list[str] = []
    for line in _argument_lines(inspect.cleandoc(doc)):
        match = _ARGUMENT.match(line)
        if match:
            current = match[1].split(", ")
            found |= dict.fromkeys(current, match[2])
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in current if line.strip()}
    return found


def _argument_lines(doc: str) -> Iterator[str]:
    is_inside = False
    for line in doc.splitlines():
        if line == "Args:":
            is_inside = True
        elif is_inside and line.strip() and not line.startswith("    "):
            return
        elif is_inside:
            yield line
