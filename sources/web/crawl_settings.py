"""What a crawl is made of: its user agent, what hosts are sent, its limits, and the key of its captures."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sources.base.secrets import read_secrets
from sources.web.samples import RENDER
from sources.web.settings import WebSettings

if TYPE_CHECKING:
    from sources.web.client import Client
    from sources.web.crawl import CrawlSettings
    from sources.web.upstream import Upstream

CAPTURE_VERSION = 10  # increase it when a visit captures something else
NAME, VERSION = "vellum", "0.1"


def agent_of(settings: WebSettings) -> str:
    """Return the user agent with the contact address."""
    if settings.user_agent:
        return f"{settings.user_agent} (+{settings.contact})" if settings.contact else settings.user_agent
    contact = f"; +{settings.contact}" if settings.contact else ""
    return f"Mozilla/5.0 (compatible; Vellum/{VERSION}{contact})"


def robot_name(settings: WebSettings) -> str:
    """Return the name under which robots.txt and opt-outs address the crawler."""
    product = re.match(r"[A-Za-z_-]+", settings.user_agent)
    return NAME if product is None or product[0].lower() == "mozilla" else product[0]


def client_of(settings: WebSettings) -> "Client":
    """Return what hosts are sent, from the files and the environment. Raises ValueError."""
    from sources.web.client import COOKIES, HEADERS, Client, parse_cookies, parse_headers, read_style

    cookies = read_secrets(settings.cookies, COOKIES)
    parse_cookies(cookies)
    headers = parse_headers(read_secrets(settings.headers, HEADERS))
    return Client(headers=headers, cookies=cookies, style=read_style(settings.style))


def upstream_of(settings: WebSettings) -> "Upstream | None":
    """Return the proxy that is named in the settings, a file or the environment. Raises ValueError."""
    from sources.web.upstream import PROXY, parse_upstream

    named = read_secrets(settings.proxy, PROXY)
    if len(named) > 1:
        raise ValueError(f"proxy names {len(named)} proxies; expected one")
    return parse_upstream(named[0].strip() if named else "")


def capture_key(settings: WebSettings) -> str:
    """Return the name of the folder of captures, a digest of the settings on which captures depend."""
    from sources.web.client import secret_digest
    from sources.web.code.page_code import CODE_VERSION, MAX_TOKENS

    code = [CODE_VERSION, MAX_TOKENS, settings.code_picture == RENDER] if settings.code else None
    visit = settings.by_name()
    lossless, html = visit.pop("lossless_captures"), (visit.pop("keep_html"), visit.pop("max_html_mb"))
    parts = [CAPTURE_VERSION, lossless, code, settings.locale, settings.timezone, *visit.values()]
    parts += [settings.response_mb, settings.page_mb]
    client = client_of(settings)
    shown = (*(": ".join(header) for header in client.headers), *client.cookies)
    parts += [settings.user_agent, client.style, secret_digest(shown) if shown else ""]
    parts += html if settings.keep_html else ()
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def crawl_settings(settings: WebSettings, routes: Mapping[str, tuple[str, int]], delay_s: float) -> "CrawlSettings":
    """Return the settings of a site's crawl.

    Args:
        routes: address and port by host, for hosts that we serve ourselves.
        delay_s: seconds between two visits to a host.
    """
    from sources.browser.browser import BrowserSettings
    from sources.web.address_policy import AddressPolicy
    from sources.web.crawl import CrawlSettings
    from sources.web.politeness import Patience
    from sources.web.proxy import TrafficLimits

    return CrawlSettings(
        views=settings.views,
        bounds=settings.bounds(),
        name=robot_name(settings),
        agent=agent_of(settings),
        policy=AddressPolicy(ports=settings.ports, allow=settings.allow, routes=routes, upstream=upstream_of(settings)),
        limits=TrafficLimits(response_mb=settings.response_mb, page_mb=settings.page_mb),
        browser=BrowserSettings(program=settings.browser, locale=settings.locale, timezone=settings.timezone),
        visit=settings.visit_settings(),
        delay_s=delay_s,
        per_host=settings.per_host if delay_s else settings.at_once,
        at_once=settings.at_once,
        patience=Patience(settings.retry_waits_s, settings.retry_most_s),
        code=settings.code,
        keeps_render=settings.code_picture == RENDER,
        client=client_of(settings),
    )
