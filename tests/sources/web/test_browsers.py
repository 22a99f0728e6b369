"""Kinds of Chromium: the headless shell and the whole browser make the same requests, causes, messages and bytes."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sources.browser.browser import BrowserSettings
from sources.web.address_policy import AddressPolicy
from sources.web.capture import Capture, to_rows
from sources.web.page_traffic import MAX_REDIRECTS
from sources.web.visit_settings import VisitSettings
from tests.conftest import KINDS_OF_CHROMIUM, ROOT
from tests.sources.web import crawling
from tests.sources.web.crawling import HOST, OTHER_HOST, crawl, settings_for, text_of
from tests.sources.web.hostile_site import PARAGRAPH, Handler, html, redirect, serving

pytestmark = pytest.mark.slow

TEXT = f"<p>{PARAGRAPH}</p>"
SIZE = "width=300 height=150"
LANGUAGES = {
    "ar": "كان يا ما كان", "bn": "বাংলা ভাষা", "el": "Ελληνικά", "he": "עברית", "hi": "हिन्दी में", "ja": "日本語かな",
    "ko": "한국어", "ru": "Русский", "ta": "தமிழ்", "th": "ภาษาไทย", "zh": "中文字体", "zh-TW": "繁體中文",
}  # fmt: skip
FRAMED = ("/missing", "/denied", f"http://{OTHER_HOST}/denied", f"https://{OTHER_HOST}/", "http://inside.test/",
          "/breaks-off", "/archive")  # fmt: skip
# Properties of the browser that a page can read.
ABOUT = """
const matches = (query) => matchMedia(query).matches;
out.textContent = JSON.stringify([innerWidth, innerHeight, screen.width, screen.availHeight,
screenX, screenY, devicePixelRatio, navigator.plugins.length, navigator.pdfViewerEnabled, navigator.languages,
navigator.userAgent, typeof chrome, matches("(hover: hover)"), matches("(pointer: fine)"),
document.visibilityState, document.hasFocus(), Notification.permission, open("/popped"), confirm("?"), prompt("?")]);
"""


def _file(body: bytes, kind: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(body, kind=kind)


def _fails(status: int, **headers: str) -> Callable[[Handler], None]:
    """An error without a body. The whole browser shows an error page for it."""
    return lambda handler: handler.answer("", status=status, **headers)


def _breaks_off(handler: Handler) -> None:
    handler.close_connection = True


PAGES: dict[str, Any] = {
    "/robots.txt": lambda h: h.answer("User-agent: *\nDisallow: /secret\n", kind="text/plain"),
    "/icons": html(
        f"<h1>Icons</h1>{TEXT}",
        "<link rel=icon href=/icon.png><link rel=apple-touch-icon href=/touch.png><link rel=manifest href=/app.json>",
    ),
    "/opens": html(
        f"<h1>Opens</h1>{TEXT}<a id=link target=_blank href=/popped>x</a>"
        "<form id=form target=_blank action=/popped></form>"
        "<script>for (let k = 0; k < 3; k++) open('/popped'); link.click(); form.submit();</script>"
    ),
    "/resizes": html(f"<h1>Resizes</h1>{TEXT}<script>resizeTo(300, 300); moveTo(50, 50);</script>"),
    "/dialogs": html(f"<h1>Dialogs</h1>{TEXT}<script>for (let k = 0; k < 99; k++) alert(k);</script>"),
    "/about": html(f"<pre id=out style='white-space:pre-wrap'></pre><script>{ABOUT}</script>"),
    "/languages": html("".join(f"<p lang={code}>{text}</p>" for code, text in LANGUAGES.items()) + "<p>😀 ✓ ∑ ⇒ ☃</p>"),
    "/embeds": html(
        f"<h1>Embeds</h1>{TEXT}<iframe src=/paper?1 {SIZE}></iframe><embed src=/paper?2 type=application/pdf {SIZE}>"
        f"<object data=/paper?3 {SIZE}>instead</object><embed src=/x.swf type=application/x-shockwave-flash {SIZE}>"
    ),
    "/frames": html(f"<h1>Frames</h1>{TEXT}" + "".join(f"<iframe src={url} {SIZE}></iframe>" for url in FRAMED)),
    "/denied": lambda h: h.answer(html("denied"), X_Frame_Options="DENY"),
    "/sends-on": html(f"<h1>Sends on</h1>{TEXT}<script>setTimeout(() => {{ location = '/to-secret'; }}, 20)</script>"),
    "/to-secret": redirect("/secret"),
    "/to-404": redirect("/404"),
    "/loop": redirect("/loop"),
    "/breaks-off": _breaks_off,
    "/paper": _file((ROOT / "sources/pdfs/examples/slides.pdf").read_bytes(), "application/pdf"),
    "/archive": _file(b"PK", "application/zip"),
    "/saved": lambda h: h.answer(html(TEXT), Content_Disposition="attachment; filename=x.html"),
    "/401": _fails(401, WWW_Authenticate='Basic realm="x"'),
    **{f"/{status}": _fails(status) for status in (403, 404, 500, 502)},
}
CAUSES = {
    "/sends-on": ("robots", "it redirects to http://site.test/secret: "),
    "/to-secret": ("robots", "it redirects to http://site.test/secret: "),
    "/to-404": ("http_error", "HTTP 404"),
    "/loop": ("redirect_loop", "more than 10 redirects"),
    "/breaks-off": ("unreachable", f"{HOST}:80: "),
    "/paper": ("not_html", "the page is of type application/pdf"),
    "/archive": ("not_html", "the page is of type application/zip"),
    "/saved": ("not_html", "the page is a file to be saved"),
    **{f"/{status}": ("http_error", f"HTTP {status}") for status in (401, 403, 404, 500, 502)},
}
NOT_SEEDS = ("/robots.txt", "/denied")


@dataclass(frozen=True)
class Crawled:
    """The captures of a crawl by their paths, and how often what was asked of the site, and of names inside."""

    captures: dict[str, Capture]
    requests: Counter[str]
    names: Counter[str]


Crawls = Callable[[str], Crawled]


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> Crawls:
    """Crawls the pages with a kind of Chromium, each once."""
    done: dict[str, Crawled] = {}

    def run(program: str) -> Crawled:
        if program not in done:
            done[program] = _crawled(program, tmp_path_factory.mktemp("crawl"))
        return done[program]

    return run


def _crawled(program: str, folder: Path) -> Crawled:
    names: Counter[str] = Counter()

    async def resolver(host: str, port: int) -> Sequence[str]:
        names[f"{host}:{port}"] += 1
        return ["10.0.0.7"]

    with serving(PAGES) as site:
        routes = dict.fromkeys((HOST, OTHER_HOST), ("127.0.0.1", site.server_port))
        settings = settings_for(
            site,
            views=("dark",),  # error pages have a dark form too
            policy=AddressPolicy(routes=routes, resolver=resolver),
            visit=VisitSettings(load_s=20, settle_s=10, page_s=60),  # nothing here is waited for in vain
            browser=BrowserSettings(program=program),
            at_once=2,
            code=True,
        )
        found = crawl(settings, folder, [path for path in PAGES if path not in NOT_SEEDS])
        requests = Counter(site.requests)
    captures = {capture.url.removeprefix(crawling.ROOT): capture for capture in found}
    return Crawled(captures, requests, names)


@pytest.mark.parametrize("program", KINDS_OF_CHROMIUM)
def test_pages_have_their_causes(crawls: Crawls, program: str) -> None:
    found = crawls(program).captures
    assert len(found) == len(PAGES) - len(NOT_SEEDS)
    for page, capture in found.items():
        cause, message = CAUSES.get(page, ("", ""))
        assert capture.cause == cause, (page, capture.message)
        assert message in capture.message


@pytest.mark.parametrize("program", KINDS_OF_CHROMIUM)
def test_nothing_is_asked_for_that_no_page_shows(crawls: Crawls, program: str) -> None:
    """No icon, no pop-up, no second try, and no host of the browser's makers."""
    crawled = crawls(program)
    assert set(crawled.requests) == {*PAGES, "/missing", "/.well-known/tdmrep.json"}
    assert crawled.requests["/loop"] == 1 + MAX_REDIRECTS
    assert crawled.requests["/404"] == 2  # as a seed and after a redirect
    assert crawled.requests["/breaks-off"] == 2  # as a seed and in a frame
    assert {name.partition(":")[0] for name in crawled.names} <= {"inside.test"}


