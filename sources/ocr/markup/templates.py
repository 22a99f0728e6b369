"""Reads the templates of a folder: HTML files, and `slots.yaml` with slots that the user declares."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.config_file import ConfigFileError, Problem, load
from sources.ocr.markup.elements import Element, parse
from sources.ocr.markup.page_blocks import cells_of
from sources.ocr.markup.slots import SLOT_TYPES, is_type, slot_problems
from sources.ocr.markup.template import Slots, Template
from sources.ocr.spanning_table import Cell, SpanningTable
from sources.text.languages import LANGUAGES

SUFFIXES = (".htm", ".html")
SLOTS_FILE = "slots.yaml"
MAX_BYTES = 200_000
MAX_FILES = 1_000
SIDES = ("left", "center", "right")


@lru_cache(maxsize=4)
def read_templates(folder: str) -> tuple[Template, ...]:
    """Return the templates of a folder, by the names of their files.

    Raises:
        ValueError: there is no such folder, or no template in it, or one is wrong (ConfigFileError, with file and
            line).
    """
    slots = _read_slots(Path(folder) / SLOTS_FILE)
    return tuple(_read(path, slots) for path in template_files(folder))


def template_files(folder: str) -> Sequence[Path]:
    """Return the HTML files of a folder. Raises ValueError if there are none, or too many."""
    if not Path(folder).is_dir():
        raise ValueError(f"templates: there is no folder {folder}")
    files = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise ValueError(f"templates: {folder} has no HTML files ({', '.join(SUFFIXES)})")
    if len(files) > MAX_FILES:
        raise ValueError(f"templates: {folder} has {len(files):,} HTML files; the most are {MAX_FILES:,}")
    return files


def templates_digest(folder: str) -> str:
    """Return the sha256 of the templates of a folder and of their slots."""
    return hashlib.sha256(repr(read_templates(folder)).encode()).hexdigest()


def _read(path: Path, slots: Slots) -> Template:
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ConfigFileError(path, [Problem(1, f"it has {size:,} bytes; a template may have {MAX_BYTES:,}")])
    try:
        html = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise ConfigFileError(path, [Problem(line, "it is not UTF-8")]) from error
    body, problems = parse(html)
    problems += [*slot_problems(body, slots), *_attribute_problems(body)]
    if not problems:
        problems = [*_part_problems(body)]
    language = next((e.attributes["lang"] for e in body.elements() if "lang" in e.attributes), "en")
    if language not in LANGUAGES:
        problems.append(Problem(1, f"lang must be one of {', '.join(LANGUAGES)}, got {language!r}"))
    if not problems and not any(text.text.strip() for text in body.texts()):
        problems.append(Problem(1, "there is no text in it"))
    if problems:
        raise ConfigFileError(path, problems)
    return Template(path.name, body, language, slots)


def _attribute_problems(root: Element) -> list[Problem]:
    found = []
    for element in root.elements():
        attributes = element.attributes
        if attributes.get("align", "left") not in SIDES:
            found.append(Problem(element.line, f"align must be {', '.join(SIDES)}, got {attributes['align']!r}"))
        for name in ("colspan", "rowspan"):
            value = attributes.get(name, "1")
            if not (value.isdecimal() and 1 <= int(value) <= 100):
                found.append(Problem(element.line, f"{name} must be a number from 1 to 100, got {value!r}"))
        for name in ("height", "width"):
            value = attributes.get(name, "1")
            if not value.removesuffix("px").removesuffix("%").isdecimal():
                found.append(Problem(element.line, f"{name} must be pixels or percent such as 40%, got {value!r}"))
    return found


def _part_problems(root: Element) -> list[Problem]:
    """Return what is wrong with tables, lists and pairs as wholes."""
    found = []
    for element in root.elements():
        if element.tag == "table":
            rows = cells_of(element)
            try:
                SpanningTable([[Cell("", *spans) for _, spans in row] for row in rows], 1).grid() if rows else []
            except ValueError as error:
                found.append(Problem(element.line, f"{error}: its rows must be equally long"))
            if not rows:
                found.append(Problem(element.line, "<table> has no row"))
        if element.tag == "dl":
            tags = [child.tag for child in element.children if isinstance(child, Element)]
            if tags != ["dt", "dd"] * (len(tags) // 2) or not tags:
                found.append(Problem(element.line, "<dl> must have pairs of <dt> and <dd>"))
    return found


def _read_slots(path: Path) -> Slots:
    """Return the slots that a folder declares, by name. Raises ConfigFileError."""
    if not path.is_file():
        return {}
    root = load(path, "a mapping of names to types or lists of values")
    data: Any = root.data()
    if not isinstance(data, Mapping):
        raise ConfigFileError(path, [Problem(1, "expected a mapping of names to types or lists of values")])
    problems = []
    slots: dict[str, str | tuple[str, ...]] = {}
    for name, kind in data.items():
        line = root.line_of((str(name),))
        if isinstance(kind, list) and kind and all(isinstance(value, str | int | float) for value in kind):
            slots[str(name)] = tuple(map(str, kind))
        elif isinstance(kind, str) and is_type(kind):
            slots[str(name)] = kind
        else:
            types = f"a list of values or one of {', '.join(SLOT_TYPES)}, number LOW HIGH"
            problems.append(Problem(line, f"{name} must be {types}, got {kind!r}"))
        if not str(name).replace("_", "").replace("-", "").replace(" ", "").isalnum():
            problems.append(Problem(line, f"a name of a slot has letters, digits, - and _, got {name!r}"))
    if problems:
        raise ConfigFileError(path, problems)
    return slots
