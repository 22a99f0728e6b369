"""Hostile pages: each gives a capture or one error with its cause, and none affects another."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sources.base.source import ItemError
from sources.web.capture import Capture
from sources.web.obstacles import signs_of
from sources.web.samples import SampleSettings, samples_of
from sources.web.urls import canonical
from sources.web.visit_settings import VisitSettings
from tests.sources.web.crawling import ROOT, crawl, settings_for, text_of
from tests.sources.web.hostile_site import PARAGRAPH, Site, hostile_pages, serving

pytestmark = pytest.mark.slow

ONLY_TEXT = SampleSettings(tasks={"text": 1.0}, num_questions=1, format="png", quality=90, grey="none")
CAUSES = {
    "/loop": "redirect_loop",
    "/to-loopback": "left_site",
    "/to-metadata": "left_site",
    "/elsewhere": "left_site",
    "/to-secret": "robots",
    "/secret": "robots",
    "/private/a.html": "robots",
    "/endless": "timeout",
    "/silent": "timeout",
    "/hang": "timeout",
    "/huge": "too_large",
    "/download": "not_html",
    "/attachment": "not_html",
    "/text": "not_html",
    "/gone": "http_error",
    "/error": "http_error",
    "/missing": "http_error",
    "/noai": "opted_out",
    "/noindex": "opted_out",
}
FRAMED = ("/framed", "/outer")  # visited as frames of other pages
LONG = ("/bomb", "/hang-later")  # they end in ways that depend on the machine


@pytest.fixture(scope="module")
def site(chromium: str | None) -> Iterator[Site]:
    with serving(hostile_pages()) as running:
        yield running


@pytest.fixture(scope="module")
def captures(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    paths = [path for path in (*site.pages, "/missing") if path not in ("/robots.txt", *FRAMED, *LONG)]
    visit = VisitSettings(load_s=8, settle_s=1, page_s=20)  # for few cores, on which other tests may run too
    settings = settings_for(site, visit=visit)
    found = crawl(settings, tmp_path_factory.mktemp("hostile"), paths)
    return {capture.url.removeprefix(ROOT): capture for capture in found}


def test_every_page_has_its_outcome(captures: dict[str, Capture], site: Site) -> None:
    outcomes = {path: capture.cause for path, capture in captures.items()}
    assert len(outcomes) == len(site.pages) + 1 - 1 - len(FRAMED) - len(LONG)
    assert outcomes == {path: CAUSES.get(path, "") for path in outcomes}


def test_what_is_forbidden_is_never_asked_for(captures: dict[str, Capture], site: Site) -> None:
    assert "/robots.txt" in site.requests
    assert not {"/secret", "/private/a.html"} & set(site.requests)
    assert site.requests.count("/robots.txt") == 1


def test_requests_say_who_asks(captures: dict[str, Capture], site: Site) -> None:
    assert site.agents == {"Vellum/test (+mailto:tests@vellum.example)"}


def test_redirects_end_at_another_url(captures: dict[str, Capture]) -> None:
    assert captures["/redirect"].final_url == f"{ROOT}/good2"
    assert captures["/redirect"].permission == "robots.txt 200"


def test_a_page_that_reaches_inside_is_captured_without_what_it_wanted(captures: dict[str, Capture]) -> None:
    assert "Reaches inside" in text_of(captures["/inside"])


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/good", ["A good page", "Press me", "Another page"]),
        ("/slow-image", ["Waits for a picture"]),
        ("/scroll", ["Infinite"]),
        ("/alerts", ["Alerts"]),
        ("/windows", ["Windows"]),
        ("/latin1", ["Café", "naïve"]),
        ("/broken", ["Broken"]),
        ("/frames", ["Outside", "Inside the frame", "Framed button"]),
        ("/frames-elsewhere", ["Outside", "On another site", "Inside the frame", "Framed button"]),
        ("/moves-on", ["Another page"]),
        ("/rewritten", ["True words", "The miller opened the sluice", "Press me"]),
        ("/clobbered", ["Form with names", "inside the form"]),
        ("/shadow", ["before", "slotted words", "In the shadow", "closed words"]),
        ("/arabic", ["كان يا ما كان في قديم الزمان"]),
        ("/hidden", ["seen", "shown", "CAPITALS"]),
    ],
)
def test_text_is_what_is_seen(captures: dict[str, Capture], path: str, words: list[str]) -> None:
    for expected in words:
        assert expected in text_of(captures[path])


def test_what_is_not_seen_is_no_text(captures: dict[str, Capture]) -> None:
    (sample,) = samples_of(captures["/hidden"], "0" * 64, "view=square", ONLY_TEXT)
    assert sample.text == "<image>\nseen\n\nshown\nCAPITALS" or sample.words.texts == ["seen", "shown", "CAPITALS"]


def test_a_blank_page_is_an_error(captures: dict[str, Capture]) -> None:
    with pytest.raises(ItemError, match="one colour") as caught:
        samples_of(captures["/blank"], "0" * 64, "view=square", ONLY_TEXT)
    assert (caught.value.cause, caught.value.uri) == ("blank_paint", captures["/blank"].url)


@pytest.mark.parametrize(
    ("path", "sign"),
    [
        ("/consent", "consent_wall"),
        ("/soft404", "soft_404"),
        ("/login", "login_wall"),
        ("/captcha", "captcha"),
        ("/parked", "parked"),
    ],
)
def test_obstacles_are_reported_apart(captures: dict[str, Capture], path: str, sign: str) -> None:
    seen = captures[path].content
    assert seen is not None
    signs = signs_of(seen, captures[path].final_url)
    assert {name for name, strength in signs.items() if strength > 0.5} == {sign}


def test_a_good_page_has_no_obstacle(captures: dict[str, Capture]) -> None:
    for path in ("/good", "/good2", "/frames", "/tall"):
        seen = captures[path].content
        assert seen is not None
        assert max(signs_of(seen, captures[path].final_url).values()) == 0


def test_elements_stand_where_they_are_seen(captures: dict[str, Capture]) -> None:
    seen = captures["/good"].content
    assert seen is not None
    (button,) = [element for element in seen.elements if element.role == "button"]
    (link,) = [element for element in seen.elements if element.role == "link"]
    assert (button.name, link.name) == ("Press me", "Another page")
    words = [text for text, box in zip(seen.texts, seen.boxes, strict=True) if _inside(box, button.box)]
    assert words == ["Press", "me"]
    assert canonical("/good2", captures["/good"].final_url) in captures["/good"].links


def test_a_page_cannot_change_what_is_read_of_it(captures: dict[str, Capture]) -> None:
    seen = captures["/rewritten"].content
    assert seen is not None
    assert text_of(captures["/rewritten"]).split() == ["True", "words", *PARAGRAPH.split(), "Press", "me"]
    (button,) = [element for element in seen.elements if element.role == "button"]
    assert [text for text, box in zip(seen.texts, seen.boxes, strict=True) if _inside(box, button.box)] == [
        "Press",
        "me",
    ]
    (sample,) = samples_of(captures["/rewritten"], "0" * 64, "view=square", ONLY_TEXT)
    assert len(sample.words.texts) == len(seen.texts)  # every box holds ink
    assert seen.title == "A page"


def test_elements_and_words_of_frames_are_moved_to_the_frame(captures: dict[str, Capture]) -> None:
    seen = captures["/frames"].content
    assert seen is not None
    (button,) = [element for element in seen.elements if element.role == "button"]
    assert [text for text, box in zip(seen.texts, seen.boxes, strict=True) if _inside(box, button.box)] == [
        "Framed",
        "button",
    ]
    assert button.box[1] > 60  # below the heading


def _inside(box: np.ndarray, outer: tuple[float, float, float, float]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3])


@pytest.mark.full
@pytest.mark.parametrize("path", LONG)
def test_a_page_that_ruins_its_browser_is_one_error(site: Site, tmp_path: Path, full: bool, path: str) -> None:
    if not full:
        pytest.skip("takes the machine's memory, or the whole time limit")
    good, bad, after = crawl(settings_for(site), tmp_path, ["/good", path, "/good2"])
    assert bad.cause in ("timeout", "page_crashed", "browser_died", "unreadable_page")
    assert "A good page" in text_of(good)
    assert "Another page" in text_of(after)
