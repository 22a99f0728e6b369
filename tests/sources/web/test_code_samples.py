"""Code in captures and samples: made during the visit, chosen by weight, measured only if it is the task."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filters.render_similarity import RenderSimilarity
from sources.base.sample import Sample
from sources.web.capture import Capture
from sources.web.samples import RENDER, SCREENSHOT, SampleSettings, samples_of
from sources.web.source import Web
from sources.web.visit_settings import VisitSettings
from tests.sources.web.crawling import crawl, settings_for
from tests.sources.web.hostile_site import PARAGRAPH, html, serving

pytestmark = pytest.mark.slow

LINES = "".join(f"<p>Line {k}: {PARAGRAPH}</p>" for k in range(30))
PAGES = {
    "/plain": html("<h1>A plain page</h1><p>with a few words and <a href='/dense'>a link</a> on it</p>"),
    "/dense": html("<p>" + "<b>x</b> " * 4000),
    "/inverted": html(f"<main style='filter:invert(1);background:#fff'><h1>Dark</h1><p>{PARAGRAPH}</main>"),
    "/long": html(f"<h1>A long page</h1>{LINES}"),
}


def _settings(**tasks: float) -> SampleSettings:
    return SampleSettings(tasks=tasks, num_questions=1, format="png", quality=90, grey="png")


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    with serving(PAGES) as site:
        visit = VisitSettings(load_s=20, settle_s=2, page_s=60)  # for few cores, on which other tests may run too
        found = crawl(settings_for(site, code=True, visit=visit), tmp_path_factory.mktemp("code"), list(PAGES))
    return {f"/{capture.url.rpartition('/')[2]}": capture for capture in found}


def test_a_page_that_renders_back_is_a_code_sample(captures: dict[str, Capture]) -> None:
    (sample,) = samples_of(captures["/plain"], "0" * 64, "view=square", _settings(code=1))
    assert sample.use_case == "conversion/image_to_code/ui"
    question, answer = sample.messages or ()
    assert question.content.startswith("<image>\n")
    assert answer.content.startswith("```html\n<!DOCTYPE html>")
    assert "<h1>A plain page</h1>" in answer.content
    assert sample.measures["render_similarity"] > 0.99
    assert 50 < sample.measures["code_tokens"] < 300


def test_only_code_is_measured_as_code(captures: dict[str, Capture]) -> None:
    (sample,) = samples_of(captures["/plain"], "0" * 64, "view=square", _settings(text=1))
    assert not {"render_similarity", "code_tokens"} & set(sample.measures)
    assert sample.flags == []


def test_a_page_without_code_is_about_something_else(captures: dict[str, Capture]) -> None:
    (sample,) = samples_of(captures["/dense"], "0" * 64, "view=square", _settings(code=1))
    assert (sample.text or "").startswith("<image>\n")
    assert sample.flags == ["no_code:too_many_nodes"]
    assert "render_similarity" not in sample.measures


def test_code_that_does_not_render_back_says_so(captures: dict[str, Capture]) -> None:
    (sample,) = samples_of(captures["/inverted"], "0" * 64, "view=square", _settings(code=1))
    assert (sample.messages, sample.flags) == (None, ["no_code:render_similarity"])
    content = captures["/inverted"].content
    assert content is not None
    assert 0 <= content.code.similarity < RenderSimilarity().min_similarity


def test_code_that_is_too_long_leaves_the_page_to_another_task(captures: dict[str, Capture]) -> None:
    settings = dataclasses.replace(_settings(code=1), max_code_tokens=50)
    (sample,) = samples_of(captures["/plain"], "0" * 64, "view=square", settings)
    assert (sample.messages, sample.flags) == (None, ["no_code:long_code"])


def test_code_is_of_the_whole_picture(tmp_path: Path) -> None:
    with serving(PAGES) as site:
        visit = VisitSettings(load_s=4, settle_s=1, page_s=9, max_tiles=3)
        (found,) = crawl(settings_for(site, code=True, visit=visit), tmp_path, ["/long"])
    (sample,) = samples_of(found, "0" * 64, "view=square", _settings(code=1))
    assert len(sample.images) > 1
    assert sample.messages is not None
    assert sample.messages[0].content.startswith("<image>\n" * len(sample.images))
    assert "Line 29" in sample.messages[1].content
    assert sample.measures["render_similarity"] > 0.97
    (about,) = samples_of(found, "0" * 64, "view=square", _settings(title=1))
    assert set(about.words.images.tolist()) <= set(range(len(about.images)))


def test_no_code_is_made_where_none_is_wanted(tmp_path: Path) -> None:
    with serving(PAGES) as site:
        (found,) = crawl(settings_for(site), tmp_path, ["/plain"])
    assert found.content is not None
    assert found.content.code.html == found.content.code.refusal == ""
    assert samples_of(found, "0" * 64, "view=square", _settings(code=1))[0].text


def test_code_changes_captures_and_tasks_change_samples() -> None:
    def keys(**settings: Any) -> tuple[str, str]:
        web = Web(**settings)
        return web.path_of("web:site.test#0"), str(web.fingerprint())

    captured, made = keys()
    assert keys(code=False)[0] != captured
    assert keys(code=False)[1] == made
    assert keys(tasks={"code": 1}) == (captured, keys(tasks={"code": 1})[1])
    assert keys(tasks={"code": 1})[1] != made
    with pytest.raises(ValueError, match="code is off"):
        Web(code=False, tasks={"code": 1, "text": 0})


def test_a_code_sample_may_show_what_its_code_draws(tmp_path: Path) -> None:
    """A photograph is an even area in the code, and so in its picture; other samples keep the screenshot."""
    photograph = "<svg width='300' height='200'><circle cx='150' cy='100' r='90' fill='red'/></svg>"
    with serving({"/photo": html(f"<h1>A picture</h1>{photograph}<p>with a few words below it</p>")}) as site:
        visit = VisitSettings(load_s=20, settle_s=2, page_s=60)
        settings = dataclasses.replace(settings_for(site, code=True, visit=visit), keeps_render=True)
        (found,) = crawl(settings, tmp_path, ["/photo"])
    tasks = dataclasses.replace(_settings(code=1, text=1), tasks_per_page=2, min_similarity=0)
    kinds = [dataclasses.replace(tasks, code_picture=picture) for picture in (SCREENSHOT, RENDER)]
    shown = [samples_of(found, "0" * 64, "view=square", kind) for kind in kinds]
    (text, photographed), (same_text, drawn) = shown
    assert text.images[0].data == same_text.images[0].data == photographed.images[0].data
    assert _has_red(photographed)
    assert not _has_red(drawn)
    assert photographed.messages == drawn.messages
    assert (photographed.words.texts, drawn.elements) == (drawn.words.texts, [])
    assert photographed.elements


def _has_red(sample: Sample) -> bool:
    pixels = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")).astype(int)
    return bool((pixels[..., 0] - pixels[..., 1] > 200).any())
