"""Parses YAML into a tree with line numbers. Aliases, tags, repeated keys and deep nesting are errors at their line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 8_000_000  # the bundled taxonomy has 0.6 MB
MAX_SHOWN = 20  # problems of one file that are printed
MAX_DEPTH = 24  # nested mappings and lists; the taxonomy's deepest value is at level 9
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, if installed, parses 20 times as fast


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem at one line of a file.

    Args:
        line: 1-based.
    """

    line: int
    message: str


class TaxonomyError(ValueError):
    """A taxonomy file that cannot be used; the message has one sentence per problem, with file and line."""

    def __init__(self, path: Path | str, problems: list[Problem]):
        assert problems
        self.problems = sorted(problems, key=lambda problem: problem.line)
        lines = [f"{path}:{problem.line}: {problem.message}" for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"{path}: and {len(self.problems) - MAX_SHOWN} more")
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a text, a list or a mapping. All scalars are texts, so `yes` and `12` stay as written.

    Args:
        line: line on which the value begins, 1-based; a block list begins at its first dash.
        column: column in which the value begins, 0-based.
        key_lines: line of every key, if the value is a mapping.
        is_flow: True if the value is written with brackets.
        end_line: line on which the scalar ends, 1-based.
    """

    value: "str | list[Node] | dict[str, Node] | None"
    line: int
    column: int
    key_lines: dict[str, int]
    is_flow: bool = False
    end_line: int = 0

    def at(self, *keys: str | int) -> "Node":
        """Return the value below these keys, which must exist."""
        node: Any = self
        for key in keys:
            node = node.value[key]
        assert isinstance(node, Node)
        return node

    def plain(self) -> Any:
        """Return the value without line numbers."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value


def read_text(path: Path) -> str:
    """Read a file as text. Raises TaxonomyError if it cannot be read, is too large or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TaxonomyError(path, [Problem(1, f"cannot be read: {(error.strerror or str(error)).lower()}")]) from error
    if len(data) > MAX_BYTES:
        raise TaxonomyError(path, [Problem(1, f"is {len(data):,} bytes long; expected at most {MAX_BYTES:,}")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TaxonomyError(path, [Problem(line, f"is not UTF-8 at byte {error.start:,}")]) from error


def parse(text: str, path: Path) -> Node:
    """Parse one YAML document into a tree. Raises TaxonomyError at the first line that cannot be used."""
    events: Any = yaml.parse(text, Loader=_Loader)
    try:
        node = _document(events, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise TaxonomyError(path, [Problem(line, _explanation(error, text, line))]) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        problem = Problem(line, f"holds the character {error.character!r}, unknown to YAML")
        raise TaxonomyError(path, [problem]) from error
    return node


def _document(events: Iterator[Any], path: Path) -> Node:
    open_nodes: list[Node] = []
    keys: list[str | None] = []  # for each open mapping, the key whose value comes next
    root: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise TaxonomyError(path, [Problem(_line(event), "a second document begins; expected one")])
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
            keys.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = _line(event)
        _refuse(event, line, len(open_nodes), path)
        node = _node(event, line)
        if not open_nodes:
            root = node
        elif isinstance(open_nodes[-1].value, list):
            open_nodes[-1].value.append(node)
        elif keys[-1] is None:
            keys[-1] = _key(event, node, open_nodes[-1], path)
            continue
        else:
            mapping = open_nodes[-1].value
            assert isinstance(mapping, dict)
            mapping[keys[-1]], keys[-1] = node, None
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(node)
            keys.append(None)
    if root is None:
        raise TaxonomyError(path, [Problem(1, "is empty; expected `nodes:` with the groups of the taxonomy")])
    return root


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _refuse(event: Any, line: int, depth: int, path: Path) -> None:
    name = event.anchor
    if isinstance(event, yaml.AliasEvent):
        message = f"*{name} is a YAML alias, which a taxonomy does not use; write the value out"
    elif name is not None:
        message = f"&{name} is a YAML anchor, which a taxonomy does not use; leave it out"
    elif event.tag is not None:
        message = f"{event.tag} is a YAML tag, which a taxonomy does not use; leave it out"
    elif depth >= MAX_DEPTH:
        message = f"more than {MAX_DEPTH} values are nested here"
    else:
        return
    raise TaxonomyError(path, [Problem(line, message)])


def _node(event: Any, line: int) -> Node:
    column: int = event.start_mark.column
    last: Any = event.end_mark
    if isinstance(event, yaml.ScalarEvent):
        is_null = not event.style and event.value in ("", "~", "null")
        end = last.line + (1 if last.column else 0)  # a block scalar ends at the next line's start
        return Node(None if is_null else event.value, line, column, {}, end_line=max(line, end))
    is_mapping = isinstance(event, yaml.MappingStartEvent)
    return Node({} if is_mapping else [], line, column, {}, bool(event.flow_style))


def _key(event: Any, node: Node, mapping: Node, path: Path) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise TaxonomyError(path, [Problem(node.line, "a key must be a text, not a list or a mapping")])
    key = str(event.value)
    if key in mapping.key_lines:
        message = f"{key!r} is here a second time; the first is on line {mapping.key_lines[key]}"
        raise TaxonomyError(path, [Problem(node.line, message)])
    mapping.key_lines[key] = node.line
    return key


def _explanation(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "is indented with a tab; YAML wants spaces"
    return f"is not valid YAML: {' '.join(filter(None, (error.context, error.problem)))}"
