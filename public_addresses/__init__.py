"""Tells public internet addresses from all others, for programs that connect to hosts which strangers name.

The list is our own, because `ipaddress.is_global` differs between releases of Python. Sources: IANA's special-purpose
address registries for IPv4 and IPv6 (RFC 6890) and IPv6 global unicast allocations (RFC 4291), read in 2026, and the
documentation of the clouds for the addresses at which a machine reads its own credentials. Blocks of the registries
are refused even where IANA calls them globally reachable (relays, AS112): no page or image is there.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# Hosts that serve a machine's credentials or certificates and are outside of the blocks below. AWS, Google,
# Oracle, Alibaba and others have theirs inside: 169.254.0.0/16, 192.0.0.0/24, 100.64.0.0/10, fc00::/7.
CLOUD_SERVICES = frozenset({ip_address("168.63.129.16")})  # Azure
SPECIAL: dict[IPv4Network | IPv6Network, str] = {
    ip_network(block): reason
    for block, reason in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by a provider's customers",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "special-purpose",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "special-purpose",
        "192.52.193.0/24": "special-purpose",
        "192.88.99.0/24": "special-purpose",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "special-purpose",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
        "::/128": "unspecified",
        "::1/128": "loopback",
        "2001::/23": "special-purpose",  # with Teredo, 2001::/32
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "special-purpose",
        "3fff::/20": "documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }.items()
}
GLOBAL_UNICAST = IPv6Network("2000::/3")
EMBEDS_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # mapped, and translated by NAT64


def refusal(text: str) -> str | None:
    """Return the reason why an address is not a public host, or None if it is one.

    Args:
        text: an IPv4 or IPv6 address; one with a zone (`%eth0`) is link-local.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "no address"
    if "%" in text:
        return "link-local"
    if isinstance(address, IPv6Address) and any(address in block for block in EMBEDS_IPV4):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
        why = _refusal(inner)
        return f"{why} ({inner} inside an IPv6 address)" if why else None
    return _refusal(address)


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    if address in CLOUD_SERVICES:
        return "cloud service"
    for block, reason in SPECIAL.items():
        if address in block:
            return reason
    return "not global unicast" if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST else None
