"""YAML files that people edit, read with care: bounded in size, without aliases, with plain data only."""

from pathlib import Path
from typing import Any

import yaml


class YamlFileError(ValueError):
    """A file that cannot be used: one sentence."""


def read_yaml(path: Path, what: str, max_bytes: int) -> tuple[Any, yaml.Node | None]:
    """The content of a YAML file, and its nodes, which know their lines.

    Args:
        what: what the file is, for errors: "the recipe".

    Raises:
        YamlFileError: it cannot be read, is too long, uses aliases or is not YAML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise YamlFileError(f"{what} {path} cannot be read: {error.strerror}") from error
    if len(data) > max_bytes:
        raise YamlFileError(f"{what} {path} is {len(data)} bytes long; expected at most {max_bytes}")
    try:
        text = data.decode()
        has_aliases = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader))
        if not has_aliases:  # a few lines of them can stand for gigabytes
            return yaml.load(text, Loader=yaml.CSafeLoader), yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlFileError(f"{what} {path} is not valid YAML: {' '.join(str(error).split())}") from error
    raise YamlFileError(f"{what} {path} uses YAML aliases (*name); write the values out")
