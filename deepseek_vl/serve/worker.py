"""The thread that owns the model: it generates step by step, and scores a part between two steps."""

import asyncio
import logging
import math
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

from deepseek_vl.engine import Engine
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import Logprobs, SamplingSettings
from deepseek_vl.scoring import Row, Scorer
from deepseek_vl.serve.errors import ApiError, first_line, model_failed, not_ready
from deepseek_vl.serve.structured import JsonMask
from deepseek_vl.slices import Pass, Slices
from deepseek_vl.token_stream import TokenStream

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """A token, its place in the text, and the log probabilities there."""

    token: int
    start: int
    logprobs: Logprobs


@dataclass(frozen=True, slots=True)
class Piece:
    """The text that one step added to an answer; the last piece has the finish reason.

    Args:
        num_tokens: number of tokens of the whole answer so far.
        logprobs: for the tokens that begin in the text so far and were in no earlier piece, if they are wanted.
    """

    text: str
    num_tokens: int
    finish_reason: str | None
    logprobs: tuple[TokenLogprobs, ...] = ()


class Job:
    """A generation request; it passes the answer's pieces from the worker to the client's event loop.

    Args:
        strip: leave out white space at the start of the answer.
    """

    def __init__(self, prompt: Prompt, sampling: SamplingSettings, mask: JsonMask | None, strip: bool):
        self.prompt, self.sampling, self.mask = prompt, sampling, mask
        self.pieces: asyncio.Queue[Piece | ApiError] = asyncio.Queue()
        self.stream: TokenStream | None = None
        self.has_text = not strip
        self.num_stripped = 0
        self.num_logprobs = 0
        self._loop = asyncio.get_running_loop()

    def deliver(self, piece: Piece | ApiError) -> None:
        """Deliver a piece, or the error that ends the answer. Called in the worker's thread."""
        _hand_over(self._loop, self.pieces.put_nowait, piece)


class ScoreJob:
    """A request to score one row.

    Args:
        request: rows with the same one are scored in batches of their own; None: in a batch with any other row.
    """

    def __init__(self, row: Row, request: object | None = None):
        self.row, self.request = row, request
        self.abandoned = False
        self._loop = asyncio.get_running_loop()
        self.result: asyncio.Future[list[np.ndarray]] = self._loop.create_future()

    def deliver(self, outcome: list[np.ndarray] | ApiError) -> None:
        """Deliver the scores or the error. Called in the worker's thread."""
        _hand_over(self._loop, self._set, outcome)

    def _set(self, outcome: list[np.ndarray] | ApiError) -> None:
        if self.result.done():
            return
        if isinstance(outcome, ApiError):
            self.result.set_exception(outcome)
        else:
            self.result.set_result(outcome)


def _hand_over(loop: asyncio.AbstractEventLoop, take: Callable[[T], None], value: T) -> None:
    with suppress(RuntimeError):  # the event loop is closed, so there is no client
        loop.call_soon_threadsafe(take, value)


