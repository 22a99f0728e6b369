"""The model behind one or several addresses: served by `python -m deepseek_vl.serve`, asked over HTTP.

An endpoint that fails rests, longer each time, while others are asked. The request alone is at fault only if it failed
several times and the endpoint answers a small one in between; everything else is waited for, and ends the run with a
sentence if it lasts. So a server that is restarted costs time, and no sample.
"""

import base64
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from filters.deepseek_vl.connection import Connections, EndpointFailed, EndpointUnusable
from filters.deepseek_vl.questions import Answers, Ask, Asked, Fault, is_answer
from filters.filter import FilterUnavailable

ATTEMPTS = 4  # of a request, before it is suspected to be the cause itself
FIRST_REST_S, LONGEST_REST_S = 0.25, 10.0  # of an endpoint that failed
FAULTS_IN_A_ROW = 8  # items that failed, with none between them that succeeded, end the run
MAX_BODY_BYTES = 32_000_000  # half of what the server accepts
BLANK = base64.b64decode(  # a white PNG of 16 x 16 pixels
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQAAAAA3iMLMAAAADklEQVR42mP4/5+BFAQA/U4f4d7IdZcAAAAASUVORK5CYII="
)
CODES = {
    "context_length_exceeded": "too_long",
    "invalid_image": "unreadable_image",
    "not_finite": "not_finite",
    "out_of_memory": "out_of_memory",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """The model that a server has: its digest, and how it holds the weights."""

    digest: str
    dtype: str
    quantize: str | None


@dataclass(slots=True)
class _State:
    """An endpoint with its requests and its rest."""

    url: str
    in_flight: int = 0
    rest_s: float = 0.0
    rests_until: float = 0.0


class Endpoints:
    """Servers of one model.

    Args:
        urls: their addresses.
        digest: digest of the model that they must have; an answer from another one ends the run.
        timeout_s: for one request.
        give_up_s: seconds without any answer after which the run ends.
        in_flight: requests at a time.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        digest: str,
        api_key: str | None,
        timeout_s: float,
        give_up_s: float,
        in_flight: int,
    ):
        self._digest, self._give_up_s = digest, give_up_s
        self._connections = Connections(api_key, timeout_s)
        self._states = [_State(url) for url in urls]
        self._threads = ThreadPoolExecutor(in_flight, thread_name_prefix="endpoint")
        self._changed = threading.Condition()
        self._answered = time.monotonic()
        self._faults_in_a_row = 0

    def ask(self, batches: Sequence[Sequence[Ask]]) -> list[list[Answers | Fault]]:
        """Answer items (see `Judge`). Raises FilterUnavailable if the run has to end."""
        with self._changed:
            self._answered = time.monotonic()  # what came before was not waiting
        return list(self._threads.map(self._batch, batches))

    def _batch(self, batch: Sequence[Ask]) -> list[Answers | Fault]:
        body = _body(batch)
        if len(body) > MAX_BODY_BYTES and len(batch) > 1:
            half = len(batch) // 2
            return [*self._batch(batch[:half]), *self._batch(batch[half:])]
        failures = 0
        while True:
            state = self._take()
            try:
                found = self._exchange(state.url, batch, body)
            except EndpointUnusable as error:
                self._give_back(state)
                raise FilterUnavailable(f"the endpoint {state.url} {error}") from error
            except EndpointFailed as error:
                failures += error.reached
                self._failed(state, error)
                if failures >= ATTEMPTS and self._answers(state.url, batch[0]):
                    return self._alone(batch, state.url, error)
            else:
                self._give_back(state, answered=True)
                return found

    def _alone(self, batch: Sequence[Ask], url: str, error: EndpointFailed) -> list[Answers | Fault]:
        """The answers to a batch that fails as a whole, item by item."""
        if len(batch) > 1:
            return [self._batch([ask])[0] for ask in batch]
        with self._changed:
            self._faults_in_a_row += 1
            if self._faults_in_a_row >= FAULTS_IN_A_ROW:
                raise FilterUnavailable(f"the endpoint {url} {error} for {FAULTS_IN_A_ROW} samples in a row")
        return [Fault("endpoint_failed", str(error))]

    def _exchange(self, url: str, batch: Sequence[Ask], body: bytes) -> list[Answers | Fault]:
        content = self._connections.exchange(url, "/v1/score", body)
        if not isinstance(content, dict):
            raise EndpointFailed("answers with JSON that is no object", reached=True)
        if content.get("digest") != self._digest:
            raise EndpointUnusable(
                f"now has the model {content.get('model')!r:.80} with another digest; the scores of two models must "
                "not be mixed"
            )
        return _results(batch, content)

    def _take(self) -> _State:
        """Wait for an endpoint that does not rest, and take the one with the fewest requests."""
        with self._changed:
            while True:
                now = time.monotonic()
                awake = [state for state in self._states if state.rests_until <= now]
                if awake:
                    chosen = min(awake, key=lambda state: state.in_flight)
                    chosen.in_flight += 1
                    return chosen
                self._changed.wait(max(0.01, min(state.rests_until for state in self._states) - now))

    def _give_back(self, state: _State, *, answered: bool = False) -> None:
        with self._changed:
            state.in_flight -= 1
            if answered:
                state.rest_s = state.rests_until = 0.0
                self._answered = time.monotonic()
                self._faults_in_a_row = 0
            self._changed.notify_all()

    def _failed(self, state: _State, error: EndpointFailed) -> None:
        """Let an endpoint rest. Raises FilterUnavailable if nothing was answered for too long."""
        now = time.monotonic()
        with self._changed:
            state.in_flight -= 1
            if now >= state.rests_until:  # of several requests that fail together, one counts
                state.rest_s = min(LONGEST_REST_S, max(FIRST_REST_S, 2 * state.rest_s))
                state.rests_until = now + max(state.rest_s, error.wait_s)
            silent_s = now - self._answered
            self._changed.notify_all()
        if silent_s > self._give_up_s:
            raise FilterUnavailable(
                f"the endpoint {state.url} {error}; there was no answer for {silent_s:,.0f} s, "
                "and nothing was rejected for that"
            ) from error

    def _answers(self, url: str, like: Ask) -> bool:
        """Return True if an endpoint answers a small request."""
        probe = [Ask((BLANK,) if like.images else (), like.questions[:1])]
        try:
            (found,) = self._exchange(url, probe, _body(probe))
        except EndpointFailed:
            return False
        return not isinstance(found, Fault)

    def identities(self) -> list[Identity]:
        """Return the model of each endpoint. Raises ValueError if one does not answer, or is no Vellum server."""
        return [self._identity(state.url) for state in self._states]

    def _identity(self, url: str) -> Identity:
        try:
            content = self._connections.exchange(url, "/v1/models")
            served = content["data"][0]
            return Identity(str(served["digest"]), str(served["dtype"]), served["quantize"])
        except EndpointFailed as error:
            raise ValueError(f"the endpoint {url} {error}") from error
        except EndpointUnusable as error:
            raise ValueError(f"the endpoint {url} {error}") from error
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"the endpoint {url} is no Vellum server that is ready (`vellum serve`)") from error


def _body(batch: Sequence[Ask]) -> bytes:
    items = [
        {
            "images": [_data_url(image) for image in ask.images],
            "questions": [_question(asked) for asked in ask.questions],
        }
        for ask in batch
    ]
    return json.dumps({"items": items}).encode()


def _question(asked: Asked) -> dict[str, Any]:
    if asked.answer is None:
        return {"text": asked.text, "choices": asked.choices}
    return {"text": asked.text, "answer": asked.answer}


def _data_url(image: bytes) -> str:
    return "data:image/any;base64," + base64.b64encode(image).decode()


def _results(batch: Sequence[Ask], content: Mapping[str, Any]) -> list[Answers | Fault]:
    """The results in an answer. Raises EndpointFailed if they have another form than asked for."""
    results = content.get("results")
    if not isinstance(results, list) or len(results) != len(batch):
        raise EndpointFailed("answers with something else than scores", reached=True)
    found: list[Answers | Fault] = []
    for ask, result in zip(batch, results, strict=True):
        answers = result.get("log_probabilities") if isinstance(result, dict) else None
        if is_answer(ask, answers):
            assert answers is not None
            found.append(answers)
            continue
        try:
            error = result["error"]
            found.append(Fault(CODES.get(error["code"], "endpoint_failed"), str(error["message"])))
        except (KeyError, TypeError) as wrong:
            raise EndpointFailed("answers with something else than scores", reached=True) from wrong
    return found
