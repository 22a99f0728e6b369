"""One value of a recipe file changed, its comments, order and layout kept."""

from typing import Any

import yaml

from pipelines.recipe import UsageError


def with_setting(text: str, kind: str, setting: str, value: float) -> str:
    """The text of a YAML recipe with a setting of one of its filters changed or added.

    Args:
        kind: type of the filter.
        setting: its setting, with dots between the keys of mappings inside it.

    Raises UsageError if the file has no such filter, or has it in a form that cannot be edited (an alias).
    """
    root = yaml.compose(text, yaml.SafeLoader)
    entry = _entry(root, kind)
    keys = setting.split(".")
    node: Any = entry
    for number, key in enumerate(keys):
        found = next((v for k, v in node.value if k.value == key), None)
        if found is None:
            return _added(text, node, keys[number:], value)
        if number + 1 < len(keys) and (not isinstance(found, yaml.MappingNode) or not found.value):
            return _replaced(text, found, _nested(keys[number + 1 :], value))
        node = found
    return _replaced(text, node, _written(value))


def _entry(root: Any, kind: str) -> yaml.MappingNode:
    filters = next((v for k, v in root.value if k.value == "filters"), None) if root is not None else None
    for entry in filters.value if isinstance(filters, yaml.SequenceNode) else ():
        if isinstance(entry, yaml.MappingNode) and any(k.value == "type" and v.value == kind for k, v in entry.value):
            return entry
    raise UsageError(f"the recipe has no filter of the type {kind}")


def _written(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and isinstance(value, int) else f"{value:.6g}"


def _nested(keys: list[str], value: float) -> str:
    return f"{{{keys[0]}: {_nested(keys[1:], value)}}}" if keys else _written(value)


def _replaced(text: str, node: yaml.Node, written: str) -> str:
    """The node's own characters replaced; a comment behind it stays."""
    start, end = node.start_mark.index, node.end_mark.index
    return f"{text[:start]}{written}{text[end:]}"


def _added(text: str, mapping: yaml.MappingNode, keys: list[str], value: float) -> str:
    """A key more at the end of a mapping."""
    written = f"{keys[0]}: {_nested(keys[1:], value)}"
    last = mapping.value[-1][1]
    if mapping.flow_style:
        return f"{text[: last.end_mark.index]}, {written}{text[last.end_mark.index :]}"
    # Behind the line on which the first key is: what follows it may be of any shape.
    first_key, first = mapping.value[0]
    line_end = text.find("\n", first.end_mark.index)
    if not isinstance(first, yaml.ScalarNode) or first.end_mark.line != first_key.start_mark.line:
        raise UsageError(f"{keys[0]} cannot be added to this recipe; write `{written}` yourself")
    indent = " " * first_key.start_mark.column
    if line_end < 0:
        return f"{text}\n{indent}{written}\n"
    return f"{text[: line_end + 1]}{indent}{written}\n{text[line_end + 1 :]}"
