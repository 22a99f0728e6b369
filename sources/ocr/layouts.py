"""Forms of the user: a title, labels with the types of their fields, and check boxes, as YAML files in a folder."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sources.config_file import ConfigFileError, Problem, load
from sources.ocr.fields import FIELD_TYPES
from sources.ocr.vocabulary import BUNDLED

EXPECTED = "a mapping with title and fields"
SUFFIXES = (".yaml", ".yml")
MAX_LABEL, MAX_TEXT = 40, 160  # characters that fit beside an entry, and on a line or two
MAX_FIELDS = 30


@dataclass(frozen=True, slots=True)
class Layout:
    """A form.

    Args:
        title: printed at the top.
        fields: label and type of each field; instead of a type, the values of which one is written.
        language: of the labels, and of what is written.
        note: printed below the title.
        consents: texts of the check boxes.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: str
    fields: tuple[tuple[str, str | tuple[str, ...]], ...]
    language: str = "en"
    note: str = ""
    consents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.language not in BUNDLED:
            raise ValueError(f"language must be one of {', '.join(BUNDLED)}, got {self.language!r}")
        if not 1 <= len(self.fields) <= MAX_FIELDS:
            raise ValueError(f"fields must have 1 to {MAX_FIELDS} entries, got {len(self.fields)}")
        for name, kind in self.fields:
            if isinstance(kind, str) and kind not in FIELD_TYPES:
                raise ValueError(f"field {name!r} has the type {kind!r}; expected {', '.join(FIELD_TYPES)}, or a list")
            if not kind:
                raise ValueError(f"field {name!r} has an empty list of values")
        names = [name for name, _ in self.fields]
        if len(set(names)) < len(names):
            raise ValueError("two fields have the same label")
        for text, most in ((self.title, MAX_LABEL), *((name, MAX_LABEL) for name in names), (self.note, MAX_TEXT)):
            _check_length(text, most)
        for text in self.consents:
            _check_length(text, MAX_TEXT)


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise ValueError(f"{text[:20]!r}… has {len(text)} characters; at most {most} fit")


@lru_cache(maxsize=4)
def read_layouts(folder: str) -> tuple[Layout, ...]:
    """Return the forms of a folder, by the names of their files.

    Raises:
        ValueError: there is no such folder, or no form in it, or one is wrong (ConfigFileError, with file and line).
    """
    return tuple(_read(path) for path in layout_files(folder))


def layout_files(folder: str) -> Sequence[Path]:
    """Return the YAML files of a folder. Raises ValueError if there are none."""
    if not Path(folder).is_dir():
        raise ValueError(f"layouts: there is no folder {folder}")
    files = sorted(path for path in Path(folder).iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not files:
        raise ValueError(f"layouts: {folder} has no YAML files")
    return files


def layouts_digest(folder: str) -> str:
    """Return the sha256 of the forms of a folder."""
    return hashlib.sha256(repr(read_layouts(folder)).encode()).hexdigest()


def _read(path: Path) -> Layout:
    root = load(path, EXPECTED)
    if not isinstance(root.value, dict):
        raise ConfigFileError(path, [Problem(1, f"expected {EXPECTED}")])
    try:
        return TypeAdapter(Layout).validate_python(root.data())
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        place = ".".join(map(str, first["loc"])) or path.stem
        raise ConfigFileError(path, [Problem(root.line_of(first["loc"]), f"{place}: {message}")]) from error
