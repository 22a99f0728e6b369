"""Connections with limits, in this process and without a model: slow heads, clients that do not read, and too many."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from deepseek_vl.serve.body import Bodies
from deepseek_vl.serve.connections import Config, ConnectionLimits, affordable_connections, quiet_logs
from deepseek_vl.serve.errors import ApiError

pytestmark = pytest.mark.slow

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PART = b"x" * 1_000_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers `/` at once, `/large` with 100 MB, `/wait` when the client has left, and reads the body of a POST."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/wait":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    while scope["method"] == "POST":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message["more_body"]:
            break
    parts = 100 if scope["path"] == "/large" else 0
    length = str(parts * len(PART)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    for _ in range(parts):
        await send({"type": "http.response.body", "body": PART, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Served:
    """A server with short limits, in a thread."""

    def __init__(self, **limits: Any):
        self.listening = socket.create_server(("127.0.0.1", 0))
        config = Config(app, ConnectionLimits(**limits), lifespan="off", log_config=None, timeout_keep_alive=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve([self.listening])))

    def connect(self) -> socket.socket:
        return socket.create_connection(self.listening.getsockname(), timeout=20)

    @property
    def num_connections(self) -> int:
        return len(self.server.server_state.connections)


@contextmanager
def serving(**limits: Any) -> Iterator[Served]:
    served = Served(**limits)
    served.thread.start()
    try:
        yield served
    finally:
        served.server.should_exit = True
        served.thread.join(20)
        assert not served.thread.is_alive()


def received(connection: socket.socket) -> bytes:
    """Everything that the server sends until it closes the connection."""
    got = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            got += part
    return got


def until(condition: Any) -> None:
    """Wait for a condition, at most 20 seconds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def answered(connection: socket.socket) -> bool:
    connection.sendall(GET)
    return connection.recv(65536).startswith(b"HTTP/1.1 200")


def drip(connection: socket.socket, data: bytes, seconds: float) -> None:
    """Send byte after byte until the server closes the connection."""
    for k in range(len(data)):
        try:
            connection.sendall(data[k : k + 1])
        except OSError:
            return
        time.sleep(seconds)


def test_a_head_has_a_time_limit_however_its_bytes_come() -> None:
    with serving(head_s=0.5) as served:
        silent, slow = served.connect(), served.connect()
        sender = threading.Thread(target=drip, args=(slow, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000, 0.05))
        sender.start()
        started = time.monotonic()
        for connection in (silent, slow):
            answer = received(connection)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]
            connection.close()
        assert time.monotonic() - started < 10
        sender.join()
        until(lambda: served.num_connections == 0)


def test_the_next_head_on_a_connection_has_the_same_limit() -> None:
    with serving(head_s=0.5) as served, served.connect() as connection:
        assert answered(connection)
        assert answered(connection)
        sender = threading.Thread(target=drip, args=(connection, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000, 0.05))
        sender.start()
        received(connection)
        connection.close()
        sender.join()
        until(lambda: served.num_connections == 0)


def test_a_body_that_goes_on_after_its_answer_is_cut() -> None:
    with serving(head_s=0.5) as served, served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        sender = threading.Thread(target=drip, args=(connection, b"x" * 1000, 0.05))
        sender.start()
        received(connection)
        until(lambda: served.num_connections == 0)
        sender.join()


def test_a_client_that_does_not_read_is_cut() -> None:
    with serving(write_s=0.5) as served, served.connect() as connection:
        connection.sendall(GET.replace(b"/ ", b"/large ", 1))
        until(lambda: served.num_connections == 1)
        until(lambda: served.num_connections == 0)


def test_an_answer_may_take_longer_than_a_head() -> None:
    with serving(head_s=0.3) as served, served.connect() as connection:
        connection.sendall(GET.replace(b"/ ", b"/wait ", 1))
        time.sleep(1)
        assert served.num_connections == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"A: " + b"x" * 200_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        GET + b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_and_closed(data: bytes) -> None:
    with serving() as served, served.connect() as connection:
        with suppress(ConnectionError):
            connection.sendall(data)
        assert b"HTTP/1.1 400 " in received(connection) or len(data) > 100_000
        until(lambda: served.num_connections == 0)
        with served.connect() as other:
            assert answered(other)


