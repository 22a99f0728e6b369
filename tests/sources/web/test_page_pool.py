"""The page pool: a reused window keeps nothing of the previous page, and has no more access than a new one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest

from sources.browser.browser import Browser
from sources.browser.viewports import VIEWS
from sources.web.address_policy import AddressPolicy
from sources.web.client import Client
from sources.web.crawl import CrawlSettings
from sources.web.page_pool import PagePool, PooledPage
from sources.web.visit import Visit
from sources.web.visit_result import VisitError
from tests.sources.web.crawling import HOST, ROOT, settings_for
from tests.sources.web.hostile_site import Site, html, redirect, serving

pytestmark = [pytest.mark.usefixtures("chromium"), pytest.mark.slow]
T = TypeVar("T")
LEAVES = html(
    "<h1>Leaves traces</h1><script>document.cookie = 'a=1; max-age=1000'; localStorage.a = sessionStorage.a = 1;"
    "name = 'named'; indexedDB.open('a'); onpagehide = () => { sessionStorage.b = 1; };</script>"
)
LOOKS = html(
    "<h1>Looks</h1><p id=out></p><script>indexedDB.databases().then((found) => { out.textContent = "
    "`found:${document.cookie}|${localStorage.length}|${sessionStorage.length}|${name}|${history.length}|${found.length}`"
    "; });</script>"
)


def with_seats(settings: CrawlSettings, work: Callable[[PagePool], Awaitable[T]]) -> T:
    async def run() -> T:
        async with (
            Browser(settings.browser) as browser,
            PagePool(browser, settings.policy, settings.limits) as pool,
        ):
            return await work(pool)

    return asyncio.run(run())


async def visit(pooled_page: PooledPage, settings: CrawlSettings, url: str) -> list[str]:
    async def permit(target: str) -> None:
        return None

    seen = (await Visit(pooled_page, settings.visit, permit, "vellum", url).run()).content
    assert seen is not None
    return list(seen.texts)


def test_pages_of_a_site_share_a_window_and_no_traces() -> None:
    with serving({"/leaves": LEAVES, "/looks": LOOKS}) as site:
        settings = settings_for(site)

        async def work(pool: PagePool) -> tuple[list[str], list[str], bool]:
            async with pool.page(VIEWS["square"]) as first:
                await visit(first, settings, f"{ROOT}/leaves")
            async with pool.page(VIEWS["square"]) as second:
                found = await visit(second, settings, f"{ROOT}/looks")
                async with pool.page(VIEWS["square"]) as fresh:
                    expected = await visit(fresh, settings, f"{ROOT}/looks")
            return found, expected, second is first

        found, expected, is_same = with_seats(settings, work)
    assert is_same
    assert found == expected == ["Looks", "found:|0|0||2|0"]


def test_a_window_never_changes_its_site() -> None:
    with serving({}) as site:
        settings = settings_for(site)
        view, first, second = VIEWS["square"], Client(site="first.test"), Client(site="second.test")

        async def work(pool: PagePool) -> tuple[bool, bool, bool]:
            async with pool.page(view, first) as of_first:
                pass
            async with pool.page(view, second) as of_second:
                pass
            async with pool.page(view, first) as again:
                pass
            await pool.leave(lambda window: window.client == first)
            async with pool.page(view, first) as later:
                return of_second.page.context is of_first.page.context, again is of_first, later is of_first

        assert with_seats(settings, work) == (False, True, False)


def test_a_window_is_given_up_after_a_failure() -> None:
    with serving({"/good": html("<h1>Good</h1>")}) as site:
        settings = settings_for(site)

        async def work(pool: PagePool) -> bool:
            with pytest.raises(VisitError, match="404"):
                async with pool.page(VIEWS["square"]) as first:
                    await visit(first, settings, f"{ROOT}/missing")
            async with pool.page(VIEWS["square"]) as second:
                assert await visit(second, settings, f"{ROOT}/good") == ["Good"]
            return second is first

        assert not with_seats(settings, work)


def _guard(site: Site) -> AddressPolicy:
    """Return a policy in which the site's host is on loopback, and every other name has a private address."""

    async def resolver(host: str, port: int) -> Sequence[str]:
        return [host if host[0].isdigit() else "10.0.0.7"]

    return AddressPolicy(routes={HOST: ("127.0.0.1", site.server_port)}, resolver=resolver)


def test_what_a_page_loads_from_inside_is_rejected() -> None:
    inside = (
        "<img src='http://169.254.169.254/image.png'><img src='http://image.test/'>"
        "<iframe src='http://frame.test/' width=200 height=100></iframe><link rel=stylesheet href='http://style.test/'>"
        "<script>fetch('http://fetch.test/', {mode: 'no-cors'}).catch(() => 0); new WebSocket('ws://socket.test/')"
        "</script>"
    )
    with serving({"/": html("<h1>Reaches inside</h1>" + inside)}) as site:
        settings = settings_for(site, policy=_guard(site))

        async def work(pool: PagePool) -> dict[str, str]:
            async with pool.page(VIEWS["square"]) as pooled_page:
                assert "Reaches" in await visit(pooled_page, settings, f"{ROOT}/")
                return dict(pooled_page.proxy_session.refused)

        names = {f"{name}.test:80" for name in ("image", "frame", "style", "fetch", "socket")}
        assert set(with_seats(settings, work)) == names | {"169.254.169.254:80"}


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://inside.test/"])
def test_a_redirect_inside_is_rejected_by_its_address(target: str) -> None:
    """Every URL is permitted, as if the other host belonged to the same site."""
    with serving({"/": redirect(target)}) as site:
        settings = settings_for(site, policy=_guard(site))

        async def work(pool: PagePool) -> str:
            with pytest.raises(VisitError) as failed:
                async with pool.page(VIEWS["square"]) as pooled_page:
                    await visit(pooled_page, settings, f"{ROOT}/")
            return failed.value.cause

        assert with_seats(settings, work) == "address_refused"
