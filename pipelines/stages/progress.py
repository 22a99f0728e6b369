"""Progress of a run: every worker writes a small file, and the progress line shows their sum.

Local outputs only; on a cluster the same counters are Beam metrics.
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
SCORING_MS, MEASURED = "scoring_ms.", "measured."  # prefixes of the counters of an expensive filter


class Progress:
    """Counters of one worker process."""

    def __init__(self, job: Job):
        storage = job.storage()
        self._path: Path | None = None
        if storage.is_local:
            folder = Path(storage.path(f"{STAGING}/progress/{job.run}"))
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / f"{socket.gethostname()}-{os.getpid()}.json"
        self._counts: Counter[str] = Counter()
        self._written = 0.0
        self._lock = threading.Lock()

    def add(self, **counts: int) -> None:
        """Add to the counters; written to disk a few times a second."""
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count
            due = time.monotonic() - self._written > WRITE_EVERY_S
        if due:
            self.flush()

    def flush(self) -> None:
        """Write the counters now."""
        with self._lock:
            self._written = time.monotonic()
            if self._path is not None:
                aside = self._path.with_suffix(".tmp")
                aside.write_text(json.dumps(self._counts))
                aside.replace(self._path)


_progress: dict[tuple[str, str], Progress] = {}
_lock = threading.Lock()


def progress_of(job: Job) -> Progress:
    """The counters of this process for a run."""
    with _lock:
        key = (job.output, job.run)
        if key not in _progress:
            _progress[key] = Progress(job)
        return _progress[key]


def read_progress(folder: Path) -> Counter[str]:
    """The sum over all workers; a file that is being replaced is read next time."""
    total: Counter[str] = Counter()
    for path in folder.glob("*.json"):
        try:
            total.update(json.loads(path.read_text()))
        except (OSError, ValueError):
            continue
    return total
