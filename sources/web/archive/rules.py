"""The rules of hosts in an archive: robots.txt and reservations as far as they were archived. Nothing is asked."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from sources.web.archive.index import ArchiveIndex, Stored, TooLongError
from sources.web.archive.replay import message_of
from sources.web.archive.streams import RecordError
from sources.web.politeness import TDMREP, Answer
from sources.web.robots import MAX_ROBOTS_BYTES, Robots
from sources.web.urls import host_of

MAX_STORED_BYTES = 8_000_000
LATEST = 1 << 40  # seconds since 1970
NOT_STORED = "robots.txt not in the archive"


class ArchiveRules:
    """Answers what `Politeness` answers, from an archive: there are no delays, and what is missing forbids nothing."""

    def __init__(self, archive: ArchiveIndex, name: str):
        self._archive, self._name = archive, name
        self._hosts: dict[str, asyncio.Task[tuple[Robots, str]]] = {}

    async def refusal(self, url: str) -> tuple[tuple[str, str] | None, str]:
        """Return (cause and message if a URL must not be visited, else None; what was checked)."""
        robots, permission = await self._host(url)
        reserved = robots.opt_out(url, self._name)
        if reserved is not None:
            return ("opted_out", reserved), permission
        why = robots.refusal(url, self._name)
        return None if why is None else ("robots", why), permission

    @contextlib.asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait for nothing."""
        yield

    async def postpone(self, url: str, seconds: float) -> None:
        """Wait for nothing."""

    async def sitemaps(self, url: str) -> list[str]:
        """Return no sitemaps: the archive itself is the list of pages."""
        return []

    async def get(self, url: str, max_bytes: int, method: str = "GET") -> Answer:
        """Return what is stored of a URL."""
        try:
            stored = await asyncio.to_thread(self._archive.read, url, LATEST, MAX_STORED_BYTES)
        except (RecordError, TooLongError) as error:
            return Answer(None, cause="unreachable", why=str(error) or "it is too long")
        if stored is None:
            return Answer(404)
        kind = stored.head.header("content-type").partition(";")[0].strip().lower()
        return Answer(stored.status, _content(stored)[:max_bytes], kind=kind)

    async def _host(self, url: str) -> tuple[Robots, str]:
        name = f"{urlsplit(url).scheme}://{host_of(url)}"
        if name not in self._hosts:
            self._hosts[name] = asyncio.create_task(self._meet(name))
        return await asyncio.shield(self._hosts[name])

    async def _meet(self, name: str) -> tuple[Robots, str]:
        answer = await self.get(f"{name}/robots.txt", MAX_ROBOTS_BYTES)
        reservations = await self.get(f"{name}{TDMREP}", MAX_ROBOTS_BYTES)
        robots = Robots.of_answer(answer.status, answer.body, reservations.body)
        return robots, NOT_STORED if answer.status == 404 else robots.permission()


def _content(stored: Stored) -> bytes:
    """Return the body without its codings, as far as they can be taken off."""
    body = message_of(stored)[1]
    if body.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_STORED_BYTES)
    return body
