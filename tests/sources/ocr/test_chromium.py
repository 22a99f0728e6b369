"""The browser as the engine: the same text and boxes around the same ink."""

import asyncio
import contextlib
import itertools

import numpy as np
import pytest

from sources.generator import generator
from sources.illegible import Illegible
from sources.ocr.chromium import _drawn as by_browser
from sources.ocr.chromium import lay_out
from sources.ocr.drawn import Drawn
from sources.ocr.page import Flow, Page
from sources.ocr.passages import BundledPassages, Supply
from sources.ocr.style import draw_style
from sources.ocr.templates.registry import TEMPLATES
from sources.web.browser import Browser, BrowserSettings
from tests.conftest import KINDS_OF_CHROMIUM
from tests.sources.ocr.test_pages import INK


@pytest.mark.parametrize(("kind", "language"), [("invoice", "en"), ("article", "zh"), ("formulas", "en")])
def test_all_that_is_drawn_is_told_and_boxes_hold_ink(kind: str, language: str) -> None:
    for number in range(20):
        random = generator(3, number, f"{kind}/{language}")
        style = draw_style(random, language, 1024)
        try:
            laid = lay_out(TEMPLATES[kind](Supply(BundledPassages(), language, random), style))
            break
        except Illegible:
            continue
    words = "".join(text for text in laid.drawn.texts if not text.startswith("$"))
    assert words == "".join("".join(block.text.replace("\ufffc", "").split()) for block in laid.blocks)
    paper = np.array(style.paper, int)
    ink = np.abs(laid.drawn.pixels.astype(int) - paper).max(axis=2) > INK
    held = [ink[y0:y1, x0:x1].any() for x0, y0, x1, y1 in laid.drawn.boxes().astype(int)]
    assert np.mean(held) > 0.99


@pytest.mark.skipif(len(KINDS_OF_CHROMIUM) < 2, reason="needs chromium and chromium-headless-shell")
@pytest.mark.parametrize(("kind", "language"), [("invoice", "en"), ("article", "zh")])
def test_kinds_of_chromium_draw_the_same(kind: str, language: str) -> None:
    async def drawn(program: str) -> Drawn:
        async with Browser(BrowserSettings(program=program)) as browser:
            for number in itertools.count():
                random = generator(3, number, f"{kind}/{language}")
                style = draw_style(random, language, 1024)
                with contextlib.suppress(Illegible):
                    page = TEMPLATES[kind](Supply(BundledPassages(), language, random), style)
                    return (await by_browser(page, browser)).drawn
        raise AssertionError

    first, second = (asyncio.run(drawn(program)) for program in KINDS_OF_CHROMIUM)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes(), second.boxes())
    assert first.texts == second.texts


def test_a_word_s_box_is_that_of_its_ink() -> None:
    from sources.ocr.blocks import paragraph

    style = draw_style(generator(1, 0, "style"), "en", 1024)
    flow = Flow(blocks=[paragraph("Jumpy", "flat")], boxes=[(20, 20, 380, 180)])
    laid = lay_out(Page(width=400, height=200, css=style.css(), fonts=style.fonts, flows=[flow]))
    dark = laid.drawn.pixels.min(axis=2) < 255 - INK
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    ink = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert laid.drawn.texts == ["Jumpy"]
    assert np.abs(laid.drawn.boxes()[0] - ink).max() <= 2
