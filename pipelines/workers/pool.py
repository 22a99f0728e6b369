"""A reader seen from its parent: requests with a time limit to a process that may hang, crash or be killed.

`pebble` and `multiprocessing` import the parent's main module again in every child; under a Beam worker that is Beam,
one second a start. A plain subprocess with its own small main module starts in half of that and speaks JSON, no pickle.
"""

import atexit
import json
import math
import os
import queue
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from filters.filter import Filter, FilterUnavailable
from pipelines.recipe import Recipe
from pipelines.storage import OutputError
from pipelines.workers.protocol import (
    AnswerT,
    Event,
    Failed,
    Heartbeat,
    Message,
    NotUnderstood,
    OutputFailed,
    ProtocolError,
    Ready,
    Request,
    Unavailable,
    from_line,
    to_line,
)
from sources.base.source import InputError

START_TIMEOUT_S = 120
NO_LOOK_S = 1.0  # of a wait; what the process uses in it does not count
SHORTEST_WAIT_S = 0.05  # between two looks at a process's time, which counts in hundredths of a second
RECYCLE_REQUESTS = 2000  # C libraries leak a little with every file
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
# A page's pixels are given back and taken again at once: kept on the heap, or each page costs a thousand page faults.
# (The coordinator wants the opposite, and its environment is inherited.) Arrow's own allocator reserves a gigabyte,
# which would count against the limit of a reader on a cluster, whose parent is not our command.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "134217728",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """The program of a reader process, and its limits.

    Args:
        module: its main module.
        settings: JSON, the first line it is given.
        timeout_s: seconds of processor time without an event after which it is killed; on a busy machine these take
            longer than they do by the clock.
        wall_timeout_s: seconds by the clock without an event after which it is killed, since a process may hang without
            using its processor; None: `timeout_s` is by the clock.
        start_timeout_s: seconds until it must be ready.
        recycle_requests: requests after which it is started again.
        recycle_mb: resident memory, in megabytes, beyond which it is started again.
    """

    module: str
    settings: str
    timeout_s: float
    wall_timeout_s: float | None = None
    start_timeout_s: float = START_TIMEOUT_S
    recycle_requests: int = RECYCLE_REQUESTS
    recycle_mb: float = math.inf


class _Clock:
    """The time that a process has for its next message.

    Most messages come within `NO_LOOK_S`. The processor time is looked at only after that, and so costs nothing.

    Args:
        processor_time_s: returns the processor time of the process, in seconds, or None if it is not known.
    """

    def __init__(
        self, timeout_s: float, wall_timeout_s: float | None, processor_time_s: Callable[[], float | None]
    ) -> None:
        self._timeout_s = timeout_s
        self._wall_timeout_s = timeout_s if wall_timeout_s is None else wall_timeout_s
        self._counts_processor_time = wall_timeout_s is not None
        self._processor_time_s = processor_time_s
        self._start = time.monotonic()
        self._used_at_first_look: float | None = None

    def wait_s(self) -> float:
        """Return how long to wait for a message before asking again, in seconds. Raises TimeoutError."""
        passed = time.monotonic() - self._start
        left = self._wall_timeout_s - passed
        if left <= 0:
            raise TimeoutError(f"{self._wall_timeout_s:g} s")
        if not self._counts_processor_time:
            return left
        if passed < NO_LOOK_S:
            return min(left, NO_LOOK_S - passed)
        used = self._processor_time_s()
        if used is None:
            return left
        if self._used_at_first_look is None:
            self._used_at_first_look = used
        unused = self._timeout_s - (used - self._used_at_first_look)
        if unused <= 0:
            raise TimeoutError(f"{self._timeout_s:g} s of processor time")
        return min(left, max(unused, SHORTEST_WAIT_S))


class Reader:
    """A reader process that is started when first needed and again after every fault."""

    def __init__(self, program: Program):
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._events: int = -1
        self._buffer = b""
        self._num_requests = 0
        self._is_ready = False

    def start(self) -> None:
        """Start the process if there is none, without waiting until it is ready."""
        if self._process is None:
            self._start()

    def ask(self, request: Request[AnswerT], *, on_event: Callable[[Event], None] | None = None) -> AnswerT:
        """Send one request and wait for its answer.

        Args:
            on_event: called with every event but heartbeats.

        Raises:
            InputError: the input cannot be read.
            ItemFault: one of several inputs cannot be read; or no message within the time limits, or the process
                died, and `item` is the one it was working on.
            OutputError: the reader could not write its result.
            FilterUnavailable: a scorer lacks what it needs.
            ProtocolError: the reader does not know the request, or answered with something unknown.
        """
        if self._num_requests >= self._program.recycle_requests or self._resident_mb() > self._program.recycle_mb:
            self.stop()
        self.start()
        if not self._is_ready:
            self._wait_until_ready()
        assert self._process is not None
        assert self._process.stdin is not None
        self._num_requests += 1
        at = Heartbeat(item=None)
        try:
            self._process.stdin.write(to_line(request).encode())
            self._process.stdin.flush()
            while True:
                match self._next_message(self._program.timeout_s, self._program.wall_timeout_s):
                    case Heartbeat() as heartbeat:
                        at = heartbeat
                    case Event() as event:
                        assert on_event is not None
                        on_event(event)
                    case answer:
                        return cast(AnswerT, _result(answer))
        except TimeoutError as error:
            self.stop()
            message = f"no result within {error}; the reader was killed"
            raise ItemFault(at.item, "timeout", message, at.slice) from None
        except (EOFError, BrokenPipeError):
            message = f"the reader died: {self._cause_of_death()}"
            raise ItemFault(at.item, "crashed", message, at.slice) from None

    def stop(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()
            os.close(self._events)

    def _start(self) -> None:
        ours, theirs = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._program.module, str(theirs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("VELLUM_DEBUG") else None,
            pass_fds=[theirs],
            env={**os.environ, **ONE_THREAD, **KEEP_MEMORY, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        os.close(theirs)
        self._events, self._buffer = ours, b""
        self._num_requests, self._is_ready = 0, False

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._program.settings.encode() + b"\n")
            self._process.stdin.flush()
            message = self._next_message(self._program.start_timeout_s)
            if isinstance(message, Unavailable):
                self.stop()
                raise FilterUnavailable(message.message)
            assert isinstance(message, Ready)
            self._is_ready = True
        except (EOFError, BrokenPipeError, TimeoutError) as error:
            cause = self._cause_of_death()
            raise RuntimeError(
                f"the process {self._program.module} does not start ({cause}); set VELLUM_DEBUG=1 to see what it prints"
            ) from error

    def _next_message(self, timeout_s: float, wall_timeout_s: float | None = None) -> Message:
        """Wait for a message.

        Args:
            timeout_s: processor time that the process may use until then, in seconds; time by the clock if there is no
                `wall_timeout_s`.
            wall_timeout_s: time by the clock, in seconds.
        Raises:
            TimeoutError: with the limit that was exceeded.
            EOFError: the process died.
        """
        clock = _Clock(timeout_s, wall_timeout_s, self._processor_time_s)
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._events], [], [], clock.wait_s())
            if ready:
                data = os.read(self._events, 1 << 16)
                if not data:
                    raise EOFError
                self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return from_line(line)

    def _processor_time_s(self) -> float | None:
        """Processor time that the process has used, in seconds; None where it is not known (there is no /proc)."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def _resident_mb(self) -> float:
        """Memory the process holds; 0 where it is not known (there is no /proc, or no process)."""
        if self._process is None or self._program.recycle_mb == math.inf:
            return 0
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize() / 1e6

    def _cause_of_death(self) -> str:
        process = self._process
        assert process is not None
        try:
            code = process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        self.stop()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"


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

    def ask(self, request: Request[AnswerT]) -> AnswerT:
        """Let a free reader answer one request. Raises what `Reader.ask` does."""
        with self.reader() as reader:
            return reader.ask(request)

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
