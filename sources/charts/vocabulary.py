"""Load the vocabulary, a YAML file with the topics and names of charts."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sources.charts.schema.flows import Project
from sources.charts.schema.quantities import Funnel, Relation
from sources.charts.schema.vocabulary import Vocabulary
from sources.config_file import ConfigFileError, Node, Problem, load

BUNDLED = Path(__file__).with_name("vocabulary.yaml")
MAX_NAME, MAX_TITLE = 40, 70  # characters that fit into a picture
EXPECTED = "a mapping with lists, topics and the other sections"


@lru_cache(maxsize=4)
def load_vocabulary(path: Path) -> Vocabulary:
    """Read and check a vocabulary. Raises ConfigFileError."""
    root = load(path, EXPECTED)
    if not isinstance(root.value, dict):
        raise ConfigFileError(path, [Problem(1, f"expected {EXPECTED}")])
    try:
        vocabulary = TypeAdapter(Vocabulary).validate_python(root.data())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        message = f"{message[0].lower()}{message[1:]}"
        raise ConfigFileError(path, [Problem(root.line_of(first["loc"]), f"{place}: {message}")]) from error
    _check_lengths(root.data(), (), path, root)
    _check_references(vocabulary, path, root)
    return vocabulary


def _check_lengths(value: Any, place: tuple[str | int, ...], path: Path, root: Node) -> None:
    """Check that every text is short enough for a picture."""
    if isinstance(value, str):
        longest = MAX_TITLE if "title" in place else MAX_NAME
        if len(value) > longest:
            message = f"{value[:20]!r}… has {len(value)} characters; at most {longest} fit into a picture"
            raise ConfigFileError(path, [Problem(root.line_of(place), f"{'.'.join(map(str, place))}: {message}")])
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            _check_lengths(part, (*place, key), path, root)


def _check_references(vocabulary: Vocabulary, path: Path, root: Node) -> None:
    """Check that every section has an entry, and that every referenced list exists."""
    named: list[tuple[tuple[str | int, ...], str]] = []
    for section, entries in vars(vocabulary).items():
        if not entries and section != "publishers":
            problem = Problem(root.line_of([section]), f"{section} is empty; expected at least one entry")
            raise ConfigFileError(path, [problem])
    for k, topic in enumerate(vocabulary.topics):
        named += [(("topics", k, "along"), name) for name in topic.along]
        named += [(("topics", k, "by"), name) for name in topic.by]
    named += [(("samples", k, "groups"), entry.groups) for k, entry in enumerate(vocabulary.samples)]
    named += [(("networks", k, "list"), entry.list) for k, entry in enumerate(vocabulary.networks)]
    in_places: dict[str, Sequence[Relation | Funnel | Project]] = {
        "relations": vocabulary.relations,
        "funnels": vocabulary.funnels,
        "projects": vocabulary.projects,
    }
    for section, found in in_places.items():
        named += [((section, k, "where"), name) for k, entry in enumerate(found) for name in entry.where]
    for place, name in named:
        if name not in vocabulary.lists:
            message = f"no list {name!r}; expected one of {', '.join(vocabulary.lists)}"
            raise ConfigFileError(path, [Problem(root.line_of(place), f"{'.'.join(map(str, place))}: {message}")])
