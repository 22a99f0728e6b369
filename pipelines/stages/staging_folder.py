"""The staging folder of an output, before and after a run."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from pipelines.job import Job
from pipelines.storage import STAGING
from pipelines.storage.local_files import WRITING

LOG = "log.txt"
KEPT = ("lock", "lease.json", LOG)
STALE = (
    "tmp",
    "fetched",
    "shards",
    "progress",
    "inputs",
    "references",
    "duplicates",
    "verdicts",
    "account",
    "rewrite",
)  # folders in staging that only a running job needs


def own_log(run: str) -> str:
    """The log of a run that has not got the output's lock yet, relative to the output."""
    return f"{STAGING}/log-{run}.txt"


def take_log(job: Job) -> None:
    """Give the run's log its name, now that no other run writes to the output. Logs of killed runs go."""
    storage = job.storage()
    if not storage.is_local:
        return
    own = Path(storage.path(own_log(job.run)))
    if own.exists():  # else another coordinator of this run took it
        own.replace(own.with_name(LOG))
    for path in own.parent.glob("log-*.txt"):
        path.unlink(missing_ok=True)


def remove_staging(job: Job) -> None:
    """Remove parts and scores, and all else that only a later run would need."""
    storage = job.storage()
    for path in storage.list(f"{STAGING}/"):
        name = path.removeprefix(f"{STAGING}/")
        if name not in KEPT and not name.startswith(f"progress/{job.run}/"):
            storage.delete(path)
    if storage.is_local:
        for folder, _, _ in os.walk(storage.path(STAGING), topdown=False):
            with suppress(OSError):  # it is not empty
                Path(folder).rmdir()


def clean(job: Job) -> None:
    """Delete what only a running job needs, and files that a killed run was writing; this run's counters stay."""
    storage = job.storage()
    if storage.is_local:
        for folder in ("", "data/", "ledger/", "errors/", "report/", f"{STAGING}/"):
            for half_written in Path(storage.root, folder).glob(f"{WRITING}*"):
                half_written.unlink(missing_ok=True)
    for folder in STALE:
        if storage.is_local and folder != "progress":  # half-written files are not listed
            shutil.rmtree(storage.path(f"{STAGING}/{folder}"), ignore_errors=True)
            continue
        for path in storage.list(f"{STAGING}/{folder}/"):
            if folder != "progress" or f"/{job.run}/" not in path:
                storage.delete(path)