def test_too_many_connections_close_those_without_a_request() -> None:
    """The oldest idle one of the client with most; one with a request stays, and the newest is answered."""
    with serving(max_connections=8) as served, ExitStack() as stack:
        waiting = stack.enter_context(served.connect())
        waiting.sendall(GET.replace(b"/ ", b"/wait ", 1))
        until(lambda: served.num_connections == 1)
        for _ in range(60):
            stack.enter_context(served.connect())
        newest = stack.enter_context(served.connect())
        assert answered(newest)
        until(lambda: served.num_connections <= 8)
        waiting.setblocking(False)
        with pytest.raises(BlockingIOError):
            waiting.recv(1)


def test_if_all_wait_for_answers_the_newest_is_closed() -> None:
    with serving(max_connections=4) as served, ExitStack() as stack:
        for k in range(4):
            connection = stack.enter_context(served.connect())
            connection.sendall(GET.replace(b"/ ", b"/wait ", 1))
            until(lambda k=k: sum(c.is_answering for c in served.server.server_state.connections) == k + 1)
        assert received(stack.enter_context(served.connect())) == b""
        assert served.num_connections == 4


def test_a_stopping_server_does_not_wait_for_slow_clients() -> None:
    with serving() as served:
        head, body = served.connect(), served.connect()
        head.sendall(GET[:10])
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        until(lambda: served.num_connections == 2)
        started = time.monotonic()
    assert time.monotonic() - started < 10
    head.close()
    body.close()


def test_slow_bodies_make_room_for_fast_ones() -> None:
    """Of 10 bodies of 100 bytes in 500, those that began first are given up for the others."""
    bodies = Bodies(max_bytes=150, timeout_s=30, total_bytes=500)

    async def read(messages: list[bytes], pause_s: float) -> str:
        parts = iter(messages)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause_s)
            part = next(parts, None)
            return {"type": "http.request", "body": part or b"", "more_body": part is not None}

        try:
            async with bodies.read(receive) as body:  # type: ignore[arg-type]
                return f"{len(body)} bytes"
        except ApiError as error:
            return str(error.code)

    async def run() -> list[str]:
        slow = [asyncio.create_task(read([b"x" * 100, b"", b"", b""], 0.05)) for _ in range(10)]
        await asyncio.sleep(0.08)
        fast = await read([b"x" * 100], 0)
        return [fast, *await asyncio.gather(*slow), await read([b"x" * 151], 0)]

    fast, *slow, large = asyncio.run(run())
    assert fast == "100 bytes"
    assert slow == ["slow_body"] * 6 + ["100 bytes"] * 4
    assert large == "body_too_large"
    assert not bodies._arriving
    assert bodies._in_use == 0


def test_a_slow_body_ends_with_its_time() -> None:
    async def run() -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async with Bodies(10**6, 0.2, 10**6).read(receive):  # type: ignore[arg-type]
            pass

    with pytest.raises(ApiError, match=r"within 0\.2 seconds") as ended:
        asyncio.run(run())
    assert ended.value.status == 408


def test_connections_leave_files_for_the_rest() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        affordable = affordable_connections(10**9)
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert soft >= before[0] or soft == resource.RLIM_INFINITY
        assert 8 <= affordable < soft or soft == resource.RLIM_INFINITY
        assert affordable_connections(20) == 20
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_equal_messages_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("asyncio")
    with quiet_logs("asyncio"):
        for k in range(100):
            log.error("socket.accept() out of system resource\nsocket: %d", k)
        log.error("something else")
    assert len(caplog.records) == 2
    log.error("socket.accept() out of system resource")
    assert len(caplog.records) == 3
