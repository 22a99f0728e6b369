"""What hosts are sent by settings: headers, cookies and an own user agent, only to the site, and an own style sheet."""

from pathlib import Path
from typing import Any

import pytest

from sources.web.captured_items import captured_items
from sources.web.client import Client, parse_cookies, parse_headers, read_style
from sources.web.copies import copies_of
from sources.web.crawl_settings import agent_of, client_of, robot_name
from sources.web.plan import Seeds
from sources.web.segments import words_of
from sources.web.source import Web
from tests.sources.web.crawling import HOST, OTHER_HOST, ROOT, crawl, settings_for, text_of
from tests.sources.web.hostile_site import Handler, html, serving

COOKIES = (
    "# Netscape HTTP Cookie File",
    f"{HOST}\tFALSE\t/\tFALSE\t0\tsession\tabc=1",
    f"#HttpOnly_.{HOST}\tTRUE\t/\tFALSE\t4102444800\thidden\t",
    "bank.example\tFALSE\t/\tTRUE\t0\tsecret\txyz",
)


def test_cookies_of_a_browser() -> None:
    first, second, other = parse_cookies(COOKIES)
    assert (first["name"], first["value"], first["domain"], first["expires"]) == ("session", "abc=1", HOST, -1)
    assert (second["domain"], second["httpOnly"], second["value"]) == (f".{HOST}", True, "")
    assert other["secure"]
    assert [c["name"] for c in Client(site=HOST, cookies=COOKIES).site_cookies()] == ["session", "hidden"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"headers": ("X-Token s3cret",)}, "number 1 is none"),
        ({"headers": ("A: b", "X: s3cret\nHost: x")}, "number 2 is none"),
        ({"headers": ("Cookie: s3cret",)}, "it is set by cookies"),
        ({"headers": ("Host: s3cret",)}, "belongs to the connection"),
        ({"cookies": ("name=s3cret",)}, "seven columns; number 1"),
        ({"headers": ("@/no/such",)}, "cannot be read"),
        ({"style": "@/no/such.css"}, "style sheet /no/such.css cannot be read"),
        ({"user_agent": "two\nlines"}, "user_agent must be"),
    ],
)
def test_mistakes_are_told_without_secrets(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as caught:
        client_of(Web(**settings))
    assert "s3cret" not in str(caught.value)


def test_captures_depend_on_what_hosts_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same whether a secret comes from a file or from the environment, and without the secret itself."""
    file = tmp_path / "headers"
    file.write_text("Authorization: Basic s3cret\n", "utf-8")
    plain, by_file = Web(), Web(headers=(f"@{file}",))
    key = by_file.path_of("web:a#b")
    assert key not in (plain.path_of("web:a#b"), Web(user_agent="Own/1").path_of("web:a#b"))
    monkeypatch.setenv("VELLUM_WEB_HEADERS", "Authorization: Basic s3cret")
    assert plain.path_of("web:a#b") == key
    assert "s3cret" not in repr(Web(headers=("Authorization: Basic s3cret",)))


def test_own_user_agents() -> None:
    own = Web(user_agent="OwnBot/2.0 (test)", contact="a@b.example")
    assert agent_of(own) == "OwnBot/2.0 (test) (+a@b.example)"
    assert robot_name(own) == "OwnBot"
    assert robot_name(Web(user_agent="Mozilla/5.0 (X11)")) == robot_name(Web()) == "vellum"


def test_styles(tmp_path: Path) -> None:
    file = tmp_path / "own.css"
    file.write_text("p {\n}\nh1 {\n}\n", "utf-8")
    assert read_style(f"@{file}") == file.read_text("utf-8")
    assert read_style("@media print { p { color: red } }").startswith("@media")
    assert parse_headers(["A:b ", "C:"]) == (("A", "b"), ("C", ""))


@pytest.mark.slow
def test_a_crawl_sends_them_to_its_site_only(tmp_path: Path) -> None:
    """Requests of pages, pictures and robots.txt; redirects to another host get none. Canonical URLs are read, too."""
    asked: dict[tuple[str, str], dict[str, str]] = {}

    def note(handler: Handler) -> None:
        asked[handler.headers["Host"], handler.path] = {name.lower(): value for name, value in handler.headers.items()}

    def page(handler: Handler) -> None:
        note(handler)
        body = f"<h1>Seen</h1><p id=banner>Chat with us</p><img src=/own.png><img src=/moved.png>{words}"
        link = f"<link rel=canonical href='{ROOT}/page'><link rel=stylesheet href='http://{OTHER_HOST}/other.css'>"
        handler.answer(html(body, link))

    def moved(handler: Handler) -> None:
        note(handler)
        handler.answer("", status=302, Location=f"http://{OTHER_HOST}/there.png")

    def file(handler: Handler) -> None:
        note(handler)
        handler.answer("", kind="text/css")

    words = "<p>" + " ".join(f"word{k}" for k in range(30)) + "</p>"
    pages = dict.fromkeys(("/page", "/print"), page) | {"/moved.png": moved}
    pages |= dict.fromkeys(("/robots.txt", "/own.png", "/other.css", "/there.png"), file)
    client = Client(
        headers=(("X-Key", "k"), ("Accept-Language", "cy")), cookies=COOKIES, style="#banner { display: none }"
    )
    with serving(pages) as site:
        settings = settings_for(site, client=client, agent="OwnBot/1")
        found = crawl(settings, tmp_path, ["/print", "/page"])
    assert [capture.cause for capture in found] == ["", ""]
    assert all("Seen" in text_of(capture) and "Chat" not in text_of(capture) for capture in found)
    for path in ("/page", "/print", "/own.png", "/moved.png", "/robots.txt"):
        headers = asked[HOST, path]
        assert (headers["x-key"], headers["accept-language"], headers["user-agent"]) == ("k", "cy", "OwnBot/1"), path
        if path != "/robots.txt":
            assert sorted(headers["cookie"].split("; ")) == ["hidden=", "session=abc=1"], path
    for path in ("/other.css", "/there.png"):
        headers = asked[OTHER_HOST, path]
        assert "x-key" not in headers
        assert "cookie" not in headers
        assert headers.get("accept-language") != "cy"
    seeds = Seeds(site=HOST, pages=(f"{ROOT}/print", f"{ROOT}/page"), sitemaps=(), budget=9)
    entries = captured_items(seeds, settings.bounds, settings.views, tmp_path)
    assert copies_of(entries, words_of) == {(f"{ROOT}/print", "square"): f"{ROOT}/page"}
