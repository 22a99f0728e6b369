"""Readers seen from their parent: requests to processes that may hang, crash or be killed, by them or by others.

The death of a process is a fault of its surroundings until there is reason to blame what it was working on: a fresh
process is asked again, and only what was being read at several deaths becomes an `ItemFault`.
"""

import atexit
import json
import math
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from filters.filter import Filter, FilterUnavailable
from pipelines.recipe import Recipe
from pipelines.storage import OutputError
from pipelines.workers.process import CRASHED, KILLED, Death, Overtime, Program, ReaderProcess
from pipelines.workers.protocol import (
    AnswerT,
    Event,
    Failed,
    Heartbeat,
    Message,
    NotUnderstood,
    OutputFailed,
    ProtocolError,
    Request,
    Unavailable,
)
from sources.base.source import InputError

# Deaths at one place before it is blamed. A crash is nearly always the input's; SIGKILL comes from the memory
# killer, which a page may have called, or from a user, who hardly meets the same page each time. Others blame nothing.
CRASHES_BEFORE_BLAME, KILLS_BEFORE_BLAME = 2, 5
MAX_STARTS = 3  # of one reader in a row that did not become ready
MAX_DEATHS = 25  # over one request, after which something is wrong with the machine
FIRST_PAUSE_S, MAX_PAUSE_S = 0.01, 5  # before the next process is asked, doubled with every death
WALL_FACTOR = 5  # of a scorer's time limit: seconds by the clock for one of processor time


class ReadersLost(RuntimeError):
    """Readers keep being ended from outside, or do not start: the run cannot go on."""


@dataclass
class ItemFault(Exception):
    """The reader hung or died while it worked on one item (None: on the input as a whole).

    Args:
        slice: number of the input in the request; None: all of them.
    """

    item: int | None
    cause: str
    message: str
    slice: int | None = None

    def __reduce__(self) -> tuple[type["ItemFault"], tuple[int | None, str, str, int | None]]:
        """Travel between processes with all fields."""
        return ItemFault, (self.item, self.cause, self.message, self.slice)


class Deaths:
    """The deaths of readers over one request.

    Args:
        crashes: at one place before it is blamed.
    """

    def __init__(self, crashes: int = CRASHES_BEFORE_BLAME) -> None:
        self._limits = {CRASHED: crashes, KILLED: KILLS_BEFORE_BLAME}
        self._total = 0
        self._num_starts = 0
        self._at: Counter[tuple[str, int | None, int | None]] = Counter()

    def add(self, death: Death) -> None:
        """Count a death, and wait a little, because more deaths may follow.

        Raises:
            ItemFault: what was being read is to blame.
            ReadersLost: there were too many.
        """
        self._total += 1
        if death.cause != KILLED:
            self._num_starts = 0 if death.has_started else self._num_starts + 1
        if self._total >= MAX_DEATHS or self._num_starts >= MAX_STARTS:
            problem = "keep dying" if death.has_started else "do not start"
            raise ReadersLost(
                f"the reader processes {problem} ({death.message}); set VELLUM_DEBUG=1 to see what they print"
            )
        if death.at is not None:
            self._blame(death, death.at)
        time.sleep(min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._total - 1)))

    def _blame(self, death: Death, at: Heartbeat) -> None:
        place = (death.cause, at.slice, at.item)
        self._at[place] += 1
        if self._at[place] >= self._limits.get(death.cause, math.inf):
            raise ItemFault(at.item, death.cause, f"the reader died: {death.message}", at.slice)


