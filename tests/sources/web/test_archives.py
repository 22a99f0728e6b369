"""Pages of archives are shown from the archive alone, as they were, and under the rules that hold for all pages."""

import asyncio
import io
import shutil
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sources.base.stores import NO_STORES
from sources.web.archive.crawl import ArchiveCrawl
from sources.web.archive.files import archives_of
from sources.web.capture import Capture
from sources.web.captured_items import captured_items
from sources.web.crawls import browser_for, run_crawls
from sources.web.plan import Seeds
from sources.web.segments import read_captures
from sources.web.source import Web
from tests.sources.web.archives import DATE, HTML, warc
from tests.sources.web.crawling import settings_for, text_of
from tests.sources.web.hostile_site import html, serving

pytestmark = pytest.mark.slow


def crawl(folder: Path, data: bytes, **changes: Any) -> tuple[dict[str, Capture], list[str]]:
    """Crawl an archive; return the captures by URL, and what a site asked for that answers for every host."""
    path = folder / "pages.warc.gz"
    path.write_bytes(data)
    (archive,) = archives_of([str(path)], NO_STORES)
    seeds = Seeds(site="pages", pages=(), sitemaps=(), budget=50, archive=archive)
    own, scratch = folder / "captures", folder / "scratch"
    own.mkdir()
    scratch.mkdir()
    with serving({"/": html("<h1>From the network</h1>")}) as site:
        settings = settings_for(site, **changes)

        async def run() -> None:
            async with browser_for(settings) as shared:
                save = lambda made: shutil.move(made, own / made.name)  # noqa: E731
                work = ArchiveCrawl(archive, seeds, settings, own, scratch, save, lambda _: None, shared)
                await run_crawls([work])

        asyncio.run(run())
    found = read_captures(captured_items(seeds, settings.bounds, settings.views, own))
    return {capture.url: capture for capture in found}, site.requests


def _png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), colour).save(out, "PNG")
    return out.getvalue()


def test_pages_are_shown_from_the_archive_alone(tmp_path: Path) -> None:
    """Style, script, picture and a frame of another site come over https; what is missing is counted."""
    page = html(
        "<h1>Archived</h1><p id=out></p><img src='https://cdn.test/red.png'><iframe src='https://frame.test/'></iframe>"
        "<script src='/code.js'></script><script>fetch('http://site.test/').catch(() => 0);"
        "new WebSocket('wss://site.test/')</script>",
        "<link rel=stylesheet href='/style.css'><link rel=stylesheet href='/missing.css'>",
    )
    packed = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    data = warc(
        [
            ("https://a.test/", page, HTML),
            ("https://a.test/style.css", "h1 { color: #0f0 } iframe { width: 300px; height: 90px }", "text/css"),
            ("https://cdn.test/red.png", _png("#f00"), "image/png"),
            ("http://plain.test/", html("<h1>Plain</h1>"), HTML),
        ]
    )
    data += warc(
        [("https://a.test/code.js", packed.compress(b"out.textContent = 'Script ran'") + packed.flush(), "text/plain")],
        headers={"Content-Encoding": "gzip"},
    )
    data += warc(
        [("https://frame.test/", b"9\r\n<p>Framed\r\n0\r\n\r\n", HTML)], headers={"Transfer-Encoding": "chunked"}
    )
    found, requests = crawl(tmp_path, data)
    capture = found["https://a.test/"]
    assert text_of(capture).split() == ["Archived", "Script", "ran", "Framed"]
    assert capture.content is not None
    assert capture.content.facts["num_not_archived"] >= 2
    assert {"not_archived", "styles_failed"} <= set(capture.content.flags)
    colours = Image.open(io.BytesIO(capture.content.screenshot.images[0])).convert("RGB").getcolors(1 << 24)
    shown = {colour for _, colour in colours or []}
    assert {(255, 0, 0), (0, 255, 0)} <= shown
    assert capture.fetched_at == DATE
    assert capture.archive.startswith("pages.warc.gz;record=urn:uuid:")
    plain = found["http://plain.test/"].content
    assert plain is not None
    assert "not_archived" not in plain.flags
    assert requests == []  # the policy would have let them through


