"""The parent as a child process sees it: requests come in, events go out, and nothing outlives the parent.

The parent (`pipelines/workers/pool.py`) writes JSON lines to the standard input: settings first, then requests. It
reads JSON events from the descriptor named on the command line.
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


class Parent:
    """The two ends of pipes that a child process was started with."""

    def __init__(self) -> None:
        self._events = os.fdopen(int(sys.argv[1]), "w", buffering=1, encoding="utf-8")
        self._lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._grace_s = 0
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when a run stops
        pa.set_cpu_count(1)  # the runner starts a process a core
        pa.set_io_thread_count(1)
        _leave_with_parent()

    def settings(self) -> dict[str, Any]:
        """What the process is started with; read once, before all requests."""
        return json.loads(self._lines.readline())

    def ready(self, grace_s: int) -> None:
        """Tell the parent that requests may come.

        Args:
            grace_s: if the parent dies while C code hangs, nobody is left to kill this process: the kernel's alarm does
                when there was no event for as long.
        """
        self.send(ready=True)
        self._grace_s = grace_s

    def requests(self) -> Iterator[dict[str, Any]]:
        """Requests, until there is no parent."""
        for line in self._lines:
            yield json.loads(line)
            signal.alarm(0)

    def send(self, **event: Any) -> None:
        """Send an event to the parent, which grants time for the next one."""
        signal.alarm(self._grace_s)
        print(json.dumps(event), file=self._events)


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
