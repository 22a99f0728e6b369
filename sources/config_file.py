"""YAML files that people edit, as a tree with line numbers: recipes, vocabularies, question templates, the taxonomy.

Every error names file and line. Aliases, tags, repeated keys and deep nesting are refused, and files are bounded in
size, so that no file costs more than it shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1_000_000
MAX_SHOWN = 20  # problems of one file that are printed
MAX_DEPTH = 24  # nested mappings and lists; the deepest value of the bundled files, in the taxonomy, is at depth 9
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, if installed, parses 20 times as fast


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem at one line of a file.

    Args:
        line: 1-based.
    """

    line: int
    message: str


class ConfigFileError(ValueError):
    """A file that cannot be used. Its text has one line per problem, each with file and line."""

    def __init__(self, path: Path | str, problems: list[Problem]):
        assert problems
        self.problems = sorted(problems, key=lambda problem: problem.line)
        lines = [f"{path}:{problem.line}: {problem.message}" for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"{path}: and {len(self.problems) - MAX_SHOWN} more")
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a scalar as text, a list or a mapping.

    Args:
        line, column: position at which the value begins, 1-based and 0-based; a block list begins at its first dash.
        key_lines: line of every key of a mapping.
        is_flow: whether a list or mapping is written with brackets.
        end_line: line on which a scalar ends, 1-based.
        is_plain: whether a scalar is written without quotes, so that YAML takes `12` for a number.
    """

    value: "str | list[Node] | dict[str, Node] | None"
    line: int
    column: int
    key_lines: dict[str, int]
    is_flow: bool = False
    end_line: int = 0
    is_plain: bool = False

    def at(self, *keys: str | int) -> "Node":
        """Return the value below these keys, which must exist."""
        node: Any = self
        for key in keys:
            node = node.value[key]
        assert isinstance(node, Node)
        return node

    def line_of(self, place: Sequence[str | int]) -> int:
        """Return the line of the value below these keys, or of the last of the keys that exists."""
        node, line = self, self.line
        for key in place:
            if isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.line
            elif isinstance(node.value, dict) and key in node.value:
                line = node.key_lines[str(key)]
                node = node.value[str(key)]
            else:
                break
        return line

    def plain(self) -> Any:
        """Return the value without line numbers. All scalars are texts, so `yes` and `12` stay as written."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value

    def data(self) -> Any:
        """Return the value without line numbers. Scalars without quotes have the types that YAML gives them."""
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.data() for key, node in self.value.items()}
        return _typed(self.value) if self.is_plain and self.value is not None else self.value


@dataclass(frozen=True, slots=True)
class Place:
    """A place in settings, as errors name it: `recipe.yaml:3: sources[0]` in a file, else `the recipe: sources[0]`.

    Args:
        whole: a name for the settings.
        inside: name of the place in the settings, empty for the whole of them.
        file: the file they are in, if they are in one.
        node: the value in the file.
        line: line of the value in the file.
    """

    whole: str
    inside: str = ""
    file: Path | None = None
    node: Node | None = None
    line: int = 1

    def __str__(self) -> str:
        if self.file is not None:
            return f"{self.file}:{self.line}: {self.inside or self.whole}"
        return f"{self.whole}: {self.inside}" if self.inside else self.whole

    def at(self, *keys: str | int, name: str = "") -> "Place":
        """Return the place of a value further inside.

        Args:
            name: the name of that place; by default the name of this one, with the line of the value.
        """
        line = self.node.line_of(keys) if self.node is not None and keys else self.line
        node = self.node
        for key in keys:
            value: Any = None if node is None else node.value
            is_there = key in value if isinstance(value, dict) else isinstance(value, list) and key in range(len(value))
            node = value[key] if is_there else node
        return Place(self.whole, name or self.inside, self.file, node, line)


def load_data(path: Path, expected: str = "a mapping", max_bytes: int = MAX_BYTES) -> Any:
    """Read the data in a YAML file. Raises ConfigFileError."""
    return load(path, expected, max_bytes).data()


