"""The client of served models: whatever a server does, a sample gets its scores, a counted fault, or the run ends."""

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from filters.deepseek_vl import endpoints as endpoints_module
from filters.deepseek_vl.connection import check_url
from filters.deepseek_vl.endpoints import BLANK, Endpoints
from filters.deepseek_vl.questions import Ask, Asked, Fault
from filters.filter import FilterUnavailable

DIGEST = "d1"
RIGHT = [[math.log(0.25), math.log(0.75)]]
MODELS = {"data": [{"id": "m", "digest": DIGEST, "dtype": "float32", "quantize": None}]}
Step = Callable[["Handler", Any], None]


class Handler(BaseHTTPRequestHandler):
    """Plays the steps of its server in order, and answers rightly when there are no more."""

    protocol_version = "HTTP/1.1"
    server: "Scripted"

    def do_GET(self) -> None:
        self.answer(200, self.server.models)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.running += 1
            self.server.most = max(self.server.most, self.server.running)
            self.server.requests.append(body)
            step = self.server.steps.pop(0) if self.server.steps else self.server.after
        step(self, body)
        with self.server.lock:
            self.server.running -= 1

    def answer(self, status: int, content: Any, headers: Sequence[tuple[str, str]] = ()) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, steps: Sequence[Step], after: Step):
        super().__init__(("127.0.0.1", 0), Handler)
        self.steps, self.after = list(steps), after
        self.models: Any = MODELS
        self.requests: list[Any] = []
        self.running = self.most = 0
        self.lock = threading.Lock()


def right(handler: Handler, body: Any) -> None:
    results = [{"log_probabilities": RIGHT * len(item["questions"])} for item in body["items"]]
    handler.answer(200, {"model": "m", "digest": DIGEST, "results": results})


def says(status: int, content: Any, **headers: str) -> Step:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda handler, body: handler.answer(status, content, named)


def hang(handler: Handler, body: Any) -> None:
    time.sleep(0.6)


def dribble(handler: Handler, body: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    for _ in range(12):  # a byte in time for the timeout of a socket, but not for the timeout of a request
        handler.wfile.write(b" ")
        time.sleep(0.05)
    handler.close_connection = True


def cut(handler: Handler, body: Any) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@contextmanager
def served(*steps: Step, after: Step = right) -> Iterator[tuple[str, Scripted]]:
    server = Scripted(steps, after)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints_module, "FIRST_REST_S", 0.01)
    monkeypatch.setattr(endpoints_module, "LONGEST_REST_S", 0.02)


def client(*urls: str, give_up_s: float = 30, in_flight: int = 2) -> Endpoints:
    return Endpoints(urls, digest=DIGEST, api_key=None, timeout_s=0.3, give_up_s=give_up_s, in_flight=in_flight)


def asking(text: str) -> Ask:
    return Ask((BLANK,), (Asked(text, ("Yes", "No")),))


WRONG_SUM = {"digest": DIGEST, "results": [{"log_probabilities": [[-0.1, -0.1]]}]}
NAN = b'{"digest": "d1", "results": [{"log_probabilities": [[NaN, 0]]}]}'
TOO_FEW = {"digest": DIGEST, "results": []}


@pytest.mark.parametrize(
    "step",
    [
        says(500, {"error": {"message": "no", "code": "model_failed"}}),
        says(503, b"loading", Retry_After="0"),
        says(429, b""),
        says(200, b"<html>"),
        says(200, [1]),
        says(200, WRONG_SUM),
        says(200, NAN),
        says(200, TOO_FEW),
        says(200, {"digest": DIGEST, "results": ["?"]}),
        hang,
        dribble,
        cut,
    ],
)
def test_a_failure_that_passes_costs_nothing(step: Step) -> None:
    with served(step) as (url, server):
        assert client(url).ask([[asking("a")]]) == [[RIGHT]]
        assert len(server.requests) == 2


