"""Which addresses are public hosts: the same on every Python, and for every notation of an address."""

import ipaddress

import pytest

from public_addresses import SPECIAL, refusal

# Where machines in a cloud read credentials: AWS and most others, AWS over IPv6 and for containers, Azure, Oracle,
# Alibaba, Google over IPv6, Scaleway and Linode.
METADATA = (
    "169.254.169.254", "fd00:ec2::254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "100.100.100.200",
    "fd20:ce::254", "169.254.42.42", "fd00:42::42", "fd00:a9fe:a9fe::1",
)  # fmt: skip
NOT_PUBLIC = (
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8", "169.254.0.1",
    "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::a00:1", "100::1", "100:0:0:1::1", "2001::1", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fdff::1",
    "fe80::1", "fe80::1%eth0", "2606:4700::1111%1", "fec0::1", "ff02::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)  # fmt: skip
NO_ADDRESS = ("localhost", "", "0x7f.1", "127.1", "2130706433", "[::1]", "127.0.0.1:80", "1.2.3.4.5", "::1/128")
PUBLIC = (
    "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "168.63.129.17", "2606:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2003::1", "3ffe::1",
)  # fmt: skip


@pytest.mark.parametrize("address", METADATA + NOT_PUBLIC + NO_ADDRESS)
def test_what_is_no_public_host_is_refused(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_hosts_are_not_refused(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize("text", [a for a in METADATA + NOT_PUBLIC + PUBLIC if ":" not in a])
def test_an_address_inside_another_is_judged_as_itself(text: str) -> None:
    number = int(ipaddress.IPv4Address(text))
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        within = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + number)
        assert bool(refusal(str(within))) == bool(refusal(text)), within
    # 6to4 and Teredo reach tunnels that closed long ago; nothing public is there.
    assert refusal(str(ipaddress.IPv6Address((0x2002 << 112) + (number << 80) + 1)))
    assert refusal(str(ipaddress.IPv6Address((0x20010000 << 96) + (number ^ 0xFFFFFFFF))))


def test_both_ends_of_every_block_are_refused() -> None:
    assert len(SPECIAL) > 25
    for block in SPECIAL:
        assert refusal(str(block[0]))
        assert refusal(str(block[-1]))


def test_whatever_python_calls_private_is_refused() -> None:
    """Python's own blocks, in this release; ours are a superset of every release's."""
    for kind in (ipaddress.IPv4Address, ipaddress.IPv6Address):
        constants = getattr(kind, "_constants")  # noqa: B009
        for block in constants._private_networks:
            assert refusal(str(block[0])), block
            assert refusal(str(block[-1])), block
