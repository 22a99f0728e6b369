"""The messages between a process and its reader or scorer: one dataclass per message, one line of JSON each.

The parent sends a Request; the child sends any number of Events and then one Answer. A field or a type of message that
the other side does not know is an error, never ignored.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError


class ProtocolError(RuntimeError):
    """A message that its receiver does not understand: a mistake in this program, not in its input."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Something that is sent as one line."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(Message):
    """Something that a child sends while it works. Every event grants it time until the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer(Message):
    """The last message about a request."""


AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request(Message, Generic[AnswerT]):
    """A request, with the type of its answer."""


# Events


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready(Event):
    """The child has started and takes requests."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat(Event):
    """The child begins with an item.

    Args:
        item: None: with the input, or with all samples of it, as a whole.
        slice: number of the input in the request; None: with all of them.
    """

    item: int | None
    slice: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFinished(Event):
    """A file in the scratch folder of a FetchInputs is finished and belongs to the parent.

    Args:
        input: number of the input that it belongs to.
    """

    input: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemsFetched(Event):
    """So many items were fetched since the last of these events; `Fetched` has the same fields."""

    num_items: int
    hosts: tuple[str, ...]
    failures: Mapping[str, int]


# Answers


@dataclass(frozen=True, kw_only=True, slots=True)
class Done(Answer):
    """The request is carried out; its result is in the files that it names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InputsFetched(Answer):
    """The answer to FetchInputs.

    Args:
        unused, wanted: what became of the share of each input, as in `BudgetUse`.
    """

    unused: tuple[int, ...]
    wanted: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed(Answer):
    """The input cannot be read, or the sample not be scored. The parent raises InputError.

    Args:
        slice: number of the input in the request, if it has several; then the parent raises ItemFault.
    """

    cause: str
    message: str
    slice: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFailed(Answer):
    """The result cannot be written. The parent raises OutputError."""

    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotUnderstood(Answer):
    """The request has an unknown type or field. The parent raises ProtocolError."""

    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unavailable(Answer):
    """What the process needs is not there, now or from the start. The parent raises FilterUnavailable."""

    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection(Message):
    """The result of inspecting one input.

    Args:
        num_bytes: size of its file.
        note: what was guessed about it, for the plan of a run.
        cause, message: why it cannot be read; empty if it can.
    """

    digest: str = ""
    num_items: int = 0
    num_bytes: int = 0
    note: str = ""
    cause: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected(Answer):
    """The result of InspectInputs, in the order of its paths."""

    found: tuple[Inspection, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered(Answer):
    """The result of GatherMaterial: how much was left out, by reason."""

    dropped: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quoted(Answer):
    """The result of FindQuotes: row of the part, number of the evaluation item, share of its text, words that match."""

    quotes: Sequence[tuple[int, int, float, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored(Answer):
    """The result of ScoreRows.

    Args:
        values: for every row the scores, in the order of the filter's names.
        faults: for every row why it could not be measured; None if it could.
        use_cases: for every row the leaf of the taxonomy that the filter chose; None if it chose none.
        seconds: that this took.
    """

    values: Sequence[tuple[float | None, ...]]
    faults: Sequence[str | None]
    use_cases: Sequence[str | None]
    seconds: float


# Requests to a reader


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRequest(Request[AnswerT]):
    """A request to open a file from outside.

    Args:
        path: the file, which may be a temporary copy. `Path()` for samples that are made without a file.
    """

    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectInputs(Request[Inspected]):
    """Take the digests of inputs and count their items.

    Args:
        source: index of the source in the recipe.
        paths: the files, which may be temporary copies.
        digests: for each file the digest if it is known, else an empty text; by default none is known.
    """

    source: int
    paths: tuple[Path, ...]
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenUp(Message):
    """An item that is not tried again, with the error row that it gets."""

    item: int
    cause: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSlice(Message):
    """Items of one input.

    Args:
        path: the file, which may be a temporary copy. `Path()` for samples that are made without a file.
        digest: digest of the input, from InspectInputs.
        first, last: the items; `last` is not one of them.
        given_up: items to leave out. If these are all, the file is not opened.
        faulty: items that hung or crashed a reader, once for every time, to be read in the source's next other way.
    """

    path: Path
    digest: str
    first: int
    last: int
    given_up: tuple[GivenUp, ...] = ()
    faulty: tuple[GivenUp, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadUnit(Request[Done]):
    """Read a unit: write its part, measure its samples, and label them or write instruction samples from them.

    Args:
        source: index of the source in the recipe.
        slices: what to read, in the order of the part.
        part, scores: files to write.
        taxonomy: folder of the taxonomy; None: samples are not labelled.
        conversations: file to write if the recipe has `instructions`.
        apart: measure slice by slice, which shows the one that the reader dies on.
    """

    source: int
    slices: tuple[ReadSlice, ...]
    part: Path
    scores: Path
    taxonomy: Path | None = None
    conversations: Path | None = None
    apart: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RescorePart(Request[Done]):
    """Measure and label the samples of a finished part again. The arguments are the same as in ReadUnit."""

    part: Path
    scores: Path
    taxonomy: Path | None = None
    conversations: Path | None = None
    apart: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchInputs(Request[InputsFetched]):
    """Fetch what is missing of some inputs of a remote source; sends FileFinished and ItemsFetched.

    Args:
        source: index of the source in the recipe.
        paths: files of the inputs.
        scratch: folder for finished files.
        retry_failed: fetch again what failed before.
        objects: URI and local copy of each object in a store that is read.
    """

    source: int
    paths: tuple[Path, ...]
    scratch: Path
    retry_failed: bool
    objects: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ListArchive(FileRequest[Done]):
    """Write the names of an archive's files as JSON.

    Args:
        suffixes: ends of the names that are meant.
        out: file to write.
    """

    suffixes: tuple[str, ...]
    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractMember(FileRequest[Done]):
    """Copy one file of an archive, a zip or a tar without compression.

    Args:
        name: the file's name, as ListArchive gave it.
        out: file to write.
        whole: suffixes of archives that may be copied as they are; others inside an archive are not read.
    """

    name: str
    out: Path
    whole: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UnpackTar(FileRequest[Done]):
    """Write a compressed tar without its compression to `out`."""

    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertDocument(FileRequest[Done]):
    """Write an office document as a PDF.

    Args:
        suffix: end of the document's name, which tells its kind.
        out: file to write.
    """

    suffix: str
    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class GatherMaterial(FileRequest[Gathered]):
    """Write what a synthetic source makes samples from, found in a file.

    Args:
        source: index of the source in the recipe.
        name: the file's name as the user gave it.
        out: file to write.
    """

    source: int
    name: str
    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadCollection(FileRequest[Done]):
    """Read the images or rows of an evaluation set.

    Args:
        name: the file's name, with which the names of its items begin.
        out: file to write.
    """

    name: str
    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FindHits(Request[Done]):
    """Find runs of evaluation sets in the samples of a part.

    Args:
        runs: a file for the runs of each set (`pipelines/duplicates/contamination.py`).
        out: file to write: row, run, words and set of every hit.
    """

    part: Path
    runs: Sequence[Path]
    out: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class FindQuotes(Request[Quoted]):
    """Decide which samples quote an evaluation set.

    Args:
        hits: what FindHits wrote.
        runs: file of the set's runs.
        common: file of runs that do not count.
    """

    hits: Path
    runs: Path
    common: Path


# Requests to a scorer


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRows(Request[Scored]):
    """Score rows of a part.

    Args:
        names: the scores that are wanted: whole groups of the filter's.
    """

    part: Path
    rows: tuple[int, ...]
    names: tuple[str, ...]


_TYPES: Mapping[str, type[Message]] = {
    cls.__name__: cls
    for cls in (
        *(Ready, Heartbeat, FileFinished, ItemsFetched),
        *(Done, InputsFetched, Failed, OutputFailed, NotUnderstood, Unavailable),
        *(Inspected, Gathered, Quoted, Scored),
        *(ListArchive, ExtractMember, UnpackTar, ConvertDocument),
        *(InspectInputs, ReadUnit, RescorePart, FetchInputs, GatherMaterial, ReadCollection, FindHits, FindQuotes),
        ScoreRows,
    )
}


def to_line(message: Message) -> str:
    """The message as one line of JSON: its type and its fields."""
    return json.dumps({"type": type(message).__name__, **_fields(message)}, default=_plain) + "\n"


def _fields(message: Message) -> dict[str, Any]:
    return {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}


def _plain(value: Any) -> Any:
    """Convert values that JSON cannot hold: messages inside messages, and paths."""
    if isinstance(value, Message):
        return _fields(value)
    assert isinstance(value, Path), value
    return str(value)


def from_line(line: str | bytes) -> Message:
    """The message that a line holds. Raises ProtocolError."""
    fields = json.loads(line)
    name = fields.pop("type", None)
    if name not in _TYPES:
        raise ProtocolError(f"there is no message of type {name!r}")
    try:
        message: Message = _adapter(name).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise ProtocolError(f"{name}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return message


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[name])
