"""Web code: it renders back, is short, contains no hidden text, and loads nothing."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import View
from sources.rng import generator
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.page import make_page
from sources.synthetic_pages.vocabulary import BUNDLED
from sources.web.code.node import TreeError, node_of
from sources.web.code.page_code import PageCode, PageCoder
from sources.web.code.similarity import Look, compare
from sources.web.code.snapshot import CodeRefusedError, SnapshotLimits
from sources.web.code.stylesheet import families
from sources.web.code.tokens import estimate_tokens

VIEW = View(width=800, height=600)
Reduce = Callable[..., PageCode]


@pytest.fixture(scope="module")
def studio() -> Iterator[SimpleNamespace]:
    """A browser, and a function that runs coroutines with it."""
    loop = asyncio.new_event_loop()
    browser = Browser(BrowserSettings())
    loop.run_until_complete(browser.__aenter__())
    yield SimpleNamespace(run=loop.run_until_complete, browser=browser)
    loop.run_until_complete(browser.__aexit__(None, None, None))
    loop.close()


@pytest.fixture
def reduce(studio: SimpleNamespace) -> Reduce:
    """Return a function that converts HTML to code. Scripts run; `limits` are arguments of SnapshotLimits."""

    def run(html: str, *, before: str = "", max_tokens: int = 50_000, **limits: int) -> PageCode:
        async def work() -> PageCode:
            async with (
                PageCoder(studio.browser, max_tokens=max_tokens, limits=SnapshotLimits(**limits)) as coder,
                studio.browser.page(VIEW) as page,
            ):
                if before:
                    await page.add_init_script(before)
                await page.goto("about:blank")
                await page.set_content(html, wait_until="commit")
                screenshot = await page.screenshot()
                return await coder.code(await page.context.new_cdp_session(page), [screenshot], VIEW)

        code: PageCode = studio.run(work())
        return code

    return run


def body(html: str) -> str:
    return html.partition("<body")[2]


@pytest.mark.slow
def test_every_kind_of_page_renders_back(reduce: Reduce, full: bool) -> None:
    for number, kind in enumerate(list(KINDS) * (6 if full else 1)):
        page = make_page(kind, ("en", "zh")[number % 2], BUNDLED, generator(9, number, "test"), 0.7)
        code = reduce(page.html)
        assert code.similarity.score > 0.93, f"{kind}: {code.similarity}"
        assert code.num_tokens < 2.5 * estimate_tokens(page.html), kind
        assert "background-clip" not in code.html  # said only where it is not as without it


def test_the_same_page_gives_the_same_code(reduce: Reduce) -> None:
    page = make_page("shop", "en", BUNDLED, generator(1, 1, "test"), 0.7)
    assert reduce(page.html) == reduce(page.html)


def test_nothing_can_be_loaded_or_run(reduce: Reduce, studio: SimpleNamespace) -> None:
    html = reduce(Path(__file__).with_name("external_references.html").read_text(encoding="utf-8")).html
    for found in ("http", "//", "url(", "@import", "src", "<link", "<iframe", "<object", "<use", "<script", "<svg",
                  "<img", "javascript", "<base", "<form action", "formaction", "poster", "<!--"):  # fmt: skip
        assert found not in html, found
    assert not re.search(r"<[^>]*\son\w+\s*=", html)
    assert "First" in html
    assert 'aria-label="A picture"' in html
    assert html.count('role="img"') == 8

    async def requests() -> list[str]:
        seen: list[str] = []
        async with studio.browser.page(VIEW, offline=True) as page:
            page.on("request", lambda request: seen.append(request.url))
            await page.set_content(html, wait_until="load")
        return seen

    assert studio.run(requests()) == []


def test_only_what_is_seen_is_written(reduce: Reduce) -> None:
    html = reduce(
        """<!DOCTYPE html><style>.far { position: absolute; left: -9999px } .thin { position: absolute; width: 1px;
        height: 1px; overflow: hidden } main { height: 2000px }</style><script>var secret = 1</script><p>shown</p>
        <p style="display: none">undisplayed</p><p style="visibility: hidden">invisible</p>
        <p style="opacity: 0">clear</p>
        <p class="far">elsewhere</p><p class="thin">for screen readers</p>
        <div style="height: 0; overflow: hidden">folded</div>
        <details><summary>more</summary>closed <b>details</b></details>
        <div style="content-visibility: hidden">unrendered</div>
        <main></main><p>below the fold</p>"""
    ).html
    assert "shown" in html
    assert "more" in html
    for text in (
        "undisplayed",
        "invisible",
        "clear",
        "elsewhere",
        "screen readers",
        "folded",
        "closed",
        "details",
        "unrendered",
        "below",
        "secret",
    ):
        assert text not in body(html), text


def test_a_long_text_ends_with_the_viewport(reduce: Reduce) -> None:
    code = reduce("<!DOCTYPE html><pre>" + "\n".join(f"line {k}" for k in range(3000)) + "</pre>")
    assert "line 20\n" in code.html
    assert "line 100\n" not in code.html
    assert code.similarity.score > 0.99


def test_space_that_shows_is_kept(reduce: Reduce) -> None:
    html = reduce(
        "<!DOCTYPE html><pre>\n\nif x:\n    <b>y</b>  z</pre><p>a&nbsp; b</p><p><i>one</i> <i>two</i><i>three</i></p>"
    ).html
    assert "<pre>\n\nif x:\n    <b>y</b>  z</pre>" in html
    assert "a&nbsp; b" in html
    assert "<i>one</i> <i>two</i><i>three</i>" in html


def test_texts_cannot_leave_their_place(reduce: Reduce) -> None:
    html = reduce(
        """<!DOCTYPE html><title>&lt;/title>&lt;script>alert(1)&lt;/script></title>
        <style>p { font-family: "</sty\\6c e><script>alert(2)</script>", Arial }
        p::before { content: "<b>\\\\" }</style>
        <p class='"><script>'>&lt;script>alert(3)&lt;/script> \x01</p><div role='"><script>alert(4)</script>'>d</div>
        <img alt='"><script>alert(5)</script>' width=9 height=9><input value="'&quot;><script>">"""
    ).html
    assert "<script" not in html
    assert html.count("</style>") == 1
    assert "\x01" not in html


REWRITTEN = """const nothing = () => null;
const nought = () => ({ left: 0, top: 0, right: 0, bottom: 0, width: 0, height: 0 });
Element.prototype.getBoundingClientRect = nought; Range.prototype.getBoundingClientRect = nought;
window.getComputedStyle = nothing; JSON.stringify = () => '{"refused": "by the page"}'; Array.prototype.push = nothing;
Array.prototype.map = nothing; Object.keys = nothing; String.prototype.slice = nothing; RegExp.prototype.exec = nothing;
Element.prototype.computedStyleMap = nothing; Document.prototype.createRange = nothing; Set.prototype.has = nothing;
Object.defineProperty(Node.prototype, 'childNodes', { get: nothing }); performance.now = () => { throw 1 };"""


def test_the_page_cannot_change_what_is_read(reduce: Reduce) -> None:
    html = make_page("login", "en", BUNDLED, generator(2, 2, "test"), 0.7).html
    assert reduce(html, before=REWRITTEN).html == reduce(html).html


def test_names_that_hide_properties_are_seen_through(reduce: Reduce) -> None:
    names = [
        "childNodes",
        "localName",
        "nodeType",
        "getBoundingClientRect",
        "shadowRoot",
        "attributes",
        "firstElementChild",
    ]
    inputs = "".join(f"<input name={name} size=3>" for name in names)
    html = reduce(
        f"<!DOCTYPE html><form>{inputs}<b>inside</b></form><form name=documentElement></form>"
        "<img name=body><form name=createRange>x</form>"
    ).html
    assert "<b>inside</b>" in html
    assert html.count("<input") == len(names)


@pytest.mark.parametrize(
    ("html", "limits", "cause"),
    [
        ("<p>x</p>" * 5000, {"nodes": 300, "milliseconds": 20_000}, None),  # most of them below the viewport
        ("<b>x</b> " * 5000, {"nodes": 300}, "too_many_nodes"),
        ("<div>" * 400 + "x", {}, "too_deep"),
        ("<p style='font-size: 1px'>" + "x " * 50_000, {"characters": 5000}, "too_much_text"),
        ("<b>x</b> " * 9000, {"milliseconds": 1, "nodes": 10**6}, "timeout"),
        ("<style>html { display: none }</style>x", {}, "nothing_visible"),
    ],
)  # fmt: skip
def test_pages_without_end_are_rejected(reduce: Reduce, html: str, limits: dict[str, int], cause: str | None) -> None:
    if cause is None:
        assert reduce(f"<!DOCTYPE html>{html}", **limits).similarity.score > 0.95
        return
    with pytest.raises(CodeRefusedError) as refused:
        reduce(f"<!DOCTYPE html>{html}", **limits)
    assert refused.value.cause == cause


def test_code_beyond_the_budget_is_rejected(reduce: Reduce) -> None:
    with pytest.raises(CodeRefusedError, match="at most 50"):
        reduce("<!DOCTYPE html>" + "<p>word word word</p>" * 20, max_tokens=50)


def test_shadow_trees_and_generated_text_are_written_out(reduce: Reduce) -> None:
    code = reduce(
        """<!DOCTYPE html><style>p::after { content: " (end)"; color: red }</style><p>Text</p>
        <x-card><b>slotted</b></x-card><script>document.querySelector('x-card').attachShadow({mode: 'open'}).innerHTML =
        '<style>i { color: green; font-size: 30px }</style><i>shadow</i><slot></slot>'</script>"""
    )
    assert re.search(r"Text<span[^>]*> \(end\)</span>", code.html)
    assert "shadow" in code.html
    assert "<b>slotted</b>" in code.html
    assert code.similarity.score > 0.97


def test_a_tree_of_another_script_is_rejected() -> None:
    good: dict[str, Any] = {"tag": "p", "style": {}, "attributes": {}, "children": ["x"]}
    assert node_of(good).children == ["x"]
    for change in ({"tag": "script"}, {"attributes": {"onclick": "x"}}, {"attributes": {"href": "javascript:x"}},
                   {"children": [5]}, {"style": {"color": 5}}, {"box": [1, 2]}, {"children": None}):  # fmt: skip
        with pytest.raises(TreeError):
            node_of(good | change)


def test_families_from_files_of_the_page_are_left_out() -> None:
    assert (
        families('"Fancy Web", Arial, Helvetica, Times, Courier, sans-serif', {"fancy web"})
        == "Arial, Helvetica, Times, sans-serif"
    )
    assert families('"</style>", x{}', set()) == "sans-serif"


def test_similarity_falls_with_what_is_wrong() -> None:
    pixels = np.full((400, 400, 3), 255, np.uint8)
    pixels[40:120, 40:200] = (30, 60, 160)
    words, boxes = ("one", "two"), np.array([[40, 200, 80, 220], [90, 200, 130, 220]], np.float32)
    page = Look(pixels, words, boxes, np.zeros((0, 4), np.float32))

    def score(shift: int = 0, colour: tuple[int, int, int] | None = None, texts: tuple[str, ...] = words) -> float:
        moved = np.roll(pixels, shift, axis=0)
        if colour is not None:
            moved[(moved == (30, 60, 160)).all(axis=2)] = colour
        other = Look(moved, texts, boxes + np.array([0, shift, 0, shift], np.float32), page.pictures)
        assert compare(page, other).score == pytest.approx(compare(other, page).score, abs=1e-9)
        return compare(page, other).score

    assert score() == pytest.approx(1)
    assert 1 > score(shift=2) > score(shift=10) > score(shift=40) > 0
    assert score() > score(colour=(60, 60, 160)) > score(colour=(200, 30, 30))
    assert score(texts=("one", "else")) < 0.85
    assert score(texts=("other", "else")) == 0
    with pytest.raises(ValueError, match="one size"):
        compare(page, Look(pixels[:200], words, boxes, page.pictures))


@pytest.mark.parametrize("top", [0, 440, 700])
def test_a_missing_block_is_no_small_mistake(top: int) -> None:
    """The block is less than a tenth of the content; the rest has noise and a shift by two pixels."""
    rng = np.random.default_rng(0)
    pixels = np.full((1000, 800, 3), 255, np.uint8)
    boxes = np.array([[x, y, x + 70, y + 16] for y in range(20, 1000, 40) for x in range(20, 700, 80)], np.float32)
    for x0, y0, x1, y1 in boxes.astype(int):
        pixels[y0:y1, x0:x1] = rng.integers(0, 200, (y1 - y0, x1 - x0, 1))
    words = [f"word{k}" for k in range(len(boxes))]
    page = Look(pixels, words, boxes, np.zeros((0, 4), np.float32))
    kept = [k for k, box in enumerate(boxes) if not top <= box[1] < top + 80]
    less = pixels.copy()
    less[top : top + 80] = 255
    missing = compare(page, Look(less, [words[k] for k in kept], boxes[kept], page.pictures))
    noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    shifted = Look(np.roll(noisy, 2, axis=0), words, boxes + np.array([0, 2, 0, 2], np.float32), page.pictures)
    assert missing.text > 0.9 > 0.85 > missing.score
    assert compare(page, shifted).score > 0.85


def test_an_estimate_of_tokens_grows_with_the_text() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("<p>Hello world</p>") < estimate_tokens("<p>Hello wonderful world</p>")
    assert estimate_tokens("你好世界") == 4
