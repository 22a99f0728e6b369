"""The address policy and the proxy: they connect only to public hosts."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sources.web.address_policy import Guard, Refused
from sources.web.addresses import refusal
from sources.web.proxy import ProxySession, TrafficLimits, open_lane
from tests.sources.web.hostile_site import Site, serving

SMALL = TrafficLimits(response_mb=0.01, page_mb=0.02, connect_s=2, response_s=2)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "localhost",
        "",
        "0x7f.1",
    ],
)
def test_addresses_that_are_not_public_are_rejected(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_not(address: str) -> None:
    assert refusal(address) is None


def _guard(addresses: Sequence[str], **settings: Any) -> Guard:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return addresses

    return Guard(resolver=resolver, **settings)


def test_one_private_address_refuses_a_host() -> None:
    with pytest.raises(Refused, match=r"10\.0\.0\.7: private"):
        asyncio.run(_guard(["8.8.8.8", "10.0.0.7"]).addresses("mixed.example", 80))


def test_ports_and_exceptions() -> None:
    with pytest.raises(Refused, match="port 25"):
        asyncio.run(_guard(["8.8.8.8"]).addresses("mail.example", 25))
    assert asyncio.run(_guard(["10.0.0.7"], allow=("10.0.0.0/8",)).addresses("intranet", 80)) == [("10.0.0.7", 80)]
    assert asyncio.run(_guard(["127.0.0.1"], allow=("dev:9000",)).addresses("dev", 9000)) == [("127.0.0.1", 9000)]
    with pytest.raises(Refused):
        asyncio.run(_guard(["127.0.0.1"], allow=("dev:9000",)).addresses("dev", 80))


async def _ask(lane: ProxySession, request: str) -> bytes:
    host, port = lane.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode())
    try:
        return await reader.read()
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


def _through(guard: Guard, *requests: str, limits: TrafficLimits = SMALL) -> tuple[list[bytes], ProxySession]:
    async def run() -> tuple[list[bytes], ProxySession]:
        async with open_lane(guard, limits) as lane:
            return [await _ask(lane, request) for request in requests], lane

    return asyncio.run(run())


def _get(url: str) -> str:
    return f"GET {url} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: secret\r\n\r\n"


def _site_guard(site: Site) -> Guard:
    return Guard(routes={"site.test": ("127.0.0.1", site.server_port)})


def test_every_way_to_a_private_host_is_rejected() -> None:
    with serving({"/": "never asked for"}) as site:
        port = site.server_port
        guard = Guard(ports=(80, 443, port))
        requests = [
            _get(f"http://127.0.0.1:{port}/"),
            _get(f"http://[::1]:{port}/"),
            _get(f"http://[::ffff:127.0.0.1]:{port}/"),
            _get(f"http://localhost:{port}/"),
            _get(f"http://2130706433:{port}/"),
            f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n",
            f"CONNECT localhost:{port} HTTP/1.1\r\n\r\n",
        ]
        answers, lane = _through(guard, *requests)
        assert all(answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 502")) for answer in answers)
        assert {"127.0.0.1", "::1", "localhost"} <= set(lane.refused)
        assert site.requests == []


def test_a_name_that_changes_its_address_is_checked_each_time() -> None:
    """DNS rebinding: the second look-up returns a private address, but the connection uses the checked one."""
    answers = iter([["203.0.113.77"], ["127.0.0.1"]])
    with serving({"/": "inside"}) as site:

        async def resolver(host: str, port: int) -> Sequence[str]:
            return next(answers)

        guard = Guard(resolver=resolver, ports=(site.server_port,), allow=("203.0.113.0/24",))
        url = _get(f"http://rebind.example:{site.server_port}/")
        (first, second), lane = _through(guard, url, url, limits=TrafficLimits(connect_s=0.3))
        assert first.startswith(b"HTTP/1.1 502")  # there is no server, and no byte went to the private host
        assert second.startswith(b"HTTP/1.1 403")
        assert "127.0.0.1" in lane.refused["rebind.example"]
        assert site.requests == []


def test_responses_are_passed_on_and_end_their_connection() -> None:
    with serving({"/page": "hello"}) as site:
        (answer,), lane = _through(_site_guard(site), _get("http://site.test/page?q=1"))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"hello")
        assert b"Connection: close" in head
        assert lane.num_bytes >= len(body)


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
        (answer,), lane = _through(_site_guard(site), _get("http://site.test/big"))
        assert lane.is_too_large
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
    (answer,), _ = _through(Guard(), request_text)
    assert answer.startswith(b"HTTP/1.1 400")
