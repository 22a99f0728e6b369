"""A browser's processes: measures their memory and kills them."""

import contextlib
import os
import signal
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """Return the process and its descendants, parents before children."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in parentheses may contain anything; the parent is the second field after it.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:  # the list grows during the loop
        found += sorted(children.get(parent, ()))
    return found


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and its descendants, without shared pages, in megabytes."""
    total = 0
    for each in descendants(pid):
        with contextlib.suppress(OSError):
            _, resident, shared, *_ = Path(f"/proc/{each}/statm").read_text().split()
            total += (int(resident) - int(shared)) * PAGE_BYTES
    return total / 1e6


def kill_tree(pid: int) -> None:
    """Kill a process and its descendants."""
    for each in descendants(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
