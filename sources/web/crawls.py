"""Crawls of several sites in one browser."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from sources.base.remote import BudgetUse, Fetched
from sources.browser.browser import Browser
from sources.web.crawl import Crawl, CrawlSettings
from sources.web.plan import Seeds
from sources.web.shared_browser import SharedBrowser

SITES_AT_ONCE = 8  # of one browser: most of them wait until a host may be visited again


def browser_for(settings: CrawlSettings, browser: Browser | None = None) -> SharedBrowser:
    """Return a browser for crawls with these settings: a new one, or one that is open and stays open."""
    own = dataclasses.replace(settings.browser, user_agent=settings.agent)
    return SharedBrowser(browser or own, settings.policy, settings.limits, code=settings.code, at_once=settings.at_once)


async def run_crawls(crawls: Sequence[Crawl], *, retry_failed: bool = False) -> list[BudgetUse]:
    """Crawl several sites, some of them at the same time; return what became of their budgets.

    Raises:
        BrowserDied: the browser cannot be started.
    """
    free = asyncio.Semaphore(SITES_AT_ONCE)

    async def run(crawl: Crawl) -> BudgetUse:
        async with free:
            return await crawl.run(retry_failed=retry_failed)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(crawl)) for crawl in crawls]
    return [task.result() for task in tasks]


async def crawl_site(
    seeds: Seeds,
    settings: CrawlSettings,
    folder: Path,
    scratch: Path,
    save: Callable[[Path], None],
    beat: Callable[[Fetched], None] = lambda _: None,
) -> None:
    """Crawl one site in a browser of its own; the arguments are the same as of Crawl. Raises BrowserDied."""
    async with browser_for(settings) as shared:
        await Crawl(seeds, settings, folder, scratch, save, beat, shared).run()
