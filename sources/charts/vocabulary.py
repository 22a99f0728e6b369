"""Load the vocabulary, a YAML file with the topics and names of charts."""

from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sources.charts.vocabulary_schema import Vocabulary
from sources.config_file import ConfigFileError, Node, Problem, load

BUNDLED = Path(__file__).with_name("vocabulary.yaml")
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
    _check_references(vocabulary, path, root)
    return vocabulary


def _check_references(vocabulary: Vocabulary, path: Path, root: Node) -> None:
    """Check that every section has an entry, and that every referenced list exists."""
    named: list[tuple[tuple[str | int, ...], str]] = []
    for section, entries in vars(vocabulary).items():
        if not entries:
            problem = Problem(root.line_of([section]), f"{section} is empty; expected at least one entry")
            raise ConfigFileError(path, [problem])
    for k, topic in enumerate(vocabulary.topics):
        named += [(("topics", k, "along"), name) for name in topic.along]
        named += [(("topics", k, "by"), name) for name in topic.by]
    named += [(("samples", k, "groups"), entry.groups) for k, entry in enumerate(vocabulary.samples)]
    named += [(("networks", k, "list"), entry.list) for k, entry in enumerate(vocabulary.networks)]
    for place, name in named:
        if name not in vocabulary.lists:
            message = f"no list {name!r}; expected one of {', '.join(vocabulary.lists)}"
            raise ConfigFileError(path, [Problem(root.line_of(place), f"{'.'.join(map(str, place))}: {message}")])
