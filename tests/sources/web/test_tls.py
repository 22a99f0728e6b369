"""Pages over https: valid ones pass through the tunnel; bad certificates and private addresses are rejected."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sources.browser.browser import Browser
from sources.browser.viewports import VIEWS
from sources.web.address_policy import AddressPolicy
from sources.web.capture import Capture
from sources.web.page_pool import PagePool
from sources.web.visit import Visit
from sources.web.visit_result import VisitError
from tests.sources.web.authority import Authority, by_host, trust
from tests.sources.web.crawling import crawl_urls, settings_for, text_of
from tests.sources.web.hostile_site import Handler, Site, html, redirect, serving

pytestmark = [
    pytest.mark.skipif(shutil.which("certutil") is None, reason="needs certutil (libnss3-tools)"),
    pytest.mark.slow,
]

DOMAIN = "example.com"
BAD = {  # hosts, and the errors of Python and Chromium for their certificates
    "stranger": ("unable to get local issuer certificate", "ERR_CERT_AUTHORITY_INVALID"),
    "expired": ("certificate has expired", "ERR_CERT_DATE_INVALID"),
    "future": ("certificate is not yet valid", "ERR_CERT_DATE_INVALID"),
    "wrong": ("Hostname mismatch", "ERR_CERT_COMMON_NAME_INVALID"),
}


def _picture(handler: Handler) -> None:
    handler.answer("<svg xmlns='http://www.w3.org/2000/svg'/>", kind="image/svg+xml")


PAGES = {
    "/": html("<h1>Through a tunnel</h1><img src='/picture.svg' width=40 height=40>"),
    "/picture.svg": _picture,
    "/to-inside": redirect(f"https://inside.{DOMAIN}/"),
    "/to-stranger": redirect(f"https://stranger.{DOMAIN}/"),
    "/reaches-inside": html(
        f"<h1>Reaches inside</h1><img src='https://image.{DOMAIN}/'>"
        f"<iframe src='https://frame.{DOMAIN}/' width=99 height=99></iframe>"
        f"<script>fetch('https://fetch.{DOMAIN}/').catch(() => 0); new WebSocket('wss://169.254.169.254/');</script>"
    ),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str | None) -> Iterator[Site]:
    """Hosts with certificates of all kinds; browser and Python trust one authority."""
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority.named("Tests"), Authority.named("Stranger")
    authority.write(folder / "authority.pem")
    contexts = {
        "good": authority.context(folder, f"good.{DOMAIN}"),
        "rebind": authority.context(folder, f"rebind.{DOMAIN}"),
        "stranger": stranger.context(folder, f"stranger.{DOMAIN}"),
        "expired": authority.context(folder, f"expired.{DOMAIN}", begun=timedelta(days=9)),
        "future": authority.context(folder, f"future.{DOMAIN}", begun=timedelta(days=-9)),
        "wrong": authority.context(folder, f"another.{DOMAIN}"),
    }
    trust(folder / "authority.pem", folder)
    front = by_host({f"{name}.{DOMAIN}": context for name, context in contexts.items()})
    with pytest.MonkeyPatch.context() as patch, serving(PAGES, front) as running:
        patch.setenv("HOME", str(folder))  # where Chromium's store of certificates is
        patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        yield running


def _guard(site: Site, asked: list[str] | None = None) -> AddressPolicy:
    """Return a policy that routes the site's hosts to it (one only at first); others are private, and noted."""
    answers = iter(["127.0.0.1"])

    async def resolver(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        if host[0].isdigit():
            return [host]
        return [next(answers, "10.0.0.7") if host.startswith("rebind") else "10.0.0.7"]

    hosts = [f"{name}.{DOMAIN}" for name in ("good", *BAD)]
    return AddressPolicy(
        routes=dict.fromkeys(hosts, ("127.0.0.1", site.server_port)),
        resolver=resolver,
        ports=(443, site.server_port),
        allow=("127.0.0.1/32",),
    )


@pytest.fixture(scope="module")
def captures(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    """Captures by host (without the domain) and path."""
    urls = [f"https://{name}.{DOMAIN}/" for name in ("good", *BAD, "inside")]
    urls += [f"https://good.{DOMAIN}{path}" for path in ("/to-inside", "/to-stranger", "/reaches-inside")]
    urls += ["https://10.0.0.1/", f"https://rebind.{DOMAIN}:{site.server_port}/"]
    settings = settings_for(site, policy=_guard(site))
    found = crawl_urls(settings, tmp_path_factory.mktemp("captures"), urls, site=DOMAIN)
    return {capture.url.removeprefix("https://").replace(f".{DOMAIN}/", "/"): capture for capture in found}


def test_a_page_and_its_picture_come_through_the_tunnel(captures: dict[str, Capture], site: Site) -> None:
    assert text_of(captures["good/"]).strip() == "Through a tunnel"
    assert (captures["good/"].status, captures["good/"].permission) == (200, "robots.txt 404")
    assert "/picture.svg" in site.requests


@pytest.mark.parametrize("name", BAD)
def test_a_bad_certificate_is_seen_before_anything_is_asked_for(captures: dict[str, Capture], name: str) -> None:
    found = captures[f"{name}/"]
    assert (found.cause, found.permission) == ("bad_certificate", "robots.txt unanswered")
    assert BAD[name][0] in found.message


@pytest.mark.parametrize(
    ("page", "cause", "why"),
    [
        ("inside/", "address_refused", "10.0.0.7: private"),
        ("10.0.0.1/", "address_refused", "10.0.0.1: private"),
        ("good/to-inside", "address_refused", "10.0.0.7: private"),
        ("good/to-stranger", "bad_certificate", "unable to get local issuer certificate"),
    ],
)
def test_what_must_not_be_visited_is_not(captures: dict[str, Capture], page: str, cause: str, why: str) -> None:
    assert captures[page].cause == cause
    assert why in captures[page].message


def test_a_host_that_changes_its_address_is_checked_again(captures: dict[str, Capture]) -> None:
    """After its robots.txt was fetched, the name leads to a private address."""
    (found,) = [capture for page, capture in captures.items() if page.startswith("rebind")]
    assert (found.cause, found.permission) == ("address_refused", "robots.txt 404")
    assert "10.0.0.7: private" in found.message


def _visits(
    site: Site, *urls: str, asked: list[str] | None = None
) -> list[tuple[list[str], dict[str, str]] | VisitError]:
    """Return the words of pages and the rejected connections. Every URL is permitted, without robots.txt."""

    async def permit(target: str) -> None:
        return None

    async def run() -> list[tuple[list[str], dict[str, str]] | VisitError]:
        settings = settings_for(site, policy=_guard(site, asked))
        found: list[tuple[list[str], dict[str, str]] | VisitError] = []
        async with (
            Browser(settings.browser) as browser,
            PagePool(browser, settings.policy, settings.limits) as pool,
        ):
            for url in urls:
                try:
                    async with pool.page(VIEWS["square"]) as pooled_page:
                        seen = (await Visit(pooled_page, settings.visit, permit, "vellum", url).run()).content
                        assert seen is not None
                        found.append((list(seen.texts), dict(pooled_page.proxy_session.refused)))
                except VisitError as failure:
                    found.append(failure)
        return found

    return asyncio.run(run())


def test_what_a_page_loads_from_inside_is_rejected(site: Site) -> None:
    ((words, refused),) = _visits(site, f"https://good.{DOMAIN}/reaches-inside")
    assert words[:2] == ["Reaches", "inside"]
    assert set(refused) == {f"{name}.{DOMAIN}:443" for name in ("image", "frame", "fetch")} | {"169.254.169.254:443"}


def test_the_browser_refuses_bad_certificates_too(site: Site) -> None:
    """A host may have a good certificate for robots.txt and another one later. No other host is looked up."""
    asked: list[str] = []
    failures = _visits(site, *(f"https://{name}.{DOMAIN}/" for name in BAD), asked=asked)
    for name, failure in zip(BAD, failures, strict=True):
        assert isinstance(failure, VisitError), name
        assert failure.cause == "bad_certificate"
        assert BAD[name][1] in failure.message
    assert asked == []


def test_an_authority_that_nobody_trusts_is_rejected(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The good page is valid only because its authority was added to both stores."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (failure,) = _visits(site, f"https://good.{DOMAIN}/")
    assert isinstance(failure, VisitError)
    assert "ERR_CERT_AUTHORITY_INVALID" in failure.message