class Reader:
    """A reader process that is started when first needed and again after every fault."""

    def __init__(self, program: Program):
        self._program = program
        self._process: ReaderProcess | None = None

    def start(self) -> None:
        """Start the process if there is none, without waiting until it is ready."""
        if self._process is None:
            self._process = ReaderProcess(self._program)

    def ask(self, request: Request[AnswerT], crashes: int = CRASHES_BEFORE_BLAME) -> AnswerT:
        """Send one request and wait for its answer; if the process dies, ask a fresh one.

        Args:
            crashes: at one place before it is blamed.
        Raises:
            InputError: the input cannot be read.
            ItemFault: one of several inputs cannot be read; or no message came within the time limits, or processes
                died again and again, and `item` is the one that was being worked on.
            OutputError: the reader could not write its result.
            FilterUnavailable: a scorer lacks what it needs.
            ProtocolError: the reader does not know the request, or answered with something unknown.
            ReadersLost: processes keep dying, and no item is to blame.
        """
        deaths = Deaths(crashes)
        while True:
            try:
                return self.ask_once(request)
            except Death as death:
                deaths.add(death)

    def ask_once(self, request: Request[AnswerT], *, on_event: Callable[[Event], None] | None = None) -> AnswerT:
        """Send one request and wait for its answer, as `ask` does, but leave it to the caller what a death means.

        Args:
            on_event: called with every event but heartbeats.
        Raises:
            Death: the process ended; the next request goes to a fresh one.
        """
        process = self._ready_process()
        at: Heartbeat | None = None
        try:
            process.send(request)
            at = Heartbeat(item=None)
            while True:
                match process.next_message(self._program.timeout_s, self._program.wall_timeout_s):
                    case Heartbeat() as heartbeat:
                        at = heartbeat
                    case Event() as event:
                        assert on_event is not None
                        on_event(event)
                    case answer:
                        return cast(AnswerT, _result(answer))
        except Overtime as limit:
            self.stop()
            at = at or Heartbeat(item=None)
            message = f"no result within {limit}; the reader was killed"
            raise ItemFault(at.item, "timeout", message, at.slice) from None
        except Death as death:
            self.stop()
            raise Death(death.cause, death.message, at) from None

    def _ready_process(self) -> ReaderProcess:
        """The process, which takes requests. Raises Death and FilterUnavailable."""
        process = self._process
        if process is not None and (
            process.num_requests >= self._program.recycle_requests
            or (self._program.recycle_mb < math.inf and process.resident_mb() > self._program.recycle_mb)
        ):
            self.stop()
        self.start()
        assert self._process is not None
        if not self._process.is_ready:
            try:
                unavailable = self._process.wait_until_ready()
            except Death as death:
                self.stop()
                raise Death(death.cause, death.message, has_started=False) from None
            if unavailable is not None:
                self.stop()
                raise FilterUnavailable(unavailable.message)
        return self._process

    def stop(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _result(answer: Message) -> Message:
    """Return the answer to a request, or raise the error that it stands for."""
    match answer:
        case Failed():
            if answer.slice is not None:
                raise ItemFault(None, answer.cause, answer.message, answer.slice)
            raise InputError(answer.cause, answer.message)
        case OutputFailed():
            raise OutputError(f"the output cannot be written: {answer.message}")
        case Unavailable():
            raise FilterUnavailable(answer.message)
        case NotUnderstood():
            raise ProtocolError(answer.message)
    return answer


class ReaderPool:
    """The readers of one process; a request waits for a free one.

    Args:
        size: readers that may run side by side.
    """

    def __init__(self, program: Program, size: int):
        self._readers = [Reader(program) for _ in range(size)]
        self._idle: queue.LifoQueue[Reader] = queue.LifoQueue()  # last used first: the others may never start
        for reader in self._readers:
            self._idle.put(reader)

    def start(self) -> None:
        """Start all readers, without waiting until they are ready."""
        for reader in self._readers:
            reader.start()

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """A reader for one request."""
        reader = self._idle.get()
        try:
            yield reader
        finally:
            self._idle.put(reader)

    def ask(self, request: Request[AnswerT], crashes: int = CRASHES_BEFORE_BLAME) -> AnswerT:
        """Let a free reader answer one request. Arguments and errors: see `Reader.ask`."""
        with self.reader() as reader:
            return reader.ask(request, crashes)

    def stop(self) -> None:
        """Kill all idle readers."""
        while not self._idle.empty():
            self._idle.get().stop()


_pools: dict[tuple[Program, int], ReaderPool] = {}
_lock = threading.Lock()


def readers_of(recipe: Recipe, size: int) -> ReaderPool:
    """This process's pool of readers for a recipe."""
    costs = recipe.reading_costs()
    program = Program(
        module="pipelines.workers.reader",
        settings=json.dumps(recipe.to_json(secrets=True)),
        timeout_s=recipe.limits.item_timeout_s + costs.item_s,
        wall_timeout_s=recipe.limits.item_wall_timeout_s + costs.item_s,
        recycle_mb=costs.recycle_mb,
    )
    return pool_of(program, size)


def program_of(recipe: Recipe, f: Filter) -> Program:
    """The program of an expensive filter's scorer processes."""
    how = f.worker()
    assert how is not None
    return Program(
        module="pipelines.workers.scorer",
        settings=json.dumps({"recipe": recipe.to_json(secrets=True), "filter": f.name}),
        timeout_s=how.timeout_s,
        wall_timeout_s=how.wall_timeout_s or WALL_FACTOR * how.timeout_s,
        start_timeout_s=how.start_timeout_s,
        recycle_requests=max(1, how.recycle_samples // how.batch_size),
        recycle_mb=how.recycle_mb,
    )


def scorers_of(recipe: Recipe, f: Filter, readers: int) -> ReaderPool:
    """This process's scorers of a filter: as many as readers, but one where they would share an accelerator."""
    how = f.worker()
    assert how is not None
    return pool_of(program_of(recipe, f), how.processes or (1 if how.accelerator else readers))


def pool_of(program: Program, size: int) -> ReaderPool:
    """This process's pool of a program's processes."""
    key = (program, size)
    with _lock:
        if key not in _pools:
            _pools[key] = ReaderPool(program, size)
        return _pools[key]


@atexit.register
def _stop_all() -> None:
    for pool in _pools.values():
        pool.stop()
