"""The parent as a child process sees it: requests come in, events and answers go out, nothing outlives the parent.

The parent (`pipelines/workers/pool.py`) writes lines to the standard input: settings first, then requests
(`pipelines/workers/protocol.py`). It reads events and answers from the descriptor named on the command line.
"""

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipelines.workers.protocol import Message, NotUnderstood, ProtocolError, Ready, Request, from_line, to_line


class Parent:
    """The two ends of pipes that a child process was started with."""

    def __init__(self) -> None:
        self._events = os.fdopen(int(sys.argv[1]), "w", buffering=1, encoding="utf-8")
        self._lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._grace_s = 0
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when a run stops
        pa.set_cpu_count(1)  # the runner starts a process for each core
        pa.set_io_thread_count(1)

    def settings(self) -> dict[str, Any]:
        """The settings that the process is started with; read once, before all requests."""
        settings: dict[str, Any] = json.loads(self._lines.readline())
        return settings

    def ready(self, grace_s: int) -> None:
        """Tell the parent that requests may come.

        Args:
            grace_s: if the parent dies while C code hangs, no process is left to kill this one. The kernel's alarm
                does so when no message was sent for this many seconds.
        """
        _leave_with_parent()  # not earlier: a thread that runs already is not confined
        self.send(Ready())
        self._grace_s = grace_s

    def requests(self) -> Iterator[Request[Any]]:
        """Requests, until there is no parent. A line that is not understood is answered here."""
        for line in self._lines:
            try:
                request = from_line(line)
                if not isinstance(request, Request):
                    raise ProtocolError(f"{type(request).__name__} is not a request")
            except ProtocolError as error:
                self.send(NotUnderstood(message=str(error)))
            else:
                yield request
            signal.alarm(0)

    def send(self, message: Message) -> None:
        """Send an event or an answer to the parent, which grants time for the next one."""
        signal.alarm(self._grace_s)
        self._events.write(to_line(message))  # the file flushes at the end of every line


def limit_memory(memory_mb: int) -> None:
    """Bound what this process may allocate, so that a bomb fails in here and not in the machine's memory killer.

    The hard limit stays: a browser that the process starts reserves more than it uses, and is watched in another way.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 1_000_000, hard))


def _leave_with_parent() -> None:
    """Leave when the parent is gone, also while a request is being answered."""
    parent = os.getppid()

    def wait() -> None:
        while os.getppid() == parent:
            threading.Event().wait(1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