class Worker:
    """Runs a model for many clients at once.

    The event loop sends it commands through a queue; only its thread uses the engine. `state` is `loading`, `ready`,
    `stopping` or `failed` (with the reason in `failure`).

    Args:
        load: returns the engine and the scorer; called in the worker's thread.
        failed: called in the worker's thread if it fails.
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
        self._retries: deque[ScoreJob] = deque()
        self._scoring: tuple[list[ScoreJob], Pass[None]] | None = None
        self._scores_next = False
        self._deadline: float | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Start the thread, which loads the model and then serves requests."""
        self._thread.start()

    def start_shutdown(self, grace_s: float) -> None:
        """Accept no new requests, and end answers that are still running after `grace_s` seconds."""
        if self.state == "ready":
            self.state = "stopping"
        self._commands.put(partial(self._set_deadline, time.monotonic() + grace_s))

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the thread; waiting requests get an error."""
        self._commands.put(self._end)
        self._thread.join(timeout_s)

    async def generate(
        self, prompt: Prompt, sampling: SamplingSettings, mask: JsonMask | None = None, *, strip: bool = True
    ) -> AsyncGenerator[Piece]:
        """Answer a prompt; closing the iterator cancels the answer.

        Args:
            mask: the tokens that may come; it is used in the worker's thread.
            strip: leave out white space at the start of the answer.
        Raises:
            ApiError: the model failed, or the server is stopping.
        """
        job = Job(prompt, sampling, mask, strip)
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
        """Score rows, in batches with other waiting rows. Raises ApiError as `generate` does."""
        jobs = [ScoreJob(row) for row in rows]
        self._commands.put(partial(self._scores.extend, jobs))
        try:
            return await asyncio.gather(*(job.result for job in jobs))
        finally:
            for job in jobs:
                job.abandoned = True

    async def score_alone(self, rows: Sequence[Row]) -> list[list[np.ndarray] | ApiError]:
        """Score rows in batches without other rows, so that the same rows get the same bits at any time.

        Returns:
            The scores of each row, or why it has none.
        """
        request = object()
        jobs = [ScoreJob(row, request) for row in rows]
        self._commands.put(partial(self._scores.extend, jobs))
        try:
            done = await asyncio.gather(*(job.result for job in jobs), return_exceptions=True)
        finally:
            for job in jobs:
                job.abandoned = True
        for outcome in done:
            if isinstance(outcome, BaseException) and not isinstance(outcome, ApiError):
                raise outcome
        return [outcome for outcome in done if isinstance(outcome, list | ApiError)]

    # The methods below run in the worker's thread.

    def _run(self) -> None:
        try:
            self.engine, self.scorer = self._load()
        except (ValueError, RuntimeError, OSError) as error:  # broken checkpoint, out of memory, no device
            self.failure = first_line(error)
            self.state = "failed"
            self._failed()
            return
        self.state = "ready"
        try:
            self._work()
        finally:
            if not self._ended:  # an unexpected exception: release all waiting clients
                self._ended = True
                self.state, self.failure = "failed", "the thread of the model died"
                self._run_commands()
                self._fail_all()
                self._failed()

    def _work(self) -> None:
        while not self._ended:
            self._run_commands()
            self._step_and_score()
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._fail_all()

    def _step_and_score(self) -> None:
        """Run a step, and a part of a batch to be scored; if both would keep answers waiting, they take turns."""
        engine, has_scores = self.engine, bool(self._scoring or self._scores or self._retries)
        both = bool(engine.running) and engine.reads and has_scores
        self._scores_next = both and not self._scores_next
        if engine.busy:
            self._step(reads=not self._scores_next)
        if self._scores_next or not both:
            self._score_part()

    def _run_commands(self) -> None:
        """Run all queued commands; wait for one if there is nothing else to do."""
        if not (self.engine.busy or self._scoring or self._scores or self._retries or self._ended):
            self._commands.get()()
        while not self._commands.empty():
            self._commands.get()()

    def _set_deadline(self, deadline: float) -> None:
        self._deadline = deadline

    def _end(self) -> None:
        self._fail_all()
        self._ended = True

    def _admit(self, job: Job) -> None:
        try:
            job.stream = self.engine.add(job.prompt, job.sampling, job.mask)
        except ValueError as error:
            job.deliver(ApiError(400, str(error)))
        else:
            self._jobs[job.stream] = job

    def _abandon(self, job: Job) -> None:
        if job.stream is not None:
            self.engine.cancel(job.stream)
            self._jobs.pop(job.stream, None)

    def _fail_all(self) -> None:
        for job in list(self._jobs.values()):
            self._fail(job, not_ready("stopping"))
        in_progress = self._scoring[0] if self._scoring is not None else []
        for score in (*in_progress, *self._retries, *self._scores):
            score.deliver(not_ready("stopping"))
        self._scoring = None
        self._scores.clear()
        self._retries.clear()

    def _fail(self, job: Job, error: ApiError) -> None:
        job.deliver(error)
        self._abandon(job)

    def _step(self, *, reads: bool) -> None:
        try:
            events = self.engine.step(reads=reads)
        except (RuntimeError, ValueError) as error:  # mostly out of memory
            self._fail_step(error)
            return
        new_text: dict[TokenStream, str] = {}
        for stream, text in events:
            new_text[stream] = new_text.get(stream, "") + text
        for stream, text in new_text.items():
            job = self._jobs.get(stream)
            if job is not None:
                self._deliver(job, stream, text)

    def _deliver(self, job: Job, stream: TokenStream, text: str) -> None:
        if stream.finish_reason == "not_finite":
            self._fail(
                job,
                ApiError(500, "the model gives no finite logits; its weights are broken, or its type is too narrow"),
            )
            return
        if job.mask is not None and job.mask.failure:
            message = f"the schema could not be followed: {job.mask.failure}"
            self._fail(job, ApiError(400, message, param="response_format"))
            return
        if not job.has_text:  # the model generates the template's space after "Assistant:"
            job.num_stripped += len(text) - len(text.lstrip())
            text = text.lstrip()
            job.has_text = bool(text)
        if stream.finish_reason is not None:
            del self._jobs[stream]
        if text or stream.finish_reason is not None:
            job.deliver(Piece(text, len(stream.tokens), stream.finish_reason, self._new_logprobs(job, stream)))

    def _new_logprobs(self, job: Job, stream: TokenStream) -> tuple[TokenLogprobs, ...]:
        """Return what was not delivered yet, without the end token and a stop text, which are not part of the text."""
        end = len(stream.starts)
        while stream.finish_reason != "length" and end and stream.starts[end - 1] >= len(stream.text):
            end -= 1
        first, job.num_logprobs = job.num_logprobs, max(end, job.num_logprobs)
        return tuple(
            TokenLogprobs(stream.tokens[k], max(stream.starts[k] - job.num_stripped, 0), stream.logprobs[k])
            for k in range(first, end)
        )

    def _fail_step(self, error: Exception) -> None:
        """Fail the prompts that were being read or, if there were none, all running answers."""
        log.error("a step failed: %s", error)
        for stream in self.engine.recover():
            if stream in self._jobs:
                self._fail(self._jobs[stream], model_failed(error))

    def _score_part(self) -> None:
        """Go on with the batch being scored, or start the next one; a part is no longer than a chunk of a prompt."""
        if self._scoring is None:
            batch = self._next_score_batch()
            if not batch:
                return
            self._scoring = batch, Pass(self._score(batch))
        batch, scoring = self._scoring
        try:
            scoring.advance(self.engine.chunk_flop)
            if not scoring.done:
                return
        except (RuntimeError, ValueError) as error:
            if len(batch) > 1:  # retry one by one, so that only the faulty row fails
                self._retries.extend(batch)
            else:
                log.error("scoring failed: %s", error)
                batch[0].deliver(model_failed(error))
        self._scoring = None

    def _next_score_batch(self) -> list[ScoreJob]:
        """Take waiting rows in order of arrival, few enough that a layer is no longer than a chunk of a prompt."""
        while self._retries:
            job = self._retries.popleft()
            if not job.abandoned:
                return [job]
        limit = min(self.scorer.batch_tokens, self.engine.chunk_tokens * self.engine.model.config.language.layers)
        batch: list[ScoreJob] = []
        num_tokens = 0
        while self._scores:
            job = self._scores[0]
            if not job.abandoned:
                num_tokens += job.row.tree.length
                is_full = num_tokens > (limit if job.request is None else self.scorer.batch_tokens)
                if batch and (is_full or job.request is not batch[0].request):
                    break
                batch.append(job)
            self._scores.popleft()
        return batch

    def _score(self, batch: list[ScoreJob]) -> Slices[None]:
        # Smaller pieces change the last bits: without answers that would have to wait, there are none.
        is_whole = batch[0].request is not None and not self.engine.busy
        limit = math.inf if is_whole else self.engine.chunk_flop
        launched = yield from self.scorer.launch(self.scorer.pack([job.row for job in batch]), limit)
        for job, result in zip(batch, launched.read(), strict=True):
            job.deliver(result)
