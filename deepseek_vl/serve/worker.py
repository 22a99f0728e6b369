"""The one thread that owns the model: it generates step by step and scores between steps."""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from deepseek_vl.answer import TokenStream
from deepseek_vl.engine import Engine
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import Sampling
from deepseek_vl.scoring import Row, Scorer
from deepseek_vl.serve.errors import ApiError, first_line, model_failed, not_ready

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """What an answer gained in a step; the last piece of an answer says why it ended."""

    text: str
    num_tokens: int
    """Of the whole answer so far."""
    finish_reason: str | None


class Job:
    """An answer on its way from the worker to the event loop of whoever asked."""

    def __init__(self, prompt: Prompt, sampling: Sampling):
        self.prompt, self.sampling = prompt, sampling
        self.pieces: asyncio.Queue[Piece | ApiError] = asyncio.Queue()
        self.answer: TokenStream | None = None
        self.has_text = False
        self._loop = asyncio.get_running_loop()

    def deliver(self, piece: Piece | ApiError) -> None:
        """Hand over a piece, or the error that ends the answer. Called in the worker's thread."""
        _hand_over(self._loop, self.pieces.put_nowait, piece)


class ScoreJob:
    """One row to score."""

    def __init__(self, row: Row):
        self.row = row
        self.abandoned = False
        self._loop = asyncio.get_running_loop()
        self.result: asyncio.Future[list[np.ndarray]] = self._loop.create_future()

    def deliver(self, outcome: list[np.ndarray] | ApiError) -> None:
        """Hand over the scores or the error. Called in the worker's thread."""
        _hand_over(self._loop, self._set, outcome)

    def _set(self, outcome: list[np.ndarray] | ApiError) -> None:
        if self.result.done():
            return
        if isinstance(outcome, ApiError):
            self.result.set_exception(outcome)
        else:
            self.result.set_result(outcome)


def _hand_over(loop: asyncio.AbstractEventLoop, take: Callable[[T], None], value: T) -> None:
    with suppress(RuntimeError):  # a loop that is closed: nobody is there to be told
        loop.call_soon_threadsafe(take, value)


