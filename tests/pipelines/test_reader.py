"""The reader process: heartbeats, error rows, and what it does with requests that it does not know."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from pipelines.recipe import Limits, Recipe
from pipelines.storage.arrow_file import read_local
from pipelines.tables.scores import part_errors
from pipelines.workers.pool import Program, Reader
from pipelines.workers.protocol import (
    Answer,
    Done,
    Event,
    GivenUp,
    Heartbeat,
    Inspected,
    InspectInputs,
    Inspection,
    NotUnderstood,
    ProtocolError,
    ReadSlice,
    ReadUnit,
    Request,
    ScoreRows,
    from_line,
    to_line,
)
from pipelines.workers.reader import answer
from sources.base.sample import Provenance, Sample, sample_id
from sources.base.source import InputError, ItemError, Items, Source
from tests.corpus import write_pdf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lines(Source):
    """A source whose items are the lines of a text file; the line decides what becomes of it."""

    name: ClassVar[str] = "lines"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    @contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        known = digest or self.digest_of(path)
        lines = path.read_text().splitlines()
        if not lines:
            raise InputError("empty", f"'{path}' is empty")

        def read(item: int) -> Sample:
            if lines[item] == "bad":
                raise ItemError("bad_line", f"{path} has a bad line", f"https://example.org/{item}")
            if lines[item] == "greedy":
                raise MemoryError
            provenance = Provenance(locator=self.locator(item), digest=known)
            return Sample(id=sample_id(known, provenance.locator), source="lines", provenance=provenance)

        yield Items(len(lines), read)

    def locator(self, item: int) -> str:
        return f"line={item + 1}"

    def fingerprint(self) -> dict[str, Any]:
        return {}


RECIPE = Recipe(name="lines", sources=(Lines(),), filters=(), limits=Limits())


def handle(request: Request[Any]) -> tuple[Answer, list[tuple[int | None, int | None]]]:
    """The reader's answer, and slice and item of its heartbeats."""
    heartbeats: list[tuple[int | None, int | None]] = []

    def send(event: Event) -> None:
        assert isinstance(event, Heartbeat)
        heartbeats.append((event.slice, event.item))

    return answer(RECIPE, request, send), heartbeats


def read_request(folder: Path, *slices: tuple[Path, int, tuple[GivenUp, ...]], apart: bool = False) -> ReadUnit:
    """A request for (path, number of items, items given up) of each input."""
    wanted = [
        ReadSlice(path=path, digest=f"{number:02d}" * 32, first=0, last=last, given_up=given_up)
        for number, (path, last, given_up) in enumerate(slices)
    ]
    return ReadUnit(source=0, slices=tuple(wanted), part=folder / "part", scores=folder / "scores", apart=apart)


def text_file(folder: Path, *lines: str, name: str = "input.txt") -> Path:
    path = folder / name
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_inputs_are_inspected_by_digest_and_length_and_one_costs_itself_only(tmp_path: Path) -> None:
    path = text_file(tmp_path, "one", "bad")
    nothing = text_file(tmp_path, name="nothing.txt")
    found, heartbeats = handle(InspectInputs(paths=(path, nothing, path), source=0))
    good = Inspection(digest=Lines().digest_of(path), num_items=2, num_bytes=8)
    assert found == Inspected(found=(good, Inspection(cause="empty", message="the file is empty"), good))
    assert heartbeats == [(0, None), (1, None), (2, None)]


def test_a_heartbeat_is_sent_before_every_item_and_an_error_costs_one(tmp_path: Path) -> None:
    path = text_file(tmp_path, "one", "bad", "three", "four")
    gone = GivenUp(item=3, cause="crashed", message="the reader died")
    done, heartbeats = handle(read_request(tmp_path, (path, 4, (gone,)), (path, 1, ())))
    assert done == Done()
    assert heartbeats[:4] == [(0, None), (0, 0), (0, 1), (0, 2)]
    assert heartbeats[4:] == [(1, None), (1, 0), (None, None)]  # the last is for the scores of the unit
    part, scores = read_local(tmp_path / "part"), read_local(tmp_path / "scores")
    ids = [sample_id("00" * 32, f"line={n}") for n in (1, 3)] + [sample_id("01" * 32, "line=1")]
    assert part["id"].to_pylist() == scores["id"].to_pylist() == ids
    assert scores["slice"].to_pylist() == [0, 0, 1]
    assert part_errors(scores) == [
        (0, 1, "bad_line", "the file has a bad line", "https://example.org/1"),
        (0, 3, "crashed", "the reader died", ""),
    ]


