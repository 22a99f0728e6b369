"""The policy for connections: which hosts and ports are allowed, checked on the address that is then used."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from public_addresses import refusal
from sources.web.upstream import Upstream

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
DEFAULT_PORTS = (80, 443, 8080, 8443)


class AddressRefusedError(Exception):
    """A connection that the policy does not allow; the message says why."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Resolve a host with the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, kw_only=True)
class AddressPolicy:
    """Decides which connections are allowed.

    Args:
        ports: allowed ports.
        allow: exceptions for tests and intranets: `host`, `host:port`, or an address range such as `10.0.0.0/8`.
        routes: hosts that are served at a fixed address, such as the bundled site.
        resolver: resolves names to addresses.
        upstream: a proxy through which all connections go but those to `routes`.
    """

    ports: tuple[int, ...] = DEFAULT_PORTS
    allow: tuple[str, ...] = ()
    routes: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    resolver: Resolver = resolve
    upstream: Upstream | None = None

    async def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """Return the addresses to connect to, in order. Names are not resolved again, which prevents DNS rebinding.

        Raises:
            Refused: the port is not allowed, or one of the host's addresses is not public.
            OSError: the host has no address.
        """
        host = host.lower().strip("[]").rstrip(".")
        if host in self.routes:
            return [self.routes[host]]
        is_named = host in self.allow or f"{host}:{port}" in self.allow
        if port not in self.ports and not is_named:
            raise AddressRefusedError(f"port {port} is not allowed")
        found = list(dict.fromkeys(await self.resolver(host, port)))
        if not found:
            raise OSError(f"{host} has no address")
        for address in found:  # a single private address is enough: mixing them is suspicious
            why = refusal(address)
            if why and not is_named and not self._in_allowed_range(address):
                raise AddressRefusedError(f"{host} is {address}: {why}")
        return [(address, port) for address in found]

    def way_to(self, host: str) -> Upstream | None:
        """Return the proxy through which a host is reached; None for none."""
        return None if host in self.routes else self.upstream

    def _in_allowed_range(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        return any(address in network for network in networks(self.allow))


def networks(allow: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the entries of `allow` that are address ranges. Raises ValueError."""
    return [ipaddress.ip_network(entry) for entry in allow if "/" in entry]
