"""A browser's processes: their memory, and their end."""

import contextlib
import os
import signal
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """The process and all below it, children after their parents."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in brackets may hold anything; the parent is the second field behind it.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:  # grows while it is walked
        found += sorted(children.get(parent, ()))
    return found


def memory_mb(pid: int) -> float:
    """What a process and all below it hold of their own (resident, shared pages left out), in megabytes."""
    total = 0
    for each in descendants(pid):
        with contextlib.suppress(OSError):
            _, resident, shared, *_ = Path(f"/proc/{each}/statm").read_text().split()
            total += (int(resident) - int(shared)) * PAGE_BYTES
    return total / 1e6


def kill_tree(pid: int) -> None:
    """End a process and all below it at once."""
    for each in descendants(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
