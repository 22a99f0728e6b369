"""Load the vocabulary, a YAML file with the topics and names of charts."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from sources.charts.vocabulary_schema import Vocabulary
from sources.config_file import YamlFileError, read_yaml

BUNDLED = Path(__file__).with_name("vocabulary.yaml")
MAX_BYTES = 1_000_000


class VocabularyError(YamlFileError):
    """An unusable vocabulary; the message is one sentence with file and line."""


@lru_cache(maxsize=4)
def load_vocabulary(path: Path) -> Vocabulary:
    """Read and check a vocabulary. Raises YamlFileError."""
    content, root = read_yaml(path, "the vocabulary", MAX_BYTES)
    if not isinstance(content, dict) or root is None:
        raise VocabularyError(f"the vocabulary {path} is empty; expected lists, topics and the other sections")
    try:
        vocabulary = TypeAdapter(Vocabulary).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        message = f"{message[0].lower()}{message[1:]}"
        raise VocabularyError(f"{path}:{_line(root, first['loc'])}: {place}: {message}") from error
    _check_references(vocabulary, path, root)
    return vocabulary


def _check_references(vocabulary: Vocabulary, path: Path, root: yaml.Node) -> None:
    """Check that every section has an entry, and that every referenced list exists."""
    named: list[tuple[tuple[str | int, ...], str]] = []
    for section, entries in vars(vocabulary).items():
        if not entries:
            raise VocabularyError(f"{path}:{_line(root, (section,))}: {section} is empty; expected at least one entry")
    for k, topic in enumerate(vocabulary.topics):
        named += [(("topics", k, "along"), name) for name in topic.along]
        named += [(("topics", k, "by"), name) for name in topic.by]
    named += [(("samples", k, "groups"), entry.groups) for k, entry in enumerate(vocabulary.samples)]
    named += [(("networks", k, "list"), entry.list) for k, entry in enumerate(vocabulary.networks)]
    for place, name in named:
        if name not in vocabulary.lists:
            raise VocabularyError(
                f"{path}:{_line(root, place)}: {'.'.join(map(str, place))}: no list {name!r}; "
                f"expected one of {', '.join(vocabulary.lists)}"
            )


def _line(node: yaml.Node, place: Sequence[str | int]) -> int:
    """Return the 1-based line of the deepest node on the path `place`."""
    for key in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        elif isinstance(node, yaml.MappingNode):
            found = [value for name, value in node.value if name.value == str(key)]
            if not found:
                break
            node = found[0]
        else:
            break
    return node.start_mark.line + 1