def test_opt_outs_hold_for_archived_pages(tmp_path: Path) -> None:
    rules = "User-agent: vellum\nDisallow: /private\n"
    data = warc(
        [
            ("https://a.test/robots.txt", rules, "text/plain"),
            ("https://a.test/private", html("<h1>Private</h1>"), HTML),
            ("https://a.test/public", html("<h1>Public</h1>"), HTML),
            ("https://b.test/", html("<h1>Meta</h1>", "<meta name=robots content=noai>"), HTML),
            ("https://c.test/.well-known/tdmrep.json", '[{"location": "/", "tdm-reservation": 1}]', "text/plain"),
            ("https://c.test/", html("<h1>Reserved</h1>"), HTML),
        ]
    )
    data += warc([("https://d.test/", html("<h1>Head</h1>"), HTML)], headers={"X-Robots-Tag": "noimageai"})
    data += warc([("https://e.test/", html("<h1>Half</h1>"), HTML)], fields={"WARC-Truncated": "length"})
    data += data[:90]
    found, _ = crawl(tmp_path, data)
    assert {url.removeprefix("https://"): capture.cause for url, capture in found.items()} == {
        "a.test/private": "robots",
        "a.test/public": "",
        "b.test/": "opted_out",
        "c.test/": "opted_out",
        "d.test/": "opted_out",
        "e.test/": "incomplete",
        f"pages.warc.gz, byte {len(data) - 90:,}": "bad_record",
    }
    assert {c.permission for c in found.values() if c.url.startswith("https://b")} == {"robots.txt not in the archive"}


def test_an_archive_gives_the_same_captures_each_time(tmp_path: Path) -> None:
    """Also where a page shows the date and draws lots: its day is the archive's."""
    code = "<p id=out></p><script>out.textContent = `${new Date().toISOString().slice(0, 10)} ${Math.random()} "
    code += "${Date.now() - new Date() < 9} ${Date().slice(11, 15)} ${new Date(0).getTime()}`</script>"
    data = warc([(f"http://a.test/{k}", html(f"<h1>Page {k}</h1>{code}"), HTML) for k in range(2)])
    digests = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        found, _ = crawl(folder, data)
        digests.append([(each.url, each.fetched_at, text_of(each)) for each in found.values()])
    assert digests[0] == digests[1]
    assert digests[0][0][2].split()[2:] == ["2021-03-04", "0.000022477936010098986", "true", "2021", "0"]
    assert [url for url, _, _ in digests[0]] == [f"http://a.test/{k}" for k in range(2)]


def test_hosts_are_not_even_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = socket.getaddrinfo

    def note(host: Any, *args: Any, **named: Any) -> Any:
        asked.append(str(host))
        return original(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    page = html("<h1>Asks</h1><img src='http://elsewhere.test/x.png'><script>location.hash = 'x'</script>")
    found, _ = crawl(tmp_path, warc([("https://a.test/", page, HTML)]))
    assert found["https://a.test/"].cause == ""
    assert set(asked) <= {"127.0.0.1", "localhost"}


def test_archives_are_inputs_of_the_source(tmp_path: Path) -> None:
    for name in ("a.warc.gz", "b.warc.gz"):
        (tmp_path / name).write_bytes(warc([(f"https://{name}.test/", "x", HTML)]))
    source = Web(input=(f"{tmp_path}/*.warc.gz",), max_pages=10)
    (task,) = source.fetch_tasks()
    assert "not told whom" not in " ".join(source.warnings())
    assert source.plan(2) == [
        "at most 10 pages, from 1 archive: about 0.0 minutes with 2 workers, and 1 MB of captures"
    ]
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    for name in ("a.warc.gz", "b.warc.gz"):
        shutil.move(tmp_path / name, elsewhere / name)
    (moved,) = Web(input=(f"{elsewhere}/*.warc.gz",), max_pages=10).fetch_tasks()
    assert moved.uri == task.uri  # by content: outputs do not depend on where archives are
    assert source.path_of(task.uri).count("/") == 2
