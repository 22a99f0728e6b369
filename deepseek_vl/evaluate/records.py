"""Records: the rows of a task's data as questions with images and accepted answers."""

import ast
import base64
import binascii
import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deepseek_vl.conversation import IMAGE_MARK
from deepseek_vl.evaluate.tasks import MULTIPLE_CHOICE, PERPLEXITY, Task, TaskError

SUFFIXES = (".parquet", ".tsv", ".jsonl")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARK = re.compile(r"<image(?: (\d+))?>")
_EMPTY = (None, "", "nan")  # "nan" is in published tables


@dataclass(frozen=True, slots=True)
class Record:
    """One question.

    Args:
        prompt: what the user says; `<image>` where each image is.
        choices: for multiple choice.
        expected: accepted answers; for multiple choice, the right choice.
        text: for perplexity, or the messages as a list.
        group: the value by which results are also given, or empty.
    """

    id: str
    prompt: str
    images: tuple[bytes, ...] = ()
    choices: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    text: str = ""
    messages: tuple[Mapping[str, str], ...] = ()
    group: str = ""


class RecordError(ValueError):
    """A row that gives no question; it is counted and shown, never left out silently."""


def read_records(task: Task, folder: Path, limit: int | None = None) -> Iterator[Record | tuple[str, RecordError]]:
    """The records of a task, or for a row that gives none its place and the reason.

    Args:
        folder: what the task's `data` is relative to.
    Raises:
        TaskError: there is no data, or a column is missing.
    """
    count = 0
    files = _files(task, folder)
    for file in files:
        earlier: dict[str, Mapping[str, Any]] = {}
        for number, row in enumerate(_rows(file)):
            if number == 0:
                _check_columns(task, file, row)
            row = _with_images(task, row, earlier)
            if any(row.get(name) != value for name, value in task.where.items()):
                continue
            if limit is not None and count >= limit:
                return
            count += 1
            try:
                yield _record(task, row, file, number)
            except RecordError as error:
                yield f"{file.name}, row {number}", error
    if not count:
        raise TaskError(f"{task.name}: {files[0]} holds no row with {dict(task.where)}")


def _files(task: Task, folder: Path) -> list[Path]:
    path = folder / task.data
    if path.is_file():
        return [path]
    files = sorted(found for suffix in SUFFIXES for found in path.glob(f"*{suffix}")) if path.is_dir() else []
    if not files:
        hint = f" ({task.source})" if task.source else ""
        raise TaskError(f"{task.name}: {path} holds no {', '.join(SUFFIXES)} file; put the data there{hint}")
    return files


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        if file.suffix == ".parquet":
            for batch in pq.ParquetFile(file).iter_batches(batch_size=64):
                yield from batch.to_pylist()
        elif file.suffix == ".tsv":
            csv.field_size_limit(sys.maxsize)  # images are in the table, as base64 text
            with file.open(encoding="utf-8", newline="") as lines:
                yield from csv.DictReader(lines, delimiter="\t")
        else:
            with file.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines if line.strip())
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise TaskError(f"{file} cannot be read: {' '.join(str(error).split())}") from error


def _check_columns(task: Task, file: Path, row: Mapping[str, Any]) -> None:
    columns = task.columns
    wanted = [*columns.images, *columns.choices, *task.where]
    wanted += [
        name
        for name in (
            columns.hint,
            columns.question,
            columns.answer,
            columns.text,
            columns.messages,
            columns.group,
            columns.id,
        )
        if name is not None
    ]
    missing = [name for name in wanted if name not in row]
    if missing:
        raise TaskError(f"{task.name}: {file} has no column {missing[0]}; its columns are {', '.join(row)}")