@pytest.mark.parametrize("program", KINDS_OF_CHROMIUM)
def test_pages_show_what_is_theirs(crawls: Crawls, program: str) -> None:
    """No message of the browser's in a frame or for a plugin, and the window as large as its view says."""
    found = crawls(program).captures
    for title in ("Frames", "Embeds", "Resizes"):
        capture = found[f"/{title.lower()}"]
        assert text_of(capture).split() == [title, *PARAGRAPH.split()]
        assert capture.content is not None
        assert (capture.content.screenshot.tops, capture.content.screenshot.width) == ([0, 1024], 1024)


@pytest.mark.skipif(len(KINDS_OF_CHROMIUM) < 2, reason="needs chromium and chromium-headless-shell")
def test_kinds_of_chromium_do_the_same(crawls: Crawls) -> None:
    first, second = map(crawls, KINDS_OF_CHROMIUM)
    assert first.requests == second.requests
    assert first.names == second.names
    for page, capture in first.captures.items():
        ours, others = _facts(capture), _facts(second.captures[page])
        assert {name for name in ours if ours[name] != others[name]} == set(), page


def _facts(capture: Capture) -> dict[str, Any]:
    """All of a capture but when it was made."""
    (row,) = to_rows([capture]).to_pylist()
    del row["fetched_at"], row["digest"]
    seen = row.pop("content") or {}
    return row | {f"seen.{name}": value for name, value in seen.items()}
