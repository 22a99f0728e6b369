"""The layout engine `chromium`: the same text as MuPDF, and boxes around the ink."""

import asyncio
import contextlib
import itertools

import numpy as np
import pytest

from sources.base.illegible import Illegible
from sources.browser.browser import Browser, BrowserSettings
from sources.ocr.chromium import _lay_out as lay_out_in
from sources.ocr.chromium import lay_out
from sources.ocr.page import Flow, Page
from sources.ocr.passages import BundledPassages, ContentSampler
from sources.ocr.rendered_text import RenderedText
from sources.ocr.style import sample_style
from sources.ocr.templates.registry import TEMPLATES
from sources.rng import generator
from tests.conftest import KINDS_OF_CHROMIUM
from tests.sources.ocr.test_pages import INK

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kind", "language"), [("invoice", "en"), ("article", "zh"), ("formulas", "en")])
def test_layout_has_all_rendered_words_and_boxes_hold_ink(kind: str, language: str) -> None:
    for number in range(20):
        random = generator(3, number, f"{kind}/{language}")
        style = sample_style(random, language, 1024)
        try:
            layout = lay_out(TEMPLATES[kind](ContentSampler(BundledPassages(), language, random), style))
            break
        except Illegible:
            continue
    words = "".join(text for text in layout.rendered.texts if not text.startswith("$"))
    assert words == "".join("".join(block.text.replace("\ufffc", "").split()) for block in layout.blocks)
    paper = np.array(style.paper, int)
    ink = np.abs(layout.rendered.pixels.astype(int) - paper).max(axis=2) > INK
    has_ink = [ink[y0:y1, x0:x1].any() for x0, y0, x1, y1 in layout.rendered.boxes().astype(int)]
    assert np.mean(has_ink) > 0.99


@pytest.mark.skipif(len(KINDS_OF_CHROMIUM) < 2, reason="needs chromium and chromium-headless-shell")
@pytest.mark.parametrize(("kind", "language"), [("invoice", "en"), ("article", "zh")])
def test_kinds_of_chromium_draw_the_same(kind: str, language: str) -> None:
    async def drawn(program: str) -> RenderedText:
        async with Browser(BrowserSettings(program=program)) as browser:
            for number in itertools.count():
                random = generator(3, number, f"{kind}/{language}")
                style = sample_style(random, language, 1024)
                with contextlib.suppress(Illegible):
                    page = TEMPLATES[kind](ContentSampler(BundledPassages(), language, random), style)
                    return (await lay_out_in(page, browser)).rendered
        raise AssertionError

    first, second = (asyncio.run(drawn(program)) for program in KINDS_OF_CHROMIUM)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes(), second.boxes())
    assert first.texts == second.texts


def test_word_box_fits_its_ink() -> None:
    from sources.ocr.blocks import paragraph

    style = sample_style(generator(1, 0, "style"), "en", 1024)
    flow = Flow(blocks=[paragraph("Jumpy", "flat")], boxes=[(20, 20, 380, 180)])
    layout = lay_out(Page(width=400, height=200, css=style.css(), fonts=style.fonts, flows=[flow]))
    dark = layout.rendered.pixels.min(axis=2) < 255 - INK
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    ink = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert layout.rendered.texts == ["Jumpy"]
    assert np.abs(layout.rendered.boxes()[0] - ink).max() <= 2