def load(path: Path, expected: str = "a mapping", max_bytes: int = MAX_BYTES) -> Node:
    """Read a YAML file as a tree.

    Args:
        expected: what the file should hold, for the error that it is empty.
    Raises:
        ConfigFileError: the file cannot be read or is not such YAML.
    """
    return parse(read_text(path, max_bytes), path, expected)


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Read a file as text. Raises ConfigFileError if it cannot be read, is too large or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigFileError(
            path, [Problem(1, f"cannot be read: {(error.strerror or str(error)).lower()}")]
        ) from error
    if len(data) > max_bytes:
        raise ConfigFileError(path, [Problem(1, f"is {len(data):,} bytes long; expected at most {max_bytes:,}")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigFileError(path, [Problem(line, f"is not UTF-8 at byte {error.start:,}")]) from error


def parse(text: str, path: Path, expected: str = "a mapping") -> Node:
    """Parse one YAML document into a tree. Raises ConfigFileError at the first line that cannot be used."""
    events: Any = yaml.parse(text, Loader=_Loader)
    try:
        node = _document(events, path, expected)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigFileError(path, [Problem(line, _explanation(error, text, line))]) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        problem = Problem(line, f"holds the character {error.character!r}, unknown to YAML")
        raise ConfigFileError(path, [problem]) from error
    return node


def _document(events: Iterator[Any], path: Path, expected: str) -> Node:
    open_nodes: list[Node] = []
    keys: list[str | None] = []  # for each open mapping, the key whose value comes next
    root: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise ConfigFileError(path, [Problem(_line(event), "a second document begins; expected one")])
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
        raise ConfigFileError(path, [Problem(1, f"is empty; expected {expected}")])
    return root


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _refuse(event: Any, line: int, depth: int, path: Path) -> None:
    name = event.anchor
    if isinstance(event, yaml.AliasEvent):
        message = f"*{name} is a YAML alias, which is not supported here; write the value out"
    elif name is not None:
        message = f"&{name} is a YAML anchor, which is not supported here; leave it out"
    elif event.tag is not None:
        message = f"{event.tag} is a YAML tag, which is not supported here; leave it out"
    elif depth >= MAX_DEPTH:
        message = f"more than {MAX_DEPTH} values are nested here"
    else:
        return
    raise ConfigFileError(path, [Problem(line, message)])


def _node(event: Any, line: int) -> Node:
    column: int = event.start_mark.column
    last: Any = event.end_mark
    if isinstance(event, yaml.ScalarEvent):
        is_null = not event.style and event.value in ("", "~", "null")
        end = last.line + (1 if last.column else 0)  # a block scalar ends at the next line's start
        value = None if is_null else event.value
        return Node(value, line, column, {}, end_line=max(line, end), is_plain=not event.style)
    is_mapping = isinstance(event, yaml.MappingStartEvent)
    return Node({} if is_mapping else [], line, column, {}, bool(event.flow_style))


def _key(event: Any, node: Node, mapping: Node, path: Path) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise ConfigFileError(path, [Problem(node.line, "a key must be a text, not a list or a mapping")])
    key = str(event.value)
    if key in mapping.key_lines:
        message = f"{key!r} is here a second time; the first is on line {mapping.key_lines[key]}"
        raise ConfigFileError(path, [Problem(node.line, message)])
    mapping.key_lines[key] = node.line
    return key


_resolver = yaml.SafeLoader("")  # only its tables of what scalars look like and mean are used


def _typed(text: str) -> Any:
    """Return the number, date, truth value or text that YAML reads from a scalar without quotes."""
    tag = _resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    construct = yaml.SafeLoader.yaml_constructors.get(tag)
    if construct is None:  # `=` and `<<` mean something only in other YAML
        return text
    try:
        return construct(_resolver, yaml.ScalarNode(tag, text))
    except ValueError:  # looks like a date, but there is no such day
        return text


def _explanation(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return "is indented with a tab; YAML wants spaces"
    return f"is not valid YAML: {' '.join(filter(None, (error.context, error.problem)))}"
