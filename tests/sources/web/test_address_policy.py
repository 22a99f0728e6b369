"""The address policy and the proxy: they connect only to public hosts."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sources.web.address_policy import AddressPolicy, AddressRefusedError
from sources.web.proxy import ProxySession, TrafficLimits, open_proxy_session
from tests.sources.web.hostile_site import Site, serving

SMALL = TrafficLimits(response_mb=0.01, page_mb=0.02, connect_s=2, response_s=2)


def _guard(addresses: Sequence[str], **settings: Any) -> AddressPolicy:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return addresses

    return AddressPolicy(resolver=resolver, **settings)


def test_one_private_address_refuses_a_host() -> None:
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.7: private"):
        asyncio.run(_guard(["8.8.8.8", "10.0.0.7"]).addresses("mixed.example", 80))


def test_ports_and_exceptions() -> None:
    with pytest.raises(AddressRefusedError, match="port 25"):
        asyncio.run(_guard(["8.8.8.8"]).addresses("mail.example", 25))
    assert asyncio.run(_guard(["10.0.0.7"], allow=("10.0.0.0/8",)).addresses("intranet", 80)) == [("10.0.0.7", 80)]
    assert asyncio.run(_guard(["127.0.0.1"], allow=("dev:9000",)).addresses("dev", 9000)) == [("127.0.0.1", 9000)]
    with pytest.raises(AddressRefusedError):
        asyncio.run(_guard(["127.0.0.1"], allow=("dev:9000",)).addresses("dev", 80))


async def _ask(proxy_session: ProxySession, request: str) -> bytes:
    host, port = proxy_session.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    try:
        return await reader.read()
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


def _through(policy: AddressPolicy, *requests: str, limits: TrafficLimits = SMALL) -> tuple[list[bytes], ProxySession]:
    async def run() -> tuple[list[bytes], ProxySession]:
        async with open_proxy_session(policy, limits) as proxy_session:
            return [await _ask(proxy_session, request) for request in requests], proxy_session

    return asyncio.run(run())


def _get(url: str) -> str:
    return f"GET {url} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: secret\r\n\r\n"


def _site_guard(site: Site) -> AddressPolicy:
    return AddressPolicy(routes={"site.test": ("127.0.0.1", site.server_port)})


def test_every_way_to_a_private_host_is_rejected() -> None:
    with serving({"/": "never asked for"}) as site:
        port = site.server_port
        policy = AddressPolicy(ports=(80, 443, port))
        requests = [
            _get(f"http://127.0.0.1:{port}/"),
            _get(f"http://[::1]:{port}/"),
            _get(f"http://[::ffff:127.0.0.1]:{port}/"),
            _get(f"http://localhost:{port}/"),
            _get(f"http://2130706433:{port}/"),
            f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n",
            f"CONNECT localhost:{port} HTTP/1.1\r\n\r\n",
        ]
        answers, proxy_session = _through(policy, *requests)
        assert all(answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 502")) for answer in answers)
        assert {"127.0.0.1", "::1", "localhost"} <= {place.rpartition(":")[0] for place in proxy_session.refused}
        assert site.requests == []


def test_a_name_that_changes_its_address_is_checked_each_time() -> None:
    """DNS rebinding: the second look-up returns a private address, but the connection uses the checked one."""
    answers = iter([["203.0.113.77"], ["127.0.0.1"]])
    with serving({"/": "inside"}) as site:

        async def resolver(host: str, port: int) -> Sequence[str]:
            return next(answers)

        policy = AddressPolicy(resolver=resolver, ports=(site.server_port,), allow=("203.0.113.0/24",))
        url = _get(f"http://rebind.example:{site.server_port}/")
        (first, second), proxy_session = _through(policy, url, url, limits=TrafficLimits(connect_s=0.3))
        assert first.startswith(b"HTTP/1.1 502")  # there is no server, and no byte went to the private host
        assert second.startswith(b"HTTP/1.1 403")
        assert "127.0.0.1" in proxy_session.refused[f"rebind.example:{site.server_port}"]
        assert site.requests == []


def test_responses_are_passed_on_and_end_their_connection() -> None:
    with serving({"/page": "hello"}) as site:
        (answer,), proxy_session = _through(_site_guard(site), _get("http://site.test/page?q=1"))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"hello")
        assert b"Connection: close" in head
        assert proxy_session.num_bytes >= len(body)


def test_a_second_request_on_a_connection_goes_nowhere() -> None:
    with serving({"/a": "a", "/b": "b"}) as site:
        (answer,), _ = _through(_site_guard(site), _get("http://site.test/a") + _get("http://site.test/b"))
        assert answer.endswith(b"\r\n\r\na")
        assert site.requests == ["/a"]


def test_tunnels_pass_bytes() -> None:
    with serving({"/t": "through"}) as site:
        request = "CONNECT site.test:443 HTTP/1.1\r\n\r\nGET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        (answer,), _ = _through(_site_guard(site), request)
        assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")
        assert answer.endswith(b"through")


def test_what_is_too_large_is_broken_off() -> None:
    with serving({"/big": "x" * 50_000}) as site:
        (answer,), proxy_session = _through(_site_guard(site), _get("http://site.test/big"))
        assert proxy_session.is_too_large
        assert len(answer) < 20_000


@pytest.mark.parametrize(
    "request_text",
    [
        "nonsense\r\n\r\n",
        "GET ftp://site.test/ HTTP/1.1\r\n\r\n",
        "GET /relative HTTP/1.1\r\n\r\n",
        "CONNECT site.test HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_rejected(request_text: str) -> None:
    (answer,), _ = _through(AddressPolicy(), request_text)
    assert answer.startswith(b"HTTP/1.1 400")
