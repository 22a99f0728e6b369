"""What real sites do that must cost one page at most: busy hosts, flawed heads, huge files, odd words and links."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sources.base.source import ItemError
from sources.web.address_policy import AddressPolicy
from sources.web.politeness import Patience, get
from sources.web.robots import MAX_ROBOTS_BYTES
from sources.web.seeds import read_seeds
from sources.web.source import Web
from tests.sources.web.crawling import HOST, ROOT, crawl, settings_for
from tests.sources.web.hostile_site import PARAGRAPH, Handler, html, serving

P = f"<p>{PARAGRAPH}</p>"
XML = "application/xml"


def xml(text: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(text, kind=XML)


def raw(head: str, body: str = "") -> Callable[[Handler], None]:
    """Return a page that answers with these bytes, and closes the connection."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(head.encode() + body.encode())
        handler.close_connection = True

    return answer


def busy(times: int, page: str, **headers: str) -> Callable[[Handler], None]:
    """Return a page that answers 429 or 503 some times before it comes."""
    left = [times]

    def answer(handler: Handler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            handler.answer("", status=429 if left[0] % 2 else 503, **headers)
        else:
            handler.answer(page)

    return answer


@pytest.mark.slow
def test_pages_of_odd_hosts_come(tmp_path: Path) -> None:
    """One crawl of pages that each failed, or took others with them, for a reason of its own."""
    surrogates = html(f"<h1>Odd</h1>{P}<button id=b></button>", "<meta name=description content='x'>")
    surrogates += (
        "<script>const s = String.fromCharCode(0xd83d); document.title = s + ' title'; b.title = s; b.textContent = s;"
        "document.querySelector('h1').textContent = 'Odd ' + s; document.querySelector('meta').content = s;"
        "history.replaceState(null, '', '/surrogates?' + s);</script>"
    )
    head = "HTTP/1.1 200 OK\nContent-Type: text/html\nX-Folded: one\n  two\nno colon here\n\n"
    pages: dict[str, Any] = {
        "/surrogates": surrogates,
        "/busy": busy(2, html(f"<h1>Busy</h1>{P}")),
        "/busy-for-a-second": busy(1, html(f"<h1>Soon</h1>{P}"), Retry_After="1"),
        "/busy-for-an-hour": busy(1, html(f"<h1>Later</h1>{P}"), Retry_After="3600"),
        "/always-busy": busy(99, ""),
        "/lines": raw(head, html(f"<h1>Lines</h1>{P}")),
        "/challenge": lambda h: h.answer("", status=401, WWW_Authenticate='Basic realm="x"'),
        "/other-port": html(f"<h1>Ports</h1>{P}<img src='http://{HOST}:9/x.png'><script>new WebSocket('ws://{HOST}:9/')</script>"),
        "/reserved": lambda h: h.answer(html(P), Tdm_Reservation="1"),
        "/reserved-meta": html(P, "<meta name='TDM-Reservation' content=1>"),
        "/signal": lambda h: h.answer(html(P), Content_Signal="search=yes, ai-train=no"),
        "/usage": lambda h: h.answer(html(P), Content_Usage="train-ai=n"),
        "/good": html(f"<h1>Good</h1>{P}"),
    }  # fmt: skip
    with serving(pages) as site:
        found = {c.url.removeprefix(ROOT): c for c in crawl(settings_for(site), tmp_path, list(pages))}
    causes = {path: capture.cause for path, capture in found.items()}
    assert causes == {
        **dict.fromkeys(pages, ""),
        "/busy-for-an-hour": "http_error",
        "/always-busy": "http_error",
        "/challenge": "http_error",
        **dict.fromkeys(("/reserved", "/reserved-meta", "/signal", "/usage"), "opted_out"),
    }
    odd = found["/surrogates"].content
    assert odd is not None
    assert (odd.title, odd.description) == ("\ufffd title", "\ufffd")
    assert (found["/challenge"].status, found["/busy-for-an-hour"].status) == (401, 503)


@pytest.mark.slow
def test_links_are_followed_by_type_and_not_by_name(tmp_path: Path) -> None:
    links = "".join(
        f"<a href='{path}'>x</a>" for path in ("/wiki/Node.js", "/a.pdf", "/b.zip", "/no-head.pdf", "/last")
    )
    pages: dict[str, Any] = {
        "/": html(f"<h1>Links</h1>{P}{links}"),
        "/wiki/Node.js": html(f"<h1>Node.js</h1>{P}<a href='/deep'>x</a>"),
        "/no-head.pdf": raw("HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n", "%PDF"),
        "/a.pdf": lambda h: h.answer("%PDF", kind="application/pdf"),
        "/b.zip": lambda h: h.answer("PK", kind="application/zip"),
        "/last": html(f"<h1>Last</h1>{P}"),
        "/deep": html(f"<h1>Deep</h1>{P}"),
        "/seed.pdf": lambda h: h.answer("%PDF", kind="application/pdf"),
    }
    with serving(pages) as site:
        found = crawl(settings_for(site, depth=2), tmp_path, ["/", "/seed.pdf"], budget=8)
    assert [(c.url.removeprefix(ROOT), c.cause) for c in found] == [
        ("/", ""), ("/seed.pdf", "not_html"), ("/wiki/Node.js", ""), ("/last", ""), ("/deep", ""),
    ]  # fmt: skip


@pytest.mark.slow
def test_lists_survive_their_flaws(tmp_path: Path) -> None:
    """Children that are missing or broken cost themselves; robots.txt names sitemaps of a site too."""
    nested = "".join(f"<sitemap><loc>{ROOT}/{name}.xml</loc></sitemap>" for name in ("gone", "broken", "fine"))
    pages: dict[str, Any] = {
        "/robots.txt": lambda h: h.answer(f"User-agent: *\nAllow: /\nSitemap: {ROOT}/feed\n", kind="text/plain"),
        "/map.xml": xml(f"<sitemapindex>{nested}</sitemapindex>"),
        "/broken.xml": xml("<urlset><url>"),
        "/fine.xml": xml(f"<urlset><url><loc>{ROOT}/a</loc></url></urlset>"),
        "/feed": xml(f"<rss><channel><item><link>{ROOT}/b</link></item></channel></rss>"),
        "/a": html(f"<h1>A</h1>{P}"),
        "/b": html(f"<h1>B</h1>{P}"),
    }
    with serving(pages) as site:
        seeds_only = crawl(settings_for(site), tmp_path / "0", [], sitemaps=["/map.xml"])
        deeper = crawl(settings_for(site, depth=1), tmp_path / "1", ["/a"])
    assert [(c.url.removeprefix(ROOT), c.cause) for c in seeds_only] == [("/a", "")]
    assert [(c.url.removeprefix(ROOT), c.cause) for c in deeper] == [("/a", ""), ("/b", "")]


def test_of_a_huge_robots_txt_the_beginning_counts() -> None:
    def huge(handler: Handler) -> None:
        handler.begin("text/plain")
        handler.wfile.write(b"User-agent: *\nDisallow: /secret\n")
        for _ in range(1600):
            handler.wfile.write(b"# " + b"x" * 65_000 + b"\n")

    with serving({"/robots.txt": huge}) as site:
        policy = AddressPolicy(routes={HOST: ("127.0.0.1", site.server_port)})
        answers = [asyncio.run(get(f"{ROOT}/robots.txt", policy, "vellum", MAX_ROBOTS_BYTES)) for _ in range(5)]
    assert {(answer.status, len(answer.body), answer.cause) for answer in answers} == {(200, MAX_ROBOTS_BYTES, "")}


@pytest.mark.parametrize(
    ("status", "retry_after", "attempt", "expected"),
    [
        (429, "", 0, 2.0),
        (503, "", 1, 8.0),
        (503, "", 2, None),
        (429, "5", 0, 5.0),
        (429, "500", 0, None),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", 0, 0.0),
        (429, "soon", 0, 2.0),
        (429, "\u0665" * 5000, 0, None),
        (500, "5", 0, None),
        (None, "", 0, None),
    ],
)
def test_how_long_a_busy_host_is_waited_for(
    status: int | None, retry_after: str, attempt: int, expected: float | None
) -> None:
    assert Patience().wait_s(status, retry_after, attempt) == expected


def test_lines_that_are_no_urls_are_failed_seeds(tmp_path: Path) -> None:
    """They and the seeds beyond the limit are inputs like others, so a run counts them."""
    listed = tmp_path / "seeds.csv"
    lines = ["url,title", "https://a.example/", "b.example", "# a comment", "https://c.example/" + "x" * 3000]
    listed.write_text("\n".join([*lines, "https://d.example/1", "https://d.example/2", "https://e.example/"]), "utf-8")
    named = read_seeds([str(listed)])
    assert [place.rpartition(" ")[2] for place, _, _ in named.refused] == ["3", "5"]  # the first is a header

    source = Web(input=(str(listed),), max_pages=2, depth=0)
    tasks = list(source.fetch_tasks())
    assert [json.loads(task.content)["site"] for task in tasks] == ["a.example", "d.example", "(seeds)"]
    failures = []
    for task in tasks[1:]:
        path = tmp_path / "captures" / source.path_of(task.uri)
        path.parent.mkdir(parents=True)
        path.write_bytes(task.content)
        with source.open(path) as items:
            for number in range(len(items)):
                with pytest.raises(ItemError) as caught:
                    items[number]
                failures.append((caught.value.cause, caught.value.uri))
    places = [f"{listed}, line {number}" for number in (3, 5)]
    assert failures == [
        ("over_limit", "https://d.example/2"),
        *(("no_url", place) for place in places),
        ("over_limit", "https://e.example/"),
    ]


def test_seeds_without_any_url_are_a_mistake(tmp_path: Path) -> None:
    listed = tmp_path / "seeds.txt"
    listed.write_text("a.example\nb.example\n", "utf-8")
    with pytest.raises(ValueError, match=r"names no URL; .*line 1: expected an http or https URL"):
        read_seeds([str(listed)])
