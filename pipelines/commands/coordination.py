"""The coordinator seen from the command: started, watched, started again if somebody kills it, and ended."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.commands.progress_line import watch
from pipelines.job import Job
from pipelines.stages.staging_folder import LOG, own_log
from pipelines.storage import STAGING, Storage, StorageError
from pipelines.storage.temporary import shared_folder

MAX_STARTS = 8  # of coordinators that are killed
# Give memory back to the system: images come and go by the megabyte, and an allocator that keeps them grows with the
# number of shards written side by side.
LEAN_MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "4194304",  # pages of a Parquet file, 1 MB each, are reused: fresh memory is slow
    "MALLOC_TRIM_THRESHOLD_": "4194304",
}


class RunLog:
    """The file for what Beam and Python print.

    In the staging folder it is named by the run until the run has the output's lock
    (`pipelines/stages/staging_folder.py`), so that a run which is refused leaves the other's log alone.
    """

    def __init__(self, storage: Storage, job: Job):
        self._final: Path | None = None
        self._own = Path(tempfile.gettempdir()) / f"vellum-{job.run}-{LOG}"
        if storage.is_local:
            self._final = Path(storage.path(f"{STAGING}/{LOG}"))
            self._own = Path(storage.path(own_log(job.run)))
        try:
            self._own.parent.mkdir(parents=True, exist_ok=True)
            self._own.touch()
        except OSError as error:
            raise StorageError.because(error, "write", str(self._own)) from error

    @property
    def path(self) -> Path:
        """Where it is now."""
        return self._own if self._final is None or self._own.exists() else self._final

    def discard(self) -> None:
        """Delete it if there is nothing to be read in it: the run was refused, or wrote to a store and is done."""
        self._own.unlink(missing_ok=True)

    def keep(self) -> Path:
        """Put it where it outlives the run. Returns the place."""
        if self._final is None:
            kept = Path(shared_folder()) / self._own.name
            shutil.move(self._own, kept)
            return kept
        return self.path

    def last_line(self) -> str:
        """The last line in it; empty if there is none."""
        lines = self.path.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def coordinate(
    request: dict[str, Any],
    log: RunLog,
    progress: Path | None,
    noun: str,
    *,
    lock: int,
    environment: Mapping[str, str],
    restart: bool,
) -> dict[str, Any]:
    """Let a coordinator carry out a request. Returns its answer.

    Args:
        progress: folder of the workers' counters, if there is one.
        noun: what items are called.
        lock: descriptor of the run's temporary folder, which the coordinator keeps open.
        environment: its variables beyond this process's: where it finds the packages, secrets of the recipe.
        restart: start another coordinator if this one is killed; finished parts are used again.
    """
    for number in range(MAX_STARTS):
        code, answer = _run(request, log, progress, noun, lock, environment)
        if answer is not None:
            return answer
        by = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        if code >= 0 or not restart or number + 1 == MAX_STARTS:
            break
        print(f"the coordinator was killed ({by}); it is started again", file=sys.stderr)
    return {"error": f"the coordinator died ({log.last_line() or f'{by}; out of memory?'})"}


def _run(
    request: dict[str, Any], log: RunLog, progress: Path | None, noun: str, lock: int, environment: Mapping[str, str]
) -> tuple[int, dict[str, Any] | None]:
    """The exit code of a coordinator and its answer, if it gave one."""
    with log.path.open("ab") as errors, tempfile.TemporaryFile() as output:
        coordinator = subprocess.Popen(
            [sys.executable, "-m", "pipelines.stages.coordinator"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others at once
            pass_fds=[lock],
            env={**LEAN_MEMORY, **os.environ, **environment},
        )
        assert coordinator.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it was killed
                coordinator.stdin.write(json.dumps(request).encode() + b"\n")
                coordinator.stdin.close()
            watch(coordinator, progress, noun)
        finally:
            _kill(coordinator)  # with its readers, also when it has ended
        output.seek(0)
        return coordinator.returncode, _answer(output.read())


def _kill(coordinator: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(coordinator.pid, signal.SIGKILL)
    coordinator.wait()


def _answer(output: bytes) -> dict[str, Any] | None:
    for line in reversed(output.decode(errors="replace").splitlines()):
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
    return None
