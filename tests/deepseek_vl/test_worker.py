"""The model's thread when clients leave, requests fail and the server stops."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
import torch

from deepseek_vl.engine import Engine, generate
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, Question, Row, Scorer
from deepseek_vl.serve.app import App
from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.settings import Settings
from deepseek_vl.serve.worker import Piece, Worker
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, one_thread, picture

pytestmark = pytest.mark.slow

MODEL = tiny.model(CONFIG)
PROCESSOR = tiny.processor(CONFIG)
LONG = SamplingSettings(max_tokens=3500)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A running worker that generates two answers at once."""
    ready = threading.Event()

    def load() -> tuple[Engine, Scorer]:
        made = Engine(MODEL, PROCESSOR, rows=2), Scorer(MODEL, PROCESSOR)
        ready.set()
        return made

    worker = Worker(load)
    worker.start()
    ready.wait(10)
    yield worker
    worker.stop()
    assert not worker._thread.is_alive()


def prompt(text: str, num_images: int = 0) -> Prompt:
    parts = [*([{"type": "image"}] * num_images), {"type": "text", "text": text}]
    return PROCESSOR.prompt([{"role": "user", "content": parts}], [picture(k) for k in range(num_images)])


def row(text: str) -> Row:
    return Scorer(MODEL, PROCESSOR).prepare(Item((picture(1),), (Question(text, ("Yes", "No")),)))


async def whole(worker: Worker, prompt: Prompt, sampling: SamplingSettings) -> list[Piece]:
    return [piece async for piece in worker.generate(prompt, sampling)]


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 60)

    asyncio.run(limited())


def test_an_abandoned_answer_makes_room(worker: Worker) -> None:
    async def test() -> None:
        for _ in range(3):
            async with (
                aclosing(worker.generate(prompt("a"), LONG)) as first,
                aclosing(worker.generate(prompt("b"), LONG)) as second,
            ):
                assert (await anext(first)).finish_reason is None
                assert (await anext(second)).finish_reason is None
        assert (await whole(worker, prompt("c"), SamplingSettings(max_tokens=2)))[-1].finish_reason == "length"
        assert worker._jobs == {}
        assert not worker.engine.busy

    run(test)


def test_a_request_that_breaks_the_step_costs_only_itself(worker: Worker) -> None:
    expected = generate(MODEL, PROCESSOR, [prompt("a", 1)], SamplingSettings(max_tokens=300))[0]
    bad = Prompt(prompt("x", 1).tokens, (np.zeros((3, 1, 1), dtype=np.uint8),))  # too small for a patch
    worse = Prompt(prompt("x", 1).tokens)  # its image is missing

    async def test() -> None:
        pieces = worker.generate(prompt("a", 1), SamplingSettings(max_tokens=300))
        got = [await anext(pieces)]
        with pytest.raises(ApiError, match="Kernel size") as failed:
            await whole(worker, bad, SamplingSettings())
        assert failed.value.status == 500
        with pytest.raises(ApiError, match="image tokens for 0 images") as failed:
            await whole(worker, worse, SamplingSettings())
        assert failed.value.status == 400
        got += [piece async for piece in pieces]
        assert "".join(piece.text for piece in got) == expected.text.lstrip()
        assert got[-1].num_tokens == len(expected.tokens)

    run(test)


def test_a_prompt_that_is_too_long_is_rejected(worker: Worker) -> None:
    async def test() -> None:
        with pytest.raises(ApiError, match="an answer needs fewer") as refused:
            await whole(worker, Prompt(np.zeros(4096, dtype=np.int64)), SamplingSettings())
        assert refused.value.status == 400

    run(test)


def test_scores_come_while_answers_run(worker: Worker) -> None:
    rows = [row(f"is it {k}?") for k in range(5)]
    expected = [Scorer(MODEL, PROCESSOR).score_rows([one])[0][0] for one in rows]

    async def test() -> None:
        async with aclosing(worker.generate(prompt("a"), LONG)) as pieces:
            await anext(pieces)
            scores = await asyncio.gather(*(worker.score([one]) for one in rows))
            assert (await anext(pieces)).finish_reason is None
        np.testing.assert_allclose([score[0][0] for score in scores], expected, atol=1e-4)

    run(test)


def test_a_row_that_fails_costs_only_itself(worker: Worker) -> None:
    good, bad = row("good?"), row("bad?")
    bad = Row(bad.tree, bad.answers, ())  # its image is missing

    async def test() -> None:
        results = await asyncio.gather(
            worker.score([good]), worker.score([bad]), worker.score([good, good]), return_exceptions=True
        )
        assert isinstance(results[1], ApiError)
        assert isinstance(results[0], list)
        assert isinstance(results[2], list)

    run(test)


def test_logits_that_are_not_finite_are_an_error(worker: Worker) -> None:
    weight = MODEL.language.norm.weight
    kept = weight.detach().clone()

    async def test() -> None:
        with torch.no_grad():
            weight.fill_(float("nan"))
        try:
            with pytest.raises(ApiError, match="no finite logits"):
                await whole(worker, prompt("a"), SamplingSettings())
            with pytest.raises(ApiError, match="no finite logits"):
                await worker.score([row("a?")])
        finally:
            with torch.no_grad():
                weight.copy_(kept)

    run(test)


def test_answers_past_the_limit_of_a_stop_are_ended(worker: Worker) -> None:
    async def test() -> None:
        pieces = worker.generate(prompt("a"), LONG)
        await anext(pieces)
        worker.start_shutdown(0)
        with pytest.raises(ApiError, match="stopping") as ended:
            async for _ in pieces:
                pass
        assert ended.value.status == 503
        assert worker.state == "stopping"

    run(test)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_clients_are_released_when_the_thread_dies(worker: Worker) -> None:
    async def test() -> None:
        async with aclosing(worker.generate(prompt("a"), LONG)) as pieces:
            await anext(pieces)
            del worker.engine.cache
            with pytest.raises(ApiError):
                async for _ in pieces:
                    pass

    run(test)
    worker._thread.join(10)
    assert (worker.state, worker.failure) == ("failed", "the thread of the model died")


def get(app: App, method: str, path: str) -> int:
    """Return the status of a request to an app without a server."""
    statuses: list[int] = []

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(message: MutableMapping[str, Any]) -> None:
            if "status" in message:
                statuses.append(message["status"])

        headers = [(b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers,
            "query_string": b"",
            "root_path": "",
        }
        await app(scope, receive, send)

    asyncio.run(ask())
    [status] = statuses
    return status


def test_a_loading_server_answers_503() -> None:
    go_on = threading.Event()

    def load() -> tuple[Engine, Scorer]:
        go_on.wait(30)
        raise ValueError("broken\nin many ways")

    told = threading.Event()
    worker = Worker(load, told.set)
    app = App(worker, PROCESSOR, Settings(model="tiny"))
    worker.start()
    assert get(app, "GET", "/health") == 503
    assert get(app, "POST", "/v1/chat/completions") == 503
    assert get(app, "POST", "/v1/score") == 503
    assert get(app, "GET", "/v1/models") == 200
    go_on.set()
    assert told.wait(30)
    assert (worker.state, worker.failure) == ("failed", "broken")