def _with_images(task: Task, row: dict[str, Any], earlier: dict[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Replace the id of an earlier row by the image of that row: published tables do not repeat images."""
    if task.columns.id is None:
        return row
    for name in task.columns.images:
        value = row[name]
        if isinstance(value, str) and value in earlier:
            row = {**row, name: earlier[value][name]}
    if task.columns.images and isinstance(row[task.columns.images[0]], str):
        earlier[str(row[task.columns.id])] = {name: row[name] for name in task.columns.images}
    return row


def _record(task: Task, row: Mapping[str, Any], file: Path, number: int) -> Record:
    columns = task.columns
    identity = str(row[columns.id]) if columns.id else f"{file.name}:{number}"
    group = str(row[columns.group]) if columns.group else ""
    by_column = [tuple(_images(row[name], file.parent)) for name in columns.images]
    images = tuple(image for some in by_column for image in some)
    if task.metric == PERPLEXITY:
        text = row[columns.text] if columns.text else ""
        messages = tuple(row[columns.messages] or ()) if columns.messages else ()
        if not text and not messages:
            raise RecordError("the row has no text")
        return Record(identity, "", images, text=text or "", messages=messages, group=group)
    choices = _choices(row, columns.choices)
    question = str(row[columns.question]) if columns.question else ""
    if columns.hint is not None and row[columns.hint] not in _EMPTY:
        question = f"{row[columns.hint]}\n{question}"
    expected: tuple[str, ...] = ()
    if columns.messages is not None:  # a conversation of the pipeline: the last turn is the answer to the first
        turns: Sequence[Mapping[str, str]] = row[columns.messages] or ()
        if len(turns) < 2 or turns[1]["role"] != "assistant":
            raise RecordError("the row has no question with an answer")
        question, expected = str(turns[0]["content"]), (str(turns[1]["content"]),)
    else:
        assert columns.answer is not None
        expected = _expected(task, row[columns.answer], choices)
    if task.images_in_question and any(_MARK.search(choice) for choice in choices):
        question = f"{question}\n{_lettered(choices)}"
        expected = tuple(LETTERS[choices.index(each)] for each in expected)
        choices = tuple(LETTERS[: len(choices)])
    prompt = _prompt(task, row, question, choices)
    if task.images_in_question or IMAGE_MARK in prompt:
        images = _marked(prompt, images, by_column)
        prompt = _MARK.sub(IMAGE_MARK, prompt)
    else:
        prompt = f"{IMAGE_MARK}\n" * len(images) + prompt
    return Record(identity, prompt, images, choices, expected, group=group)


def _prompt(task: Task, row: Mapping[str, Any], question: str, choices: Sequence[str]) -> str:
    values = {name: value for name, value in row.items() if isinstance(value, str | int | float)}
    try:
        return task.prompt.format_map({**values, "question": question, "choices": _lettered(choices)})
    except (KeyError, IndexError, ValueError) as error:
        raise TaskError(f"{task.name}: the prompt names {error}, which the data does not have") from error


def _lettered(choices: Sequence[str]) -> str:
    return "\n".join(f"{LETTERS[k]}. {choice}" for k, choice in enumerate(choices))


def _marked(prompt: str, images: Sequence[bytes], by_column: Sequence[Sequence[bytes]]) -> tuple[bytes, ...]:
    """Return the images in the order of their marks; a numbered mark names a column, and may come more than once."""
    numbers = _MARK.findall(prompt)
    if not any(numbers):
        if len(numbers) != len(images):
            raise RecordError(f"the question marks {len(numbers)} images, the row holds {len(images)}")
        return tuple(images)
    found: list[bytes] = []
    for number in numbers:
        place = int(number or 1) - 1
        if not 0 <= place < len(by_column) or len(by_column[place]) != 1:
            raise RecordError(f"the question marks image {number or 1}, which the row does not hold")
        found += by_column[place]
    return tuple(found)


def _images(value: Any, folder: Path) -> Iterator[bytes]:
    if value is None or value == "":
        return
    if isinstance(value, list):
        for each in value:
            yield from _images(each, folder)
    elif isinstance(value, Mapping):
        yield from _images(value.get("bytes") or value.get("path"), folder)
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, str) and len(value) < 1000 and Path(value).suffix:
        yield _image_file(value, folder)
    else:
        try:
            yield base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RecordError(f"an image is neither base64 text nor a file: {str(value)[:40]!r}") from error


def _image_file(name: str, folder: Path) -> bytes:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise RecordError(f"the image {name!r} is outside the folder of the data")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"the image {name!r} cannot be read: {error.strerror}") from error


def _choices(row: Mapping[str, Any], columns: Sequence[str]) -> tuple[str, ...]:
    if len(columns) == 1:
        found = _as_list(row[columns[0]])
    else:
        found = [row[name] for name in columns if row[name] not in _EMPTY]
    return tuple(str(choice) for choice in found)


def _expected(task: Task, value: Any, choices: Sequence[str]) -> tuple[str, ...]:
    if task.metric != MULTIPLE_CHOICE:
        found = tuple(str(each) for each in _as_list(value))
        if not found:
            raise RecordError("the row has no answer")
        return found
    if len(choices) < 2:
        raise RecordError(f"the row has {len(choices)} choices")
    text = str(value).strip()
    if text in choices:
        return (text,)
    letter = LETTERS.find(text.upper()) if len(text) == 1 else -1
    index = int(text) if text.isdecimal() else letter
    if not 0 <= index < len(choices):
        raise RecordError(f"the answer {text!r} is none of the {len(choices)} choices")
    return (choices[index],)


def _as_list(value: Any) -> list[Any]:
    """Return a list of values, which some published tables write as the text of a Python list."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return [value]
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]
