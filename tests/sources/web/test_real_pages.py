"""Long pages, motion, lazy pictures, obstacles, text that is not shown: one crawl of small pages of many kinds."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.aspect_ratio import MaxAspectRatio
from filters.filter import Filter
from filters.ink import MinInk
from filters.page_obstacles import MaxPageObstacles
from filters.render_similarity import RenderSimilarity
from filters.short_side import MinShortSide
from filters.word_count import MinWords
from sources.base.sample import Provenance, Sample, Words
from sources.browser.viewports import VIEWS
from sources.web.capture import Capture, PageContent
from sources.web.code.similarity import Look, only_inked
from sources.web.navigation import asked_elsewhere
from sources.web.obstacles import signs_of
from sources.web.samples import SampleSettings, samples_of
from sources.web.tiles import tile_tops
from sources.web.visit_settings import VisitSettings
from tests.sources.web.crawling import ROOT, crawl, settings_for, text_of
from tests.sources.web.hostile_site import PARAGRAPH, Site, html, serving
from tests.sources.web.icon_font import icon_font
from tests.sources.web.real_pages import CONTENT, MOVING, PNG, WALLS, P, wall

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    pages: dict[str, Any] = {f"/{name}": html(f"{content}{P}") for name, content in MOVING.items()}
    pages |= {f"/{name}": page for name, page in CONTENT.items()}
    pages |= {f"/wall-{language}": wall(*texts) for language, texts in WALLS.items()}
    lazy = "".join(f"<p><img loading=lazy width=300 height=300 src=/picture/{k}?lazy></p>" for k in range(1, 56))
    pages["/lazy"] = html(f"<h1>Lazy</h1>{lazy}")
    pages |= {f"/picture/{k}": lambda h: h.answer(PNG, kind="image/png") for k in range(56)}
    pages["/signs.ttf"] = lambda h: h.answer(icon_font(), kind="font/ttf")
    pages["/in-frame"] = html("<p>We use cookies</p><button>Accept all</button>")
    with serving(pages) as running:
        yield running


@pytest.fixture(scope="module")
def captures(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    paths = [path for path in site.pages if not path.startswith(("/picture", "/signs", "/in-frame"))]
    settings = settings_for(site, visit=VisitSettings(load_s=8, settle_s=4, page_s=20), code=True)
    found = crawl(settings, tmp_path_factory.mktemp("real"), paths)
    return {capture.url.removeprefix(f"{ROOT}/"): capture for capture in found}


def content_of(captures: dict[str, Capture], name: str) -> PageContent:
    content = captures[name].content
    assert content is not None, (name, captures[name].message)
    return content


def strong_signs(captures: dict[str, Capture], name: str) -> set[str]:
    signs = signs_of(content_of(captures, name), captures[name].final_url)
    return {sign for sign, strength in signs.items() if strength > MaxPageObstacles().strength}


@pytest.mark.parametrize("name", list(MOVING))
def test_a_page_that_moves_is_read_as_it_is_photographed(captures: dict[str, Capture], name: str) -> None:
    assert PARAGRAPH.strip() in text_of(captures[name])


def test_lazy_pictures_below_the_window_are_left_alone(captures: dict[str, Capture], site: Site) -> None:
    assert sum(path.startswith("/picture") and path != "/picture/0" for path in site.requests) == 3


@pytest.mark.parametrize("name", ["spinner", "skeleton", "spin", "pulse", "says-loading"])
def test_a_page_is_waited_for_while_it_shows_that_it_is_loading(captures: dict[str, Capture], name: str) -> None:
    assert text_of(captures[name]).split()[:2] == ["Late", "content"]
    assert strong_signs(captures, name) == set()


@pytest.mark.parametrize(
    ("name", "signs", "flags"),
    [
        ("skeleton-stays", {"loading"}, {"unsettled", "loading"}),
        ("loading", {"loading"}, {"loading"}),
        ("blob", set(), set()),
        ("unstyled", {"unstyled"}, {"styles_failed"}),
        ("broken", {"broken_pictures"}, {"pictures_failed"}),
        ("results", set(), set()),
        ("room", set(), set()),
        ("e404", {"soft_404"}, set()),
        ("e404-fr", {"soft_404"}, set()),
        ("paid", {"paywall"}, set()),
        ("blog", set(), set()),
        ("framed-wall", {"consent_wall"}, {"frames"}),
        *((f"wall-{language}", {"consent_wall"}, set()) for language in WALLS),
    ],
)
def test_obstacles_of_many_kinds_and_languages(
    captures: dict[str, Capture], name: str, signs: set[str], flags: set[str]
) -> None:
    assert strong_signs(captures, name) == signs
    assert set(content_of(captures, name).flags) == flags


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("icons", "Title Home page ill"),
        ("details", "Open me"),
        ("covered", "beta"),
        ("ellipsis", "one two three four The miller opened the sluice before dawn and the wheel fits well"),
        ("declared", "closed words slotted"),
    ],
)
def test_text_is_what_the_picture_shows(captures: dict[str, Capture], name: str, expected: str) -> None:
    assert " ".join(text_of(captures[name]).split()).removesuffix(" " + PARAGRAPH.strip()) == expected


def test_names_have_no_icons_and_headings_are_as_wide_as_their_words(captures: dict[str, Capture]) -> None:
    names = {element.role: element.name for element in content_of(captures, "icons").elements}
    assert names == {"heading": "Title", "link": "Home page"}
    short, centred = (e for e in content_of(captures, "headings").elements if e.role == "heading")
    assert short.box[2] - short.box[0] < 150
    assert centred.box[0] > 300
    assert centred.box[2] < 724


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("flex", "flex: none"),
        ("nested", "<p>"),
        ("gradient", "#aabbee"),
        ("clipped", "background-clip: text"),
        ("placeholder", "::placeholder { color: #f00 }"),
        ("font", "DejaVu Serif"),
        ("icons", "Home page"),
        ("ellipsis", "-webkit-line-clamp: 2"),
        ("declared", "closed words"),
    ],
)
def test_code_says_what_the_page_shows(captures: dict[str, Capture], name: str, written: str) -> None:
    code = content_of(captures, name).code
    assert code.refusal == ""
    assert code.similarity > 0.97
    assert written.replace("#aabbee", "#abe") in code.html
    assert not re.search(r"menu|home<|eleven", code.html)


def test_words_in_the_colour_of_their_background_are_not_there() -> None:
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[10:20, 10:60:2] = 0
    boxes = np.array([[10, 10, 60, 20], [80, 10, 130, 20]], np.float32)
    assert only_inked(Look(pixels, ["seen", "white"], boxes, boxes[:0])).words == ["seen"]


def test_the_navigation_of_a_site_is_asked_about_once() -> None:
    menu = [("link", f"Chapter {k}") for k in range(6)]
    site = {
        f"http://site.test/{k}": [*menu, ("heading", f"Page {k}"), ("button", "Pair")][: 8 - (k > 1)] for k in range(9)
    }
    found = asked_elsewhere(site)
    asked = [name for url, names in site.items() for name in names if name not in found[url]]
    assert sorted(asked) == sorted(
        [*menu, ("button", "Pair"), ("button", "Pair"), *(("heading", f"Page {k}") for k in range(9))]
    )
    assert len({url for url, names in site.items() if set(menu) - found[url]}) > 1


def test_scripts_without_spaces_are_counted_by_characters() -> None:
    counts = [
        score.values["num_words"]
        for score in MinWords().scores([_with_words(word) for word in ("ひらがなカタカナ", "字", "word")])
    ]
    assert counts == [4, 1, 1]


FILTERS: tuple[Filter, ...] = (
    *(MinShortSide(), MaxAspectRatio(), MinInk(share=0.002), MinWords(), MaxPageObstacles(), RenderSimilarity()),
)
BAR = "position: fixed; bottom: 0; left: 0; width: 100%; height: 30px; background: #8df"
CHAPTERS = "".join(f"<h2>Chapter {k}</h2>{P}" for k in range(40))
TALL = html(
    f"<header style='position: sticky; top: 0; background: #fd8'>Header</header><div style='{BAR}'>Fixed bar</div>"
    f"<section style='height: 60vh; background: #dfd'><h1>Hero</h1></section>{CHAPTERS}"
)


def test_every_view_of_a_long_page_passes_the_default_filters(tmp_path: Path) -> None:
    """`vh` is of the window, what is fixed covers it once, and no tile is a sliver."""
    with serving({"/tall": TALL}) as site:
        visit = VisitSettings(load_s=8, settle_s=3, page_s=30, max_tiles=3)
        found = crawl(settings_for(site, visit=visit, views=tuple(VIEWS), code=True), tmp_path, ["/tall"])
    for capture in found:
        view = VIEWS[capture.view]
        assert capture.content is not None, (capture.view, capture.message)
        assert len(capture.content.screenshot.tops) == 4
        for task in ("code", "text"):
            settings = SampleSettings(tasks={task: 1}, num_questions=1, format="png", quality=90, grey="png")
            (sample,) = samples_of(capture, "0" * 64, "", settings)
            for filter_ in FILTERS:
                assert filter_.rejects(filter_.scores([sample])[0]) is None, (capture.view, task, filter_.name)
        at = dict(zip(capture.content.texts, capture.content.boxes / view.scale, strict=True))
        assert 0.6 * view.height <= at["0"][1] <= 0.6 * view.height + 150  # of the first chapter, below the hero
        assert view.height - 30 <= at["Fixed"][1] < view.height
        assert capture.content.texts.count("Fixed") == 1
        assert min(b - a for a, b in pairwise(capture.content.screenshot.tops)) > 0.6 * view.height * view.scale


def _with_words(word: str) -> Sample:
    words = Words(texts=[word], boxes=np.zeros((1, 4), np.float32), images=np.zeros(1, np.int32))
    return Sample(id="x", source="web", text="x", words=words, provenance=Provenance(locator="x", digest="0" * 64))


def test_tiles_have_sane_heights() -> None:
    for height in (*range(100, 5000, 37), 12_000):
        _check_tiles(height)


def _check_tiles(height: int) -> None:
    lines = np.array([[10, y, 300, y + 18] for y in range(5, height - 20, 24)], np.float32).reshape(-1, 4)
    tops = tile_tops(lines, height, 1000, 3)
    sizes = [b - a for a, b in pairwise(tops)]
    assert len(sizes) <= 3
    assert len(sizes) == 1 or min(sizes) > 550
    assert max(sizes) <= 1320
    assert tops[-1] == height or tops[-1] > 2950
    for cut in tops[1:-1]:
        assert not ((lines[:, 1] < cut) & (lines[:, 3] > cut)).any()
