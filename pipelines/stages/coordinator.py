"""The coordinator: the process that runs the Beam pipeline; `pipelines/run.py` starts it and can kill it."""

import ctypes
import gc
import json
import logging
import os
import signal
import sys

from pipelines.job import Job
from pipelines.workers.confinement import gaps, let_readers_write
from pipelines.workers.lean_imports import keep_pandas_out_of_arrow, without
from pipelines.workers.pool import readers_of
from sources.terminal import escape_output

PR_SET_PDEATHSIG = 1
# Packages that Beam imports if they are installed, for sources, sinks and runners that a local run has no use for:
# 0.5 of the 1.1 s that importing it takes.
UNUSED_BY_LOCAL_RUNS = ("google.cloud", "pandas")


def main() -> None:
    """Read a request from standard input, run it, print `execute`'s answer as the last line.

    A request is {"job", "limit", "workers", "beam_args"}.
    """
    _die_with_parent()
    escape_output()  # the log is read on terminals, too
    request = json.loads(sys.stdin.readline())
    job, workers, beam_args = Job.from_json(request["job"]), request["workers"], request["beam_args"]
    recipe = job.load_recipe()
    let_readers_write(job.storage())
    for sentence in gaps(recipe):
        print(sentence, file=sys.stderr)  # in the run's log
    if not any(argument.startswith("--runner") for argument in beam_args):
        readers_of(recipe, workers).start()  # while Beam is being imported, which takes as long
    names = (job.output, *recipe.decontaminate, *(name for source in recipe.sources for name in source.input))
    is_local = not beam_args and not any("://" in name or name.startswith("@") for name in names)
    keep_pandas_out_of_arrow()
    gc.disable()  # while modules are imported, whose objects all stay: a quarter of the time
    logging.disable(logging.WARNING if is_local else logging.NOTSET)  # Beam warns of what it does not find
    with without(UNUSED_BY_LOCAL_RUNS if is_local else ()):
        from pipelines.stages.execute import execute
    logging.disable(logging.NOTSET)
    gc.freeze()
    gc.enable()
    print(json.dumps(execute(job, request["limit"], workers, beam_args)), flush=True)
    os._exit(0)  # Beam's threads may linger


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
