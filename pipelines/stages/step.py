"""Several elements at a time in one Beam worker: while one waits for its reader, others are read, judged or written.

The work is done by reader processes and by Arrow, both outside Python's lock, so threads are enough to keep all cores
busy, and a local run needs no worker processes, which take 4 s to start. On a cluster Beam starts a process a core.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.job import Job
from pipelines.once import once
from pipelines.stages.progress import progress_of
from pipelines.storage.remote_files import forget_copies
from pipelines.storage.temporary import own_temporary_folder
from pipelines.workers.confinement import let_readers_write

ACCOUNT = "account"  # tag of what every step adds to the account of a run: counters, and rows of tables
WAITING_A_THREAD = 4


class ConcurrentDoFn(beam.DoFn):
    """Runs `work` for several elements at a time and yields what it returns, in any order."""

    extra_threads = 1  # beyond the readers: judges and publishes one unit while they work on the next ones

    def __init__(self, job: Job):
        self._job = job

    def work(self, element: Any, *args: Any, **sides: Any) -> Iterable[Any]:
        """All outputs for one element; called in a thread of a pool that the whole process shares."""
        raise NotImplementedError

    def start_bundle(self) -> None:
        if not self._job.is_local:
            own_temporary_folder()
        forget_copies()
        self._running: set[Future[list[Any]]] = set()
        let_readers_write(self._job.storage())

    def process(self, element: Any, *args: Any, **sides: Any) -> Iterator[Any]:
        num_threads = self._job.readers + self.extra_threads
        self._running.add(_threads(num_threads).submit(lambda: list(self.work(element, *args, **sides))))
        full = len(self._running) >= num_threads * WAITING_A_THREAD
        yield from self._finished(wait_for_one=full)

    def finish_bundle(self) -> Iterator[Any]:
        while self._running:
            for output in self._finished(wait_for_one=True):
                yield _in_global_window(output)
        progress_of(self._job).flush()

    def _finished(self, *, wait_for_one: bool) -> Iterator[Any]:
        if wait_for_one:
            done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        else:
            done = {future for future in self._running if future.done()}
            self._running -= done
        for future in done:
            for output in future.result():
                if isinstance(output, beam.pvalue.TaggedOutput) and isinstance(output.value, dict):
                    _count(output.value)
                yield output


@once
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="vellum")


def _count(counts: Mapping[str, int]) -> None:
    """Show counters in the runner's own monitoring; Beam only takes them from its own threads."""
    for name, number in counts.items():
        Metrics.counter("vellum", name).inc(number)


def _in_global_window(output: Any) -> Any:
    """Outputs at the end of a bundle have to name their window."""
    if isinstance(output, beam.pvalue.TaggedOutput):
        return beam.pvalue.TaggedOutput(output.tag, _in_global_window(output.value))
    return WindowedValue(output, GlobalWindow().max_timestamp(), (GlobalWindow(),))
