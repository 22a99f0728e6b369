"""Prepares the batches of coming steps in the background."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from deepseek_vl.config import ModelConfig
from deepseek_vl.train.batches import Batch, PreparedExample, collate, prepare
from deepseek_vl.train.features import FeatureStore
from deepseek_vl.train.lanes import Lane, PackedSequence

UNDECODABLE = "undecodable_image"
Prepared = Sequence[PreparedExample | None]


@dataclass(frozen=True, slots=True)
class StepData:
    """The data that one process reads in one step.

    Args:
        group: the group of data sets that the step reads, e.g. `text`.
        batches: read one after the other; their gradients are added up.
        num_targets: number of targets in all batches of this process.
        num_slots: number of tokens that fit into the sequences.
        state: place of every lane of this process after the step, by `group/lane`.
        skipped: number of examples left out since the training began, by reason.
    """

    step: int
    group: str
    batches: Sequence[Batch]
    num_targets: int
    num_slots: int
    state: Mapping[str, Any]
    skipped: Mapping[str, int]


class Loader:
    """Prepares steps ahead: examples are read in one thread, images decoded and resized in several.

    Threads suffice because decoding, resizing and tokenizing release Python's lock.

    Args:
        lanes: the lanes of this process by group, in order of their numbers.
        group_of: the group that a step reads.
        sequences_per_lane: sequences that a step takes from each lane.
        sequences_per_batch: sequences that are read in one pass.
        num_tokens: tokens that fit into a sequence.
        workers: threads that decode images.
        ahead: steps prepared before they are needed.
        store: features of images that need not be decoded.
    """

    def __init__(
        self,
        lanes: Mapping[str, Sequence[Lane]],
        config: ModelConfig,
        *,
        group_of: Callable[[int], str],
        sequences_per_lane: int,
        sequences_per_batch: int,
        num_tokens: int,
        workers: int = 4,
        ahead: int = 2,
        store: FeatureStore | None = None,
    ):
        self._lanes, self._config, self._group_of = lanes, config, group_of
        self._sequences_per_lane, self._sequences_per_batch = sequences_per_lane, sequences_per_batch
        self._num_tokens, self._ahead, self._store = num_tokens, ahead, store
        self._pool = ThreadPoolExecutor(workers, "images")
        self._num_undecodable = 0
        self._stopped = threading.Event()
        self._queue: queue.Queue[StepData | BaseException] = queue.Queue(ahead)
        self._thread: threading.Thread | None = None
        self.waited_s = 0.0

    def start(self, step: int, states: Sequence[Mapping[str, Any]] = (), undecodable: int = 0) -> None:
        """Begin with a step.

        Args:
            states: the `state` of the step before, from all processes that there were.
            undecodable: number of examples whose images could not be decoded before.
        """
        known = {name: state for each in states for name, state in each.items()}
        for group, lanes in self._lanes.items():
            for lane in lanes:
                if known:
                    lane.restore(known[f"{group}/{lane.number}"])
        self._num_undecodable = undecodable
        self._thread = threading.Thread(target=self._run, args=(step,), name="loader", daemon=True)
        self._thread.start()

    def next(self) -> StepData:
        """Return the next step; the time spent waiting is added to `waited_s`."""
        since = time.perf_counter()
        found = self._queue.get()
        self.waited_s += time.perf_counter() - since
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Stop the threads."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        while self._thread is not None and self._thread.is_alive():
            while not self._queue.empty():
                self._queue.get()
            self._thread.join(0.05)

    def _run(self, step: int) -> None:
        planned: list[tuple[int, str, list[list[Future[PreparedExample | None]]], dict[str, Any], Counter[str]]] = []
        try:
            while not self._stopped.is_set():
                while len(planned) <= self._ahead:  # images of later steps are decoded while this one is waited for
                    number = step + len(planned)
                    planned.append((number, *self._plan(number)))
                number, group, futures, state, skipped = planned.pop(0)
                step += 1
                sequences = [[future.result() for future in sequence] for sequence in futures]
                self._put(self._step_data(number, group, sequences, state, skipped))
        except BaseException as error:  # handed to the thread that waits for the step
            if not self._stopped.is_set():
                self._put(error)

    def _plan(self, step: int) -> tuple[str, list[list[Future[PreparedExample | None]]], dict[str, Any], Counter[str]]:
        """Take the step's sequences from the lanes, and begin to decode their images."""
        group = self._group_of(step)
        sequences = [lane.next() for lane in self._lanes[group] for _ in range(self._sequences_per_lane)]
        state = {f"{name}/{lane.number}": lane.state() for name, lanes in self._lanes.items() for lane in lanes}
        skipped: Counter[str] = Counter()
        for lanes in self._lanes.values():
            for lane in lanes:
                skipped.update(lane.skipped)
        return group, [self._begin(sequence) for sequence in sequences], state, skipped

    def _begin(self, sequence: PackedSequence) -> list[Future[PreparedExample | None]]:
        return [self._pool.submit(prepare, example, self._config, self._store) for example in sequence.examples]

    def _step_data(
        self,
        step: int,
        group: str,
        sequences: Sequence[Prepared],
        state: Mapping[str, Any],
        skipped: "Counter[str]",
    ) -> StepData:
        self._num_undecodable += sum(each is None for sequence in sequences for each in sequence)
        decoded = [[each for each in sequence if each is not None] for sequence in sequences]
        size = self._sequences_per_batch
        batches = [collate(decoded[k : k + size], self._config) for k in range(0, len(decoded), size)]
        return StepData(
            step=step,
            group=group,
            batches=batches,
            num_targets=sum(len(batch.targets_S) for batch in batches),
            num_slots=self._num_tokens * len(decoded),
            state=state,
            skipped={**skipped, UNDECODABLE: self._num_undecodable},
        )

    def _put(self, item: StepData | BaseException) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue
