"""An upstream proxy is asked for addresses that were checked here, with the login that only it is sent."""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path

import pytest

from sources.web.address_policy import AddressPolicy
from sources.web.politeness import get
from sources.web.source import Web
from sources.web.upstream import Upstream, parse_upstream
from tests.sources.web.hostile_site import serving

LOGIN = "user:p@ss"


def fetch(url: str, port: int, answer: bytes, login: str = LOGIN) -> tuple[int | None, str, list[str]]:
    """Fetch a URL through a proxy that connects everything to a port; return status, why there is none, and heads."""
    heads: list[str] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        if b" 200 " in answer:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
            to_them.write(await reader.readuntil(b"\r\n\r\n"))
            writer.write(await theirs.read())
            to_them.close()
        writer.close()

    async def resolver(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.7"] if host == "inside.test" else ["93.184.216.34"]

    async def run() -> tuple[int | None, str]:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with server:
            upstream = Upstream(host="127.0.0.1", port=server.sockets[0].getsockname()[1], login=login)
            policy = AddressPolicy(resolver=resolver, upstream=upstream)
            found = await get(url, policy, "Vellum", 1000)
        return found.status, found.why

    return *asyncio.run(run()), heads


def test_connections_go_through_it_by_address() -> None:
    with serving({"/": "hello"}) as site:
        status, _, heads = fetch("http://outside.test/", site.server_port, b"HTTP/1.1 200 OK\r\n\r\n")
    assert status == 200
    login = base64.b64encode(LOGIN.encode()).decode()
    assert heads == [
        f"CONNECT 93.184.216.34:80 HTTP/1.1\r\nHost: 93.184.216.34:80\r\nProxy-Authorization: Basic {login}\r\n\r\n"
    ]
    assert site.requests == ["/"]


@pytest.mark.parametrize(
    ("url", "answer", "why", "num_asked"),
    [
        ("http://inside.test/", b"HTTP/1.1 200 OK\r\n\r\n", "inside.test is 10.0.0.7", 0),
        ("http://outside.test/", b"HTTP/1.1 407 Login\r\n\r\n", "the upstream proxy answers 407", 1),
        ("http://outside.test/", b"", "does not answer as HTTP does", 1),
    ],
)
def test_what_it_does_not_do(url: str, answer: bytes, why: str, num_asked: int) -> None:
    status, found, heads = fetch(url, 9, answer)
    assert status is None
    assert why in found
    assert len(heads) == num_asked


def test_it_is_named_as_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Upstream(host="proxy.test", port=3128, login="user:p@ss")
    assert parse_upstream("http://user:p%40ss@proxy.test:3128") == expected
    assert parse_upstream("http://proxy.test") == Upstream(host="proxy.test", port=8080)
    assert "ss" not in repr(expected)
    path = tmp_path / "proxy"
    path.write_text("https://user:secret@proxy.test\n")
    with pytest.raises(ValueError, match="proxy expects http://HOST:PORT") as failed:
        Web(proxy=f"@{path}").check()
    assert "secret" not in str(failed.value)
    monkeypatch.setenv("VELLUM_WEB_PROXY", "http://one.test")
    with pytest.raises(ValueError, match="proxy names 2 proxies"):
        Web(proxy="http://two.test").check()
