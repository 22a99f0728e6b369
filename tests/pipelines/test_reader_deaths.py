"""Deaths of readers: who is asked again, and when an item is blamed. The processes and signals are real."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.storage.arrow_file import read_local, table_bytes
from pipelines.storage.errors import DamagedFile
from pipelines.workers import pool, process
from pipelines.workers.pool import ItemFault, Program, Reader, ReadersLost
from pipelines.workers.protocol import InspectInputs

CHILD = """
import os, signal, sys, time
from pathlib import Path
from pipelines.workers.parent import Parent
from pipelines.workers.protocol import Heartbeat, Inspected, Inspection
parent = Parent()
settings = parent.settings()
log = Path(settings["log"])
number = len(log.read_text()) if log.exists() else 0
log.write_text("x" * (number + 1))
act, item = (settings["plan"][number:] or [("", 0)])[0]
if act == "hang at start":
    time.sleep(1000)
parent.ready(60)
if act == "idle":
    os.kill(os.getpid(), signal.SIGKILL)
for _ in parent.requests():
    for k in range(4):
        parent.send(Heartbeat(slice=0, item=k))
        if act and k == item:
            os.kill(os.getpid(), signal.Signals[act])
    parent.send(Inspected(found=(Inspection(num_items=number),)))
"""


@pytest.fixture
def reader_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a reader whose processes do what a plan says, one after the other; after its end they work."""
    (tmp_path / "dying_child.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(process, "STOPPED_S", 1)
    monkeypatch.setattr(pool, "MAX_PAUSE_S", 0)
    readers = []

    def make(plan: list[tuple[str, int]]) -> Reader:
        settings = json.dumps({"plan": plan, "log": str(tmp_path / "log")})
        program = Program(module="dying_child", settings=settings, timeout_s=30, wall_timeout_s=60, start_timeout_s=5)
        readers.append(Reader(program))
        return readers[-1]

    yield make
    for reader in readers:
        reader.stop()


REQUEST = InspectInputs(source=0, paths=(Path("a"),))


@pytest.mark.slow
@pytest.mark.parametrize(
    "plan",
    [
        [("SIGKILL", 2), ("SIGALRM", 2), ("SIGTERM", 2), ("SIGHUP", 2), ("SIGKILL", 2), ("SIGKILL", 2)],
        [("SIGSTOP", 1), ("SIGSEGV", 1), ("SIGSEGV", 2), ("SIGABRT", 3)],
        [("SIGALRM", 1)] * 6,
        [("idle", 0), ("hang at start", 0), ("idle", 0)],
    ],
)
def test_deaths_from_outside_blame_nothing(reader_of, plan: list[tuple[str, int]]) -> None:
    assert reader_of(plan).ask(REQUEST).found[0].num_items == len(plan)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "cause"), [([("SIGSEGV", 2), ("SIGKILL", 1), ("SIGABRT", 2)], "crashed"), ([("SIGKILL", 3)] * 5, "killed")]
)
def test_an_item_is_blamed_after_several_deaths_over_it(reader_of, plan: list[tuple[str, int]], cause: str) -> None:
    reader = reader_of(plan)
    with pytest.raises(ItemFault) as caught:
        reader.ask(REQUEST)
    assert (caught.value.slice, caught.value.item, caught.value.cause) == (0, plan[-1][1], cause)
    assert reader.ask(REQUEST).found[0].num_items == len(plan)


@pytest.mark.slow
def test_processes_that_never_start_or_always_die_end_the_run(reader_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_DEATHS", 4)
    with pytest.raises(ReadersLost, match="the reader processes keep dying"):
        reader_of([("SIGTERM", 0)] * 9).ask(REQUEST)
    broken = Reader(Program(module="no_such_module", settings="{}", timeout_s=1))
    with pytest.raises(ReadersLost, match="the reader processes do not start"):
        broken.ask(REQUEST)


def test_every_changed_or_missing_byte_of_a_staged_file_is_found(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2, 3]}).replace_schema_metadata({"key": "value"})
    data, path = table_bytes(table), tmp_path / "a.arrow"
    path.write_bytes(data)
    assert read_local(path).equals(table, check_metadata=True)
    for k in range(len(data)):
        for damaged in (data[:k], data[:k] + bytes([data[k] ^ 0x41]) + data[k + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(DamagedFile):
                read_local(path)
