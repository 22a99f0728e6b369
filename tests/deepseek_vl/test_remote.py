"""Fetching images from URLs: only from public addresses, with limits. The test servers are on this machine."""

import asyncio
from collections.abc import Callable

import pytest

from deepseek_vl.serve import remote
from deepseek_vl.serve.remote import fetch

pytestmark = pytest.mark.slow

LOCAL = "127.0.0.1"


def ok(body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def moved(place: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {place}\r\n\r\n".encode()


PLACES = {
    "/image": ok(b"pixels"),
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "/to-image": moved("/image"),
    "/to-private": moved("http://127.0.0.2/image"),
    "/to-file": moved("file:///etc/passwd"),
    "/loop": moved("/loop"),
    "/large": ok(b"x" * 1001),
    "/endless": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n",
    "/cut": ok(b"x" * 50)[:-20],
    "/missing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "/nonsense": b"not HTTP at all\r\n\r\n",
    "/silent": b"",
}


def fetched(path: str, allowed: Callable[[str], bool] = lambda address: address == LOCAL) -> bytes:
    """Fetch a path from a server on this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(PLACES[line])
        if line == "/silent":
            await reader.read()  # until the client leaves
        writer.close()

    async def run() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await fetch(f"http://127.0.0.1:{port}{path}", 1000, allowed=allowed)
        finally:
            server.close()

    return asyncio.run(run())


def test_images_are_fetched() -> None:
    assert fetched("/image") == b"pixels"
    assert fetched("/to-image") == b"pixels"
    assert fetched("/chunked") == b"abcde"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/to-private", "not at a public address"),
        ("/to-file", "http or https"),
        ("/loop", "more than 3 redirects"),
        ("/large", "larger than 1000 bytes"),
        ("/endless", "larger than 1000 bytes"),
        ("/cut", "could not be fetched"),
        ("/missing", "status 404"),
        ("/nonsense", "could not be fetched"),
    ],
)
def test_responses_outside_the_limits_are_rejected(path: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fetched(path)


def test_a_silent_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "TIMEOUT_S", 0.2)
    with pytest.raises(ValueError, match=r"within 0\.2 seconds"):
        fetched("/silent")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://168.63.129.16/metadata/instance",
        "http://192.0.0.192/latest/",
        "http://[fec0::1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://10.1.2.3/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
    ],
)
def test_addresses_that_are_not_public_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="not at a public address"):
        asyncio.run(fetch(url, 1000))


@pytest.mark.parametrize(
    "url", ["ftp://8.8.8.8/", "http:///x", "http://a:b@8.8.8.8/", "http://8.8.8.8:99999/", "http://[1/"]
)
def test_other_urls_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        asyncio.run(fetch(url, 1000))