def test_an_item_that_always_fails_is_counted_and_the_others_are_scored() -> None:
    def poisoned(handler: Handler, body: Any) -> None:
        is_poison = any(
            "poison" in item["questions"][0]["text"] and len(item["questions"]) > 1 for item in body["items"]
        )
        says(500, {"error": {"message": "it failed"}})(handler, body) if is_poison else right(handler, body)

    poison = Ask((BLANK,), (Asked("poison", ("Yes", "No")), Asked("b", ("Yes", "No"))))
    with served(after=poisoned) as (url, _):
        ((first, bad, last), (other,)) = client(url).ask([[asking("a"), poison, asking("c")], [asking("d")]])
        assert (first, last, other) == (RIGHT, RIGHT, RIGHT)
        assert isinstance(bad, Fault)
        assert bad.code == "endpoint_failed"
        assert "it failed" in bad.message
    errors = [{"error": {"message": "m", "code": code}} for code in ("invalid_image", "not_finite", "new")]
    with served(says(200, {"digest": DIGEST, "results": errors})) as (url, _):
        (faults,) = client(url).ask([[asking("a")] * 3])
        assert [fault.code for fault in faults if isinstance(fault, Fault)] == [
            "unreadable_image",
            "not_finite",
            "endpoint_failed",
        ]


def test_what_lasts_ends_the_run_with_a_sentence() -> None:
    other = {"digest": "d2", "model": "other", "results": []}
    for step, message in (
        (says(500, {"error": {"message": "broken"}}), "answers with status 500: broken; there was no answer for"),
        (says(200, other), "now has the model 'other' with another digest"),
        (says(401, {"error": {"message": "a key"}}), r"wants an API key \(status 401: a key"),
    ):
        with served(right, after=step) as (url, _), pytest.raises(FilterUnavailable, match=f"{url} {message}"):
            client(url, give_up_s=0.2).ask([[asking("a")], [asking("b")]])
    with pytest.raises(FilterUnavailable, match="refuses connections; there was no answer"):
        client(url, give_up_s=0.1).ask([[asking("a")]])  # nobody listens there any more

    def only_probes(handler: Handler, body: Any) -> None:
        is_probe = len(body["items"][0]["questions"]) == 1
        (right if is_probe else says(500, b""))(handler, body)

    two = Ask((BLANK,), (Asked("a", ("Yes", "No")), Asked("b", ("Yes", "No"))))
    with served(after=only_probes) as (url, _), pytest.raises(FilterUnavailable, match="for 8 samples in a row"):
        client(url).ask([[two] for _ in range(12)])


def test_requests_are_bounded_and_go_to_those_who_answer() -> None:
    def slow(handler: Handler, body: Any) -> None:
        time.sleep(0.03)
        right(handler, body)

    batches = [[asking(f"{k}")] for k in range(24)]
    with served(after=slow) as (one, first), served(after=slow) as (two, second):
        assert client(one, two, in_flight=4).ask(batches) == [[RIGHT]] * 24
        assert max(first.most, second.most) <= 4
        assert min(len(first.requests), len(second.requests)) > 3
        before = len(second.requests)
        first.after = says(503, b"")
        assert client(one, two, in_flight=2).ask(batches) == [[RIGHT]] * 24
        assert len(second.requests) == before + 24


def test_servers_say_which_model_they_have() -> None:
    with served() as (url, server):
        assert client(url).identities()[0].digest == DIGEST
        server.models = {"data": [{"id": "gpt"}]}
        with pytest.raises(ValueError, match="no Vellum server that is ready"):
            client(url).identities()
    with pytest.raises(ValueError, match="refuses connections"):
        client(url).identities()
    for address in ("ftp://a", "http://", "http://a:b", "a:80", "http://user@a/", "http://a?b"):
        with pytest.raises(ValueError, match="must be an address"):
            check_url(address)
    check_url("https://judge.example/v1")
