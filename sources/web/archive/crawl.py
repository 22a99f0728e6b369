"""The crawl of an archive: its pages are shown as they were, and what is not in it is not asked for anywhere."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

from sources.base.remote import BudgetUse
from sources.web.archive.files import Archive
from sources.web.archive.index import ArchiveIndex, Failure, Stored, TooLongError, moment_of
from sources.web.archive.replay import Replay
from sources.web.archive.rules import ArchiveRules
from sources.web.archive.streams import RecordError
from sources.web.capture import Capture
from sources.web.client import Client
from sources.web.crawl import Crawl
from sources.web.page_pool import PooledPage
from sources.web.plan import RECORD, SITEMAP
from sources.web.urls import site_of

BAD_ARCHIVE, BAD_RECORD, NOT_ARCHIVED = "bad_archive", "bad_record", "not_archived"


class ArchiveCrawl(Crawl):
    """Captures the pages of an archive that are not captured yet; it takes the arguments of Crawl.

    Hosts are sent nothing, so that headers and cookies of the settings are not used. The index is made when it is first
    needed, and lasts as long as the crawl.
    """

    def __init__(self, archive: Archive, *args: Any):
        super().__init__(*args)
        self._of = archive
        self._client = Client(style=self._client.style)
        self._opened: ArchiveIndex | None = None
        self._indexing = asyncio.Lock()

    async def run(self, *, retry_failed: bool = False) -> BudgetUse:
        """Crawl to the end of the plan; return what became of its budget. Raises BrowserDied."""
        try:
            return await super().run(retry_failed=retry_failed)
        finally:
            if self._opened is not None:
                self._opened.close()

    async def _index(self) -> ArchiveIndex:
        async with self._indexing:
            if self._opened is None:
                self._opened = await asyncio.to_thread(ArchiveIndex, self._of, self._scratch)
                self._polite = ArchiveRules(self._opened, self._settings.name)
                self._archive = Replay(self._opened)
            return self._opened

    async def _sitemap(self, url: str) -> Capture:
        """List the pages; records that cannot be read become captures of their own."""
        index = await self._index()
        links = list(index.pages())
        found = Capture(url=url, view=SITEMAP, fetched_at="", final_url=url, links=links)
        failures: Sequence[Failure] = index.failures
        if not links:
            why = f"{failures[0].place}: {failures[0].why}" if failures else "it holds no HTML page"
            found = dataclasses.replace(found, final_url="", cause=BAD_ARCHIVE, message=why)
            failures = failures[1:]
        for each in failures:
            self._failures[BAD_RECORD] += 1
            self._writer.add(self._failed(each.place, RECORD, BAD_RECORD, f"{each.place}: {each.why}"))
        return found

    async def _page(self, url: str, view: str) -> Capture:
        index = await self._index()
        try:
            stored = await asyncio.to_thread(self._stored, index, url)
        except RecordError as error:
            return self._failed(url, view, BAD_RECORD, f"its record cannot be read: {error}")
        except TooLongError:
            return self._failed(url, view, "too_large", "the page is larger than the limits allow")
        if stored is None:
            return self._failed(url, view, NOT_ARCHIVED, "the archive lists it and has no response of it")
        moment = moment_of(stored.date)
        if stored.truncated:
            found = self._failed(url, view, "incomplete", f"only a part is archived ({stored.truncated[:40]})")
        else:
            self._moments[url] = moment
            found = await super()._page(url, view)
        return dataclasses.replace(
            found, fetched_at=stored.date if moment else "", archive=f"{stored.file};record={stored.record}"
        )

    def _stored(self, index: ArchiveIndex, url: str) -> Stored | None:
        moment = index.moment(url)
        return None if moment is None else index.read(url, moment, round(self._settings.limits.response_mb * 1e6))

    def _failed(self, url: str, view: str, cause: str, message: str) -> Capture:
        return Capture(url=url, view=view, fetched_at="", cause=cause, message=message)

    def _client_for(self, url: str) -> Client:
        return dataclasses.replace(self._client, site=site_of(url))

    def _site_of(self, url: str) -> str:
        return site_of(url)

    def _owns(self, window: PooledPage) -> bool:
        return self._archive is not None and window.proxy_session.archive is self._archive
