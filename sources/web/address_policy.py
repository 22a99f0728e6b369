"""The guard: which hosts and ports may be connected to, decided on the very address that is then used."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sources.web.addresses import refusal

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
DEFAULT_PORTS = (80, 443, 8080, 8443)


class Refused(Exception):
    """The crawler must not connect there; the message says why."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver gives them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What may be connected to.

    Args:
        ports: allowed ports.
        allow: exceptions for tests and intranets: `host`, `host:port`, or an address range such as `10.0.0.0/8`.
        routes: hosts that are served at a fixed address, e.g. the bundled site.
        resolver: names to addresses.
    """

    ports: tuple[int, ...] = DEFAULT_PORTS
    allow: tuple[str, ...] = ()
    routes: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    resolver: Resolver = resolve

    async def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """Addresses to connect to, in order. No name is looked up again afterwards: rebinding has no second chance.

        Raises:
            Refused: the port is not allowed, or one of the host's addresses is not public.
            OSError: the host has no address.
        """
        host = host.lower().strip("[]").rstrip(".")
        if host in self.routes:
            return [self.routes[host]]
        is_named = host in self.allow or f"{host}:{port}" in self.allow
        if port not in self.ports and not is_named:
            raise Refused(f"port {port} is not allowed")
        found = list(dict.fromkeys(await self.resolver(host, port)))
        if not found:
            raise OSError(f"{host} has no address")
        for address in found:  # one private address is enough: a host that mixes them is up to something
            why = refusal(address)
            if why and not is_named and not self._in_allowed_range(address):
                raise Refused(f"{host} is {address}: {why}")
        return [(address, port) for address in found]

    def _in_allowed_range(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        return any(address in network for network in networks(self.allow))


def networks(allow: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The entries of `allow` that are address ranges. Raises ValueError."""
    return [ipaddress.ip_network(entry) for entry in allow if "/" in entry]
