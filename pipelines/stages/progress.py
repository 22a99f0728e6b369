"""Progress of a run: every worker writes what it has done to a file, and the progress line shows the sum.

A runner may do work twice: after a lost worker it starts again, and finished parts pass once more. Counters therefore
belong to a key (a unit, a batch, a shard), and each key counts once. Local outputs only; on a cluster the same counters
are Beam metrics.
"""

import json
import os
import socket
import threading
import time
from collections import Counter
from pathlib import Path

from pipelines.job import Job
from pipelines.storage import STAGING

WRITE_EVERY_S = 0.3
FETCH_FAILED = "fetch_failed."  # prefix of the counters of items that could not be fetched, by cause
SCORING_MS, MEASURED = "scoring_ms.", "measured."  # prefixes of the counters of an expensive filter


class Progress:
    """Counters of one worker process: a file with a line of JSON for each report, `[key, {counter: value}]`."""

    def __init__(self, job: Job):
        storage = job.storage()
        self._path: Path | None = None
        if storage.is_local:
            folder = Path(storage.path(f"{STAGING}/progress/{job.run}"))
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / f"{socket.gethostname()}-{os.getpid()}.jsonl"
        self._lines: list[str] = []
        self._written = 0.0
        self._lock = threading.Lock()

    def add(self, key: str, **counts: int) -> None:
        """Report counters; written to disk a few times a second.

        Args:
            key: what was worked on. Of several reports on one key, from whatever process, the largest number counts.
                Reports without a key are added up.
        """
        line = json.dumps([key, {name: count for name, count in counts.items() if count}]) + "\n"
        with self._lock:
            self._lines.append(line)
            due = time.monotonic() - self._written > WRITE_EVERY_S
        if due:
            self.flush()

    def flush(self) -> None:
        """Write all reports now."""
        with self._lock:
            self._written = time.monotonic()
            if self._path is not None and self._lines:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write("".join(self._lines))
            self._lines.clear()


_progress: dict[tuple[str, str], Progress] = {}
_lock = threading.Lock()


def progress_of(job: Job) -> Progress:
    """The counters of this process for a run."""
    with _lock:
        key = (job.output, job.run)
        if key not in _progress:
            _progress[key] = Progress(job)
        return _progress[key]


class ProgressReader:
    """The sum over all workers, from the lines that are new since the last look."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._largest: dict[int, int] = {}  # by the hash of key and counter: 100 bytes each
        self._total: Counter[str] = Counter()

    def read(self) -> Counter[str]:
        """The counters now; a line that is being written is read next time."""
        for path in self._folder.glob("*.jsonl"):
            try:
                with path.open("rb") as file:
                    file.seek(self._offsets.get(path, 0))
                    lines = file.read()
            except OSError:
                continue
            complete = lines[: lines.rfind(b"\n") + 1]
            self._offsets[path] = self._offsets.get(path, 0) + len(complete)
            for line in complete.splitlines():
                self._count(*json.loads(line))
        return self._total

    def _count(self, key: str, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            if key:
                place = hash((key, name))
                known = self._largest.get(place)
                self._largest[place] = count if known is None else max(known, count)
                count = count if known is None else max(0, count - known)
            self._total[name] += count


def read_progress(folder: Path) -> Counter[str]:
    """The sum over all workers."""
    return ProgressReader(folder).read()
