"""The coordinator: the process that runs the Beam pipeline; `pipelines/run.py` starts it and can kill it."""

import ctypes
import dataclasses
import json
import logging
import os
import re
import signal
import sys
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from pipelines.accounting import AccountingError
from pipelines.graph import build
from pipelines.inputs import write_listing
from pipelines.isolation import OutputError
from pipelines.job import STAGING, Job
from pipelines.progress import progress_of
from pipelines.recipe import UsageError
from pipelines.storage import OutputInUse, StorageError

PR_SET_PDEATHSIG = 1
MAX_THREADS = 8
EXTRA_THREADS = 1  # judge and publish one unit while the readers work on the next ones
STALE = ("tmp", "shards", "progress", "inputs")  # folders in staging that only a running job needs


def main() -> None:
    """Read a request from standard input, run it, print {"ok"}, {"usage"} or {"error"} as the last line.

    A request is {"job", "limit", "workers", "beam_args"}.
    """
    _die_with_parent()
    logging.getLogger().setLevel(logging.ERROR)
    request = json.loads(sys.stdin.readline())
    answer = _run(Job.from_json(request["job"]), request["limit"], request["workers"], request["beam_args"])
    print(json.dumps(answer), flush=True)
    os._exit(0)  # Beam's threads may linger


def _run(job: Job, limit: int | None, workers: int, beam_args: list[str]) -> dict[str, Any]:
    options = PipelineOptions(beam_args, save_main_session=False)
    FileSystems.set_options(options)
    storage = job.storage()
    try:
        with storage.lock() as lease:
            _clean(job)
            listing, num_inputs = write_listing(job.load_recipe(), storage, job.run, limit)
            progress_of(job).add(inputs_found=num_inputs)
            progress_of(job).flush()
            is_local = options.view_as(StandardOptions).runner is None
            readers = workers if is_local and workers <= MAX_THREADS else 1
            pipeline = beam.Pipeline(runner=_local_runner(options, workers) if is_local else None, options=options)
            build(pipeline, dataclasses.replace(job, listing=tuple(listing), readers=readers))
            result = pipeline.run()
            if not options.view_as(GoogleCloudOptions).template_location:  # else there is no job to wait for
                result.wait_until_finish()
            lease.check()
            _clean(job)
        return {"ok": True}
    except UsageError as error:
        return {"usage": str(error)}
    except (OutputInUse, StorageError) as error:
        return {"error": str(error)}
    except Exception as error:  # the one place where a run's failure becomes a sentence; the traceback goes to the log
        logging.getLogger().exception("the run failed")
        return {"error": sentence(error)}


def _local_runner(options: PipelineOptions, workers: int) -> Any:
    """Beam's portable in-process runner.

    Its workers are threads: the work is done by their reader processes and by Arrow, which lets other threads run, and
    a run starts 4 s earlier than with worker processes. Beyond a few workers their Python would take turns.
    `DirectRunner` would first try another runner that it downloads, and behave differently from machine to machine.
    """
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    direct = options.view_as(DirectOptions)
    direct.direct_running_mode = "multi_threading" if workers <= MAX_THREADS else "multi_processing"
    direct.direct_num_workers = workers + EXTRA_THREADS
    return FnApiRunner()


def _clean(job: Job) -> None:
    storage = job.storage()
    for folder in STALE:
        for path in storage.list(f"{STAGING}/{folder}/"):
            if folder != "progress" or f"/{job.run}/" not in path:
                storage.delete(path)


def sentence(error: BaseException) -> str:
    """What went wrong, for a person: our own errors travel through Beam inside the text of another."""
    text = str(error)
    for cls in (OutputError, AccountingError, StorageError):
        found = re.findall(rf"{cls.__name__}: (.+?)(?: \[while running|\\n|\n|$)", text)
        if found:
            return found[-1]
    if isinstance(error, OSError) and error.strerror:
        return f"the output cannot be written: {error.strerror}"
    found = re.findall(r"OSError: \[Errno \d+\] (.+?)(?: \[while running|\\n|\n|$)", text)
    if found:
        return f"the output cannot be written: {found[-1]}"
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
