"""One life of a reader process: it is started, answers requests, and ends, by itself or by a signal.

`pebble` and `multiprocessing` import the parent's main module again in every child; under a Beam worker that is Beam,
one second a start. A plain subprocess with its own small main module starts in half of that and speaks JSON, no pickle.
"""

import contextlib
import math
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipelines.workers.protocol import Heartbeat, Message, Ready, Request, Unavailable, from_line, to_line

START_TIMEOUT_S = 60
LOOK_EVERY_S = 1.0  # at the process that a message is waited for; a wait that takes longer was itself interrupted
SHORTEST_WAIT_S = 0.05  # between two looks at a process's time, which counts in hundredths of a second
STOPPED_S = 10  # that a process may be stopped (SIGSTOP) before another one takes its place
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
CRASHED, KILLED, INTERRUPTED = "crashed", "killed", "interrupted"
# Signals that a process causes itself. SIGKILL comes from the memory killer or a user; all others come from outside.
OWN_SIGNALS = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGSYS, signal.SIGTRAP),
        *(signal.SIGXCPU, signal.SIGXFSZ),
    }
)


@dataclass
class Death(Exception):
    """A process ended, or was ended because it was stopped or did not start, before it had answered.

    Args:
        cause: `crashed`: by what it did itself, `killed`: by SIGKILL, `interrupted`: by anything else from outside.
        at: what it was working on; None: it had not begun.
        has_started: it took requests.
    """

    cause: str
    message: str
    at: Heartbeat | None = None
    has_started: bool = True


class Overtime(Exception):
    """No message came within a time limit; the text is the limit."""


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


class _State(NamedTuple):
    """The state of a process in the kernel: used processor time in seconds, and whether it is stopped."""

    processor_time_s: float
    is_stopped: bool


class _Clock:
    """The time that a process has for its next message.

    Most messages come within `LOOK_EVERY_S`. The process is looked at only after that, and so costs nothing. While this
    process is stopped itself, with the other one or with the whole machine, no time passes.

    Args:
        look: returns the state of the process, or None if it is not known.
    """

    def __init__(self, timeout_s: float, wall_timeout_s: float | None, look: Callable[[], _State | None]) -> None:
        self._timeout_s = timeout_s
        self._wall_timeout_s = timeout_s if wall_timeout_s is None else wall_timeout_s
        self._counts_processor_time = wall_timeout_s is not None
        self._look = look
        self._last = time.monotonic()
        self._passed_s = self._stopped_s = 0.0
        self._used_at_first_look: float | None = None

    def wait_s(self) -> float:
        """Return how long to wait for a message before asking again, in seconds. Raises Overtime and Death."""
        now = time.monotonic()
        since = min(now - self._last, 2 * LOOK_EVERY_S)
        self._last = now
        self._passed_s += since
        left = self._wall_timeout_s - self._passed_s
        state = self._look() if self._passed_s >= LOOK_EVERY_S else None
        if state is not None:
            self._stopped_s = self._stopped_s + since if state.is_stopped else 0.0
            if self._stopped_s >= STOPPED_S:
                raise Death(INTERRUPTED, f"it was stopped for {STOPPED_S} s")
            if self._counts_processor_time:
                left = min(left, self._unused_s(state))
        if self._passed_s >= self._wall_timeout_s:
            raise Overtime(f"{self._wall_timeout_s:g} s")
        return min(left, LOOK_EVERY_S)

    def _unused_s(self, state: _State) -> float:
        """The processor time that the process has left, in seconds. Raises Overtime."""
        if self._used_at_first_look is None:
            self._used_at_first_look = state.processor_time_s
        unused = self._timeout_s - (state.processor_time_s - self._used_at_first_look)
        if unused <= 0:
            raise Overtime(f"{self._timeout_s:g} s of processor time")
        return max(unused, SHORTEST_WAIT_S)


class ReaderProcess:
    """A reader process, from its start to its end. Any method raises Death when the process turns out to have ended."""

    def __init__(self, program: Program):
        self._program = program
        self._buffer = b""
        self.num_requests = 0
        self.is_ready = False
        self._events, theirs = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", program.module, str(theirs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("VELLUM_DEBUG") else None,
            pass_fds=[theirs],
            env={**os.environ, **ONE_THREAD, **KEEP_MEMORY, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        os.close(theirs)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def wait_until_ready(self) -> Unavailable | None:
        """Give it its settings and wait; what it lacks, if it cannot work. A start that takes too long is a Death."""
        try:
            self._write(self._program.settings + "\n")
            message = self.next_message(self._program.start_timeout_s)
        except Overtime as limit:
            raise Death(INTERRUPTED, f"it did not start within {limit}") from None
        if isinstance(message, Unavailable):
            return message
        assert isinstance(message, Ready)
        self.is_ready = True
        return None

    def send(self, request: Request) -> None:  # type: ignore[type-arg]
        """Send a request."""
        self.num_requests += 1
        self._write(to_line(request))

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None

    def next_message(self, timeout_s: float, wall_timeout_s: float | None = None) -> Message:
        """Wait for a message.

        Args:
            timeout_s: processor time that the process may use until then, in seconds; time by the clock if there is no
                `wall_timeout_s`.
            wall_timeout_s: time by the clock, in seconds.
        Raises:
            Overtime: with the limit that was exceeded.
            Death: the process ended, or is stopped.
        """
        clock = _Clock(timeout_s, wall_timeout_s, self._state)
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._events], [], [], clock.wait_s())
            if ready:
                data = os.read(self._events, 1 << 16)
                if not data:
                    raise self._death()
                self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return from_line(line)

    def _state(self) -> _State | None:
        """The state of the process; None where it is not known (there is no /proc)."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        user, system = int(fields[11]), int(fields[12])
        return _State((user + system) / os.sysconf("SC_CLK_TCK"), is_stopped=fields[0] in "Tt")

    def resident_mb(self) -> float:
        """Memory the process holds, in megabytes; 0 where it is not known (there is no /proc)."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize() / 1e6

    def _death(self) -> Death:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return Death(CRASHED, "it closed its output")
        if code >= 0:
            return Death(CRASHED, f"exit code {code}")
        by = signal.Signals(-code)
        cause = CRASHED if by in OWN_SIGNALS else KILLED if by == signal.SIGKILL else INTERRUPTED
        return Death(cause, f"killed by {by.name}")

    def stop(self) -> None:
        """Kill the process, also if it is stopped or has ended."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it had not read when it ended
            self._process.stdin.close()
        os.close(self._events)
