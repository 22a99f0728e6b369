"""Hostile clients against a real server: whatever they do, an honest request is answered."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest

from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, KEY, ROOT, serve

pytestmark = pytest.mark.slow

HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Authorization: Bearer {KEY}\r\nContent-Length: 1000\r\n\r\n"
).encode()
NUM_PLACES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    tiny.write_checkpoint(folder, CONFIG)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    options = ["--rows", "4", "--max-queue", "4", "--header-s", "2", "--body-s", "4", "--max-connections", "100"]
    with serve(folder, *options) as (url, _):
        yield url


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)


def is_answered(address: str) -> bool:
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        made = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "hello"}], max_tokens=3
        )
    return bool(made.choices)


def test_one_byte_bodies_take_no_places(address: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(address)) for _ in range(5 * NUM_PLACES)]
        for connection in slow:
            connection.sendall(HEAD)
        for _ in range(3):
            for connection in slow:
                connection.sendall(b" ")
            assert is_answered(address)
        answers = [connection.recv(100) for connection in slow]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


def test_many_idle_and_half_sent_connections(address: str) -> None:
    with ExitStack() as stack:
        for k in range(300):
            connection = stack.enter_context(connect(address))
            with suppress(ConnectionError):  # it may be closed for a newer one already
                connection.sendall([b"", b"G", HEAD[:-4], HEAD][k % 4])
        assert is_answered(address)
        started = time.monotonic()
        assert is_answered(address)
        assert time.monotonic() - started < 10


def test_requests_that_are_given_up_leave_their_places(address: str) -> None:
    body = b'{"model": "tiny", "max_tokens": 2000, "stream": true, "messages": [{"role": "user", "content": "x"}]}'
    head = HEAD.replace(b"1000", str(len(body)).encode())
    for _ in range(3 * NUM_PLACES):
        with connect(address) as connection:
            connection.sendall(head + body)
    end = time.monotonic() + 20
    while True:
        try:
            assert is_answered(address)
            return
        except openai.RateLimitError:
            assert time.monotonic() < end


def test_a_full_table_of_files_is_not_reached(folder: Path, tmp_path: Path) -> None:
    """With 128 files, 200 clients at once: the server answers, and its log stays short."""
    command = [sys.executable, "-m", "deepseek_vl.serve", "--model", str(folder), "--port", "0", "--device", "cpu"]
    limited = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))  # noqa: E731
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=limited
        )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split()[2]
        assert process.stdout.readline().startswith("ready")
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(connect(address))
            assert is_answered(address)
        assert is_answered(address)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
    assert log.stat().st_size < 20_000, log.read_text()[:2000]