def test_measuring_inputs_apart_gives_the_same_scores_and_names_each(tmp_path: Path) -> None:
    path = text_file(tmp_path, "one", "bad", "three")
    slices = ((path, 3, ()), (path, 2, ()), (text_file(tmp_path, name="nothing.txt"), 2, ()))
    _, together = handle(read_request(tmp_path, *slices))
    scores = read_local(tmp_path / "scores")
    _, apart = handle(read_request(tmp_path, *slices, apart=True))
    assert read_local(tmp_path / "scores").equals(scores, check_metadata=True)
    assert together[-1:] == [(None, None)]
    assert apart[-3:] == [(0, None), (1, None), (2, None)]


def test_a_unit_that_is_given_up_is_written_without_opening_its_file(tmp_path: Path) -> None:
    given_up = tuple(GivenUp(item=k, cause="not_found", message="it is gone.") for k in range(2))
    done, heartbeats = handle(read_request(tmp_path, (Path(), 2, given_up)))
    assert (done, heartbeats) == (Done(), [(None, None)])
    assert [(error.item, error.message) for error in part_errors(read_local(tmp_path / "scores"))] == [
        (0, "it is gone."),
        (1, "it is gone."),
    ]


def test_an_item_that_takes_too_much_memory_costs_itself_only(tmp_path: Path) -> None:
    done, heartbeats = handle(read_request(tmp_path, (text_file(tmp_path, "greedy", "two"), 2, ())))
    assert (done, heartbeats) == (Done(), [(0, None), (0, 0), (0, 1), (None, None)])
    (error,) = part_errors(read_local(tmp_path / "scores"))
    assert (error.item, error.cause) == (0, "out_of_memory")
    assert "limits.memory_mb" in error.message


def test_an_input_that_cannot_be_opened_costs_its_own_items_only(tmp_path: Path) -> None:
    nothing = text_file(tmp_path, name="nothing.txt")
    done, _ = handle(read_request(tmp_path, (nothing, 2, ()), (text_file(tmp_path, "one"), 1, ())))
    assert done == Done()
    scores = read_local(tmp_path / "scores")
    assert scores["slice"].to_pylist() == [1]
    assert part_errors(scores) == [(0, item, "empty", "the file is empty", "") for item in range(2)]


def test_a_request_for_another_process_is_not_understood(tmp_path: Path) -> None:
    found, _ = handle(ScoreRows(part=tmp_path, rows=(0,), names=()))
    assert found == NotUnderstood(message="a reader does not handle ScoreRows")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Dance(Request[Done]):
    """A request of another version of the program."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WithMore(InspectInputs):
    """InspectInputs with a field that the reader does not know."""

    depth: int


WithMore.__name__ = "InspectInputs"


def test_a_reader_refuses_what_it_does_not_know_and_goes_on(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", 2, "One")
    settings = json.dumps({"sources": [{"type": "pdfs"}]})
    reader = Reader(Program(module="pipelines.workers.reader", settings=settings, timeout_s=60))
    try:
        for request, message in (
            (Dance(), "no message of type 'Dance'"),
            (WithMore(paths=(path,), source=0, depth=3), "InspectInputs.depth: Unexpected keyword argument"),
            (Done(), "Done is not a request"),
        ):
            with pytest.raises(ProtocolError, match=message):
                reader.ask(cast(Any, request))
        process = reader._process
        assert reader.ask(InspectInputs(paths=(path,), source=0)).found[0].num_items == 2
        assert reader._process is process
    finally:
        reader.stop()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"type": "Heartbeat"}', "Heartbeat.item: Field required"),
        ('{"type": "Heartbeat", "item": "first"}', "Heartbeat.item: Input should be a valid integer"),
        ('{"type": "Heartbeat", "item": 1, "page": 1}', "Heartbeat.page: Unexpected keyword argument"),
        ('{"item": 1}', "no message of type None"),
    ],
)
def test_a_message_with_wrong_fields_is_an_error(line: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        from_line(line)


def test_a_message_is_the_same_after_the_pipe(tmp_path: Path) -> None:
    request = read_request(tmp_path, (Path("caf\udce9.txt"), 2, (GivenUp(item=1, cause="crashed", message="“died”"),)))
    line = to_line(request)
    assert line.count("\n") == 1
    assert from_line(line) == request
