"""Documents that are kept as their hosts sent them."""

import dataclasses

import pytest

from sources.web.capture import Capture, from_row, to_rows
from sources.web.crawl_settings import capture_key
from sources.web.samples import SampleSettings, samples_of
from sources.web.source import Web
from sources.web.visit_settings import VisitSettings
from tests.sources.web.crawling import crawl, settings_for
from tests.sources.web.hostile_site import html, serving

TEXT = "你好，世界。这是一个页面。"
CHANGED = html("<p>Before.</p><script>document.body.textContent = 'After.'</script>")
LONG = html("<p>Long.</p>" + "<!-- more -->" * 200)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    gbk = f'<!doctype html><meta charset="gbk"><p>{TEXT}</p>'.encode("gbk")
    pages = {
        "/gbk": lambda handler: handler.answer(gbk, kind="text/html"),
        "/changed": CHANGED,
        "/long": LONG,
        "/surrogate": html("<p>One \\ud83d</p><script>document.title = '\\ud83d'</script>"),
    }
    with serving(pages) as site:
        visit = VisitSettings(load_s=4, settle_s=1, page_s=9, keep_html=True, max_html_mb=0.002)
        found = crawl(settings_for(site, visit=visit), tmp_path_factory.mktemp("kept"), list(pages))
    return {capture.url.rpartition("/")[2]: capture for capture in found}


def _html(capture: Capture) -> str | None:
    assert capture.content is not None, capture
    return capture.content.html


@pytest.mark.slow
def test_a_document_is_kept_as_it_came(captures: dict[str, Capture]) -> None:
    assert _html(captures["gbk"]) == f'<!doctype html><meta charset="gbk"><p>{TEXT}</p>'
    assert _html(captures["changed"]) == CHANGED
    changed = captures["changed"].content
    assert changed is not None
    assert changed.texts == ["After."]


@pytest.mark.slow
def test_a_long_document_is_not_cut_but_left_out(captures: dict[str, Capture]) -> None:
    long, content = captures["long"], captures["long"].content
    assert content is not None
    assert content.texts == ["Long."]
    assert _html(long) is None
    assert "long_html" in content.flags
    assert not any("long_html" in found.content.flags for found in captures.values() if found.content and found != long)


@pytest.mark.slow
def test_samples_have_it_and_are_otherwise_the_same(captures: dict[str, Capture]) -> None:
    settings = SampleSettings(tasks={"text": 1}, num_questions=1, format="png", quality=90, grey="none")
    capture = captures["changed"]
    assert capture.content is not None
    without = dataclasses.replace(capture, content=dataclasses.replace(capture.content, html=None))
    ((kept,), (other,)) = (samples_of(each, "digest", "page", settings) for each in (capture, without))
    assert kept.html == CHANGED
    assert other.html is None
    assert dataclasses.replace(kept, html=None) == dataclasses.replace(other, words=kept.words)
    (row,), (plain,) = (to_rows([each]).to_pylist() for each in (capture, without))
    assert _html(from_row(row)) == CHANGED
    assert row["digest"] != plain["digest"]
    del plain["content"]["html"]  # as captures of earlier versions are
    assert _html(from_row(plain)) is None


def test_captures_with_documents_are_others() -> None:
    """The setting is off by default, and the captures without documents stay where they were."""
    keys = [capture_key(Web()), capture_key(Web(max_html_mb=2)), capture_key(Web(keep_html=True))]
    keys.append(capture_key(Web(keep_html=True, max_html_mb=2)))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    with pytest.raises(ValueError, match="max_html_mb must be a positive number"):
        Web(keep_html=True, max_html_mb=0)
