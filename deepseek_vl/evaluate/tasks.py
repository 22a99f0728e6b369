"""Tasks: what is asked about which data, and how answers are judged. Described in YAML."""

import difflib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from deepseek_vl.evaluate.metrics import METRICS

SHIPPED = Path(__file__).with_name("tasks")
MULTIPLE_CHOICE, PERPLEXITY = "multiple_choice", "perplexity"
KINDS = (MULTIPLE_CHOICE, PERPLEXITY, *METRICS)


class TaskError(ValueError):
    """A task that cannot be used. The message names the task, the place, and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the data's columns.

    Args:
        images: columns with an image each or a list of them: bytes, base64 text, a path relative to the data, or the id
            of an earlier row that has the image (as in MMBench).
        hint: text that comes before the question, if it is not empty.
        choices: one column with a list of choices, or a column for each choice (empty ones are left out).
        answer: the expected answer, a list of accepted answers, or for multiple choice the choice, its letter, or its
            index from 0.
        group: column by whose values results are also given, e.g. a category.
    """

    images: tuple[str, ...] = ()
    hint: str | None = None
    question: str | None = None
    choices: tuple[str, ...] = ()
    answer: str | None = None
    text: str | None = None
    messages: str | None = None
    group: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task.

    Args:
        name: the task's name in results.
        metric: `multiple_choice` (by the likelihood of the choices, as in arXiv 2403.05525, section 4.1), `perplexity`
            (of texts), or how a generated answer is judged.
        data: file or folder of Parquet, TSV or JSONL files, relative to the data folder of the command.
        prompt: the question to the model; `{question}`, `{choices}` and the names of columns are filled in.
        system: system prompt; null for the model's own.
        max_tokens: tokens of an answer.
        images_in_question: the question or the choices hold `<image>`, or numbered marks as in MMMU (`<image 2>` is the
            image of the second column), where images are. Choices with images are asked for by their letters.
        where: values that columns must have, e.g. `{split: validation}`.
        source: where the data is published, and its licence.
    """

    name: str
    metric: str
    data: str
    columns: Columns
    prompt: str = "{question}"
    system: str | None = None
    max_tokens: int = 64
    images_in_question: bool = False
    where: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        if self.metric not in KINDS:
            near = difflib.get_close_matches(self.metric, KINDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(KINDS)}"
            raise ValueError(f"there is no metric {self.metric!r}{hint}")
        columns = self.columns
        if self.metric == PERPLEXITY:
            wanted: dict[str, object] = {"columns.text or columns.messages": columns.text or columns.messages}
        else:
            wanted = {"columns.answer": columns.answer}
            if columns.messages is None:
                wanted["columns.question"] = columns.question
            if self.metric == MULTIPLE_CHOICE:
                wanted["columns.choices"] = columns.choices or None
        for name, value in wanted.items():
            if value is None:
                raise ValueError(f"the metric {self.metric} needs {name}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be positive, got {self.max_tokens}")


def load_task(name: str | Path) -> Task:
    """Read a task from a YAML file, or a shipped one by its name. Raises TaskError."""
    path = Path(name)
    if not path.is_file():
        shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
        if str(path.parent) != "." or not shipped.is_file():
            known = shipped_names()
            near = difflib.get_close_matches(path.name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(known)}"
            raise TaskError(f"{name} is neither a file nor a shipped task; {hint}")
        path = shipped
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaskError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    try:
        return _build(content, path)
    except (TypeError, ValueError) as error:
        raise TaskError(f"{path}: {error}") from error


def shipped_names() -> list[str]:
    """Return the names of the shipped tasks."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def _build(content: Any, path: Path) -> Task:
    if not isinstance(content, dict):
        raise ValueError(f"expected a mapping, got {type(content).__name__}")
    _check_keys(content, Task, "")
    columns = content.get("columns")
    if not isinstance(columns, dict):
        raise ValueError(f"columns must be a mapping of names, got {columns!r:.60}")
    _check_keys(columns, Columns, "columns.")
    lists = {name: _names(columns[name], name) for name in ("images", "choices") if name in columns}
    for name, value in columns.items():
        if name not in lists and value is not None and not isinstance(value, str):
            raise ValueError(f"columns.{name} must be the name of a column, got {value!r:.60}")
    filled = {"name": path.stem, **content, "columns": Columns(**{**columns, **lists})}
    hints = typing.get_type_hints(Task)
    for name, value in filled.items():
        kind = hints[name]
        if kind in (str, int, bool) and type(value) is not kind:
            raise ValueError(f"{name} must be of type {kind.__name__}, got {value!r:.60}")
    missing = [f.name for f in fields(Task) if f.name in ("metric", "data") and f.name not in filled]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return Task(**filled)


def _names(value: Any, name: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ValueError(f"columns.{name} must be one name or a list of names, got {value!r:.60}")
    return tuple(names)


def _check_keys(content: Mapping[str, Any], kind: type, place: str) -> None:
    known = [f.name for f in fields(kind)]
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected {', '.join(known)}"
            raise ValueError(f"there is no key {place}{key}{hint}")