class Worker:
    """Runs a model for many clients at once.

    The event loop gives it commands through a queue; nothing else touches the engine. States: `loading`, `ready`,
    `stopping`, `failed` (`failure` says why).

    Args:
        load: makes the engine and the scorer; called in the worker's thread.
        failed: called in the worker's thread when it failed.
    """

    def __init__(self, load: Callable[[], tuple[Engine, Scorer]], failed: Callable[[], None] = lambda: None):
        self.state = "loading"
        self.failure = ""
        self.engine: Engine
        self.scorer: Scorer
        self._load, self._failed = load, failed
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._jobs: dict[TokenStream, Job] = {}
        self._scores: deque[ScoreJob] = deque()
        self._deadline: float | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Load the model in the background, then work."""
        self._thread.start()

    def wind_down(self, grace_s: float) -> None:
        """Take no new requests, and end answers that still run after `grace_s`."""
        if self.state == "ready":
            self.state = "stopping"
        self._commands.put(partial(self._set_deadline, time.monotonic() + grace_s))

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the thread; what still waits is told so."""
        self._commands.put(self._end)
        self._thread.join(timeout_s)

    async def generate(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[Piece]:
        """Answer a prompt; closing the iterator cancels the answer.

        Raises:
            ApiError: the model failed at it, or the server stops.
        """
        job = Job(prompt, sampling)
        self._commands.put(partial(self._admit, job))
        try:
            while True:
                piece = await job.pieces.get()
                if isinstance(piece, ApiError):
                    raise piece
                yield piece
                if piece.finish_reason is not None:
                    return
        finally:
            self._commands.put(partial(self._abandon, job))

    async def score(self, rows: Sequence[Row]) -> list[list[np.ndarray]]:
        """Score rows, together with whatever else waits. Raises ApiError as `generate` does."""
        jobs = [ScoreJob(row) for row in rows]
        self._commands.put(partial(self._scores.extend, jobs))
        try:
            return await asyncio.gather(*(job.result for job in jobs))
        finally:
            for job in jobs:
                job.abandoned = True

    # Below: the worker's thread.

    def _run(self) -> None:
        try:
            self.engine, self.scorer = self._load()
        except (ValueError, RuntimeError, OSError) as error:  # a broken checkpoint, no memory, no device
            self.failure = first_line(error)
            self.state = "failed"
            self._failed()
            return
        self.state = "ready"
        try:
            self._work()
        finally:
            if not self._ended:  # a mistake of ours ended the thread; nobody may wait for it
                self._ended = True
                self.state, self.failure = "failed", "the thread of the model died"
                self._obey()
                self._give_up()
                self._failed()

    def _work(self) -> None:
        while not self._ended:
            self._obey()
            self._score_some()
            if self.engine.busy:
                self._step()
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._give_up()

    def _obey(self) -> None:
        """Carry out all commands; wait for one where there is nothing else to do."""
        if not (self.engine.busy or self._scores or self._ended):
            self._commands.get()()
        while not self._commands.empty():
            self._commands.get()()

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline

    def _end(self) -> None:
        self._give_up()
        self._ended = True

    def _admit(self, job: Job) -> None:
        try:
            job.answer = self.engine.add(job.prompt, job.sampling)
        except ValueError as error:
            job.deliver(ApiError(400, str(error)))
        else:
            self._jobs[job.answer] = job

    def _abandon(self, job: Job) -> None:
        if job.answer is not None:
            self.engine.cancel(job.answer)
            self._jobs.pop(job.answer, None)

    def _give_up(self) -> None:
        for job in list(self._jobs.values()):
            self._fail(job, not_ready("stopping"))
        for score in self._scores:
            score.deliver(not_ready("stopping"))
        self._scores.clear()

    def _fail(self, job: Job, error: ApiError) -> None:
        job.deliver(error)
        self._abandon(job)

    def _step(self) -> None:
        try:
            events = self.engine.step()
        except (RuntimeError, ValueError) as error:  # out of memory above all
            self._fail_step(error)
            return
        gained: dict[TokenStream, str] = {}
        for answer, text in events:
            gained[answer] = gained.get(answer, "") + text
        for answer, text in gained.items():
            job = self._jobs.get(answer)
            if job is not None:
                self._deliver(job, answer, text)

    def _deliver(self, job: Job, answer: TokenStream, text: str) -> None:
        if answer.finish_reason == "not_finite":
            self._fail(
                job,
                ApiError(500, "the model gives no finite logits; its weights are broken, or its type is too narrow"),
            )
            return
        if not job.has_text:  # the template's space after "Assistant:" is the model's first
            text = text.lstrip()
            job.has_text = bool(text)
        if answer.finish_reason is not None:
            del self._jobs[answer]
        if text or answer.finish_reason is not None:
            job.deliver(Piece(text, len(answer.tokens), answer.finish_reason))

    def _fail_step(self, error: Exception) -> None:
        """Fail the prompts that were being read; where none was, all that run. The others go on."""
        log.error("a step failed: %s", error)
        reading = [answer for answer in self.engine.running if not answer.tokens]
        for answer in reading or list(self.engine.running):
            self.engine.cancel(answer)
            if answer in self._jobs:
                self._fail(self._jobs[answer], model_failed(error))

    def _score_some(self) -> None:
        """Score one batch of what waits, in the order it came."""
        batch: list[ScoreJob] = []
        longest = 0
        while self._scores:
            if self._scores[0].abandoned:
                self._scores.popleft()
                continue
            longest = max(longest, self._scores[0].row.tree.length)
            if batch and longest * (len(batch) + 1) > self.scorer.batch_tokens:
                break
            batch.append(self._scores.popleft())
        if batch:
            self._score(batch)

    def _score(self, batch: list[ScoreJob]) -> None:
        try:
            results = self.scorer.score_rows([job.row for job in batch])
        except (RuntimeError, ValueError) as error:
            if len(batch) > 1:  # alone, so that it costs only the one at fault
                for job in batch:
                    self._score([job])
                return
            log.error("scoring failed: %s", error)
            batch[0].deliver(model_failed(error))
            return
        for job, result in zip(batch, results, strict=True):
            job.deliver(result)
