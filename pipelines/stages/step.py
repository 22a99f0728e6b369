"""Several elements at a time in one Beam worker: while one waits for its reader, others are read, judged or written.

The work is done by reader processes and by Arrow, both outside Python's lock, so threads are enough to keep all cores
busy, and a local run needs no worker processes, which take 4 s to start. On a cluster Beam starts a process a core.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.job import Job
from pipelines.once import once
from pipelines.stages.account import Entry
from pipelines.stages.progress import progress_of
from pipelines.storage.remote_files import forget_copies
from pipelines.storage.temporary import own_temporary_folder
from pipelines.units import TableRow
from pipelines.workers.confinement import let_readers_write

WAITING_A_THREAD = 4


class ConcurrentDoFn(beam.DoFn):
    """Runs `work` for several elements at a time and yields what it returns, in any order.

    An `Entry` of the account passes through.
    """

    extra_threads = 1  # beyond the readers: judges and publishes one unit while they work on the next ones

    def __init__(self, job: Job):
        self._job = job

    def work(self, element: Any, *args: Any, **sides: Any) -> Iterable[Any]:
        """All outputs for one element; called in a thread of a pool that the whole process shares."""
        raise NotImplementedError

    def counters(self, output: Any) -> Mapping[str, int]:
        """The counters in an output, which the runner's own monitoring shows."""
        is_counters = isinstance(output, Entry) and not isinstance(output.content, TableRow)
        return output.content if is_counters else {}

    def start_bundle(self) -> None:
        if not self._job.is_local:
            own_temporary_folder()
        forget_copies()
        self._running: set[Future[list[Any]]] = set()
        let_readers_write(self._job.storage())

    def process(self, element: Any, *args: Any, **sides: Any) -> Iterator[Any]:
        if isinstance(element, Entry):
            yield element
            return
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
                _count(self.counters(output))
                yield output


class Tally(ConcurrentDoFn):
    """Yields the sum of all Counters of a bundle: there are few of them, however many elements there are."""

    extra_threads = 0

    def start_bundle(self) -> None:
        super().start_bundle()
        self._total: Counter[str] = Counter()

    def process(self, element: Any, *args: Any, **sides: Any) -> Iterator[Any]:
        for counts in super().process(element, *args, **sides):
            self._total.update(counts)
        yield from ()

    def finish_bundle(self) -> Iterator[Any]:
        for output in super().finish_bundle():
            self._total.update(output.value)
        yield _in_global_window(self._total)


def total_of(tallies: Iterable[Counter[str]]) -> Counter[str]:
    """The sum of tallies."""
    total: Counter[str] = Counter()
    for each in tallies:
        total.update(each)
    return total


@once
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="vellum")


def _count(counts: Mapping[str, int]) -> None:
    """Show counters in the runner's own monitoring; Beam only takes them from its own threads."""
    for name, number in counts.items():
        Metrics.counter("vellum", name).inc(number)


def _in_global_window(output: Any) -> Any:
    """Outputs at the end of a bundle have to name their window."""
    return WindowedValue(output, GlobalWindow().max_timestamp(), (GlobalWindow(),))
