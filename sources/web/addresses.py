"""Addresses to which the crawler must not connect: all that are not public hosts."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

# Public addresses that reach the cloud that the machine runs in: Azure's agent serves certificates and settings there.
CLOUD_SERVICES = {ipaddress.ip_address("168.63.129.16"), ipaddress.ip_address("fd00:ec2::254")}
# IANA's special-purpose blocks for which Python's `is_global` differs between releases.
SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "2001::/23", "3fff::/20"),
    )
)
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def refusal(text: str) -> str | None:
    """Return the reason why connecting to an address is not allowed, or None if it is allowed.

    Args:
        text: an IPv4 or IPv6 address; an address with a zone (`%eth0`) is link-local.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "no address"
    if "%" in text:
        return "link-local"
    inner = _embedded(address)
    if inner is not None:
        why = _refusal(inner)
        return f"{why} ({inner} inside an IPv6 address)" if why else None
    return _refusal(address)


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    if address in CLOUD_SERVICES:
        return "cloud service"
    if any(address in network for network in SPECIAL):
        return "special-purpose"
    for kind in ("loopback", "link_local", "multicast", "unspecified", "reserved", "private"):
        if getattr(address, f"is_{kind}"):
            return kind.replace("_", "-")
    return None if address.is_global else "not public"


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside an IPv6 address (mapped, NAT64, 6to4 or Teredo), or None."""
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
