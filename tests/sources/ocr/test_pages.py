"""Pages as they are laid out: their text is the one that was given, and every word's box is that of its ink."""

import dataclasses

import numpy as np
import pytest

from sources.base.illegible import Illegible
from sources.ocr.blocks import INSET, Inset, figure, paragraph, rich_paragraph, table
from sources.ocr.page import Flow, Page, PageLayout
from sources.ocr.passages import BundledPassages, ContentSampler, hyphenated, sentences
from sources.ocr.story import lay_out
from sources.ocr.style import Style, draw_style
from sources.ocr.templates.registry import DRAWN, KINDS, TEMPLATES, languages_of
from sources.rng import generator

INK = 60  # grey levels between text and paper
CASES = [(kind, language) for kind in KINDS for language in languages_of(kind)]


def _made(kind: str, language: str, seed: int = 3) -> tuple[PageLayout, Style]:
    """The first page of a kind that can be made."""
    for number in range(40):
        random = generator(seed, number, f"{kind}/{language}")
        style = draw_style(random, language, 1024)
        supply = ContentSampler(BundledPassages(), language, random, 0.3)
        try:
            return (DRAWN[kind](supply, style) if kind in DRAWN else lay_out(TEMPLATES[kind](supply, style))), style
        except Illegible:
            continue
    raise AssertionError(f"no page of {kind} in {language} could be made in 40 attempts")


def _page(style: Style, flows: list[Flow]) -> Page:
    return Page(width=500, height=400, css=style.css(), fonts=style.fonts, flows=flows)


@pytest.fixture(scope="module")
def style() -> Style:
    plain = draw_style(generator(1, 0, "style"), "en", 1024)
    return dataclasses.replace(plain, size=15, leading=1.3, ink=(0, 0, 0), justify=False, indent=False)


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_all_that_is_drawn_is_told(kind: str, language: str) -> None:
    laid, _ = _made(kind, language)
    words = "".join(text for text in laid.drawn.texts if not text.startswith("$"))
    told = "".join(block.text for block in laid.blocks).replace(INSET, "")
    hyphens = sum(text.endswith("-") for text in laid.drawn.texts)
    assert words.replace("-", "") == "".join(told.split()).replace("-", "")
    assert len(words) - len("".join(told.split())) <= hyphens
    assert len(laid.lines) == len(laid.drawn.texts)
    boxes = laid.drawn.boxes()
    height, width = laid.drawn.pixels.shape[:2]
    assert (boxes[:, :2] >= -1).all()
    assert (boxes[:, 2] <= width + 1).all()
    assert (boxes[:, 3] <= height + 1).all()


def _alone(style: Style, text: str) -> tuple[PageLayout, np.ndarray]:
    """A short text on white paper, and the box of its ink."""
    laid = lay_out(_page(style, [Flow(blocks=[paragraph(text, "flat")], boxes=[(20, 20, 480, 380)])]))
    dark = laid.drawn.pixels.min(axis=2) < 255 - INK
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return laid, np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


@pytest.mark.parametrize("text", ["ocean", "Waffle", "jumpy", "lime,", "x", "(1984)", "difficult"])
def test_a_word_s_box_is_that_of_its_ink(style: Style, text: str) -> None:
    laid, ink = _alone(style, text)
    assert laid.drawn.texts == [text]
    assert np.abs(laid.drawn.boxes()[0] - ink).max() <= 1


def test_words_of_a_whole_page_hold_all_ink_but_rules(style: Style) -> None:
    text = " ".join(f"word{k}" for k in range(150))
    laid = lay_out(_page(style, [Flow(blocks=[paragraph(text)], boxes=[(20, 20, 240, 380), (260, 20, 480, 380)])]))
    dark = laid.drawn.pixels.min(axis=2) < 255 - INK
    assert dark.any()
    for x0, y0, x1, y1 in laid.drawn.boxes().astype(int):
        assert dark[y0:y1, x0:x1].any()
        dark[y0:y1, x0:x1] = False
    assert not dark.any()


def test_a_page_that_is_full_ends_its_text_where_the_ink_does(style: Style) -> None:
    text = " ".join(f"w{k}" for k in range(400))
    laid = lay_out(_page(style, [Flow(blocks=[paragraph(text)], boxes=[(20, 20, 200, 100)])]))
    assert 0 < len(laid.drawn.texts) < 400
    assert laid.text == " ".join(laid.drawn.texts) == laid.markdown
    assert text.startswith(laid.text + " ")


def test_a_table_is_shown_whole_or_not_at_all(style: Style) -> None:
    grid = table(["a", "b"], [[str(k), str(k * k)] for k in range(40)])
    laid = lay_out(_page(style, [Flow(blocks=[paragraph("before"), grid], boxes=[(20, 20, 480, 200)])]))
    assert laid.markdown == "before"
    assert laid.drawn.texts == ["before"]


def test_what_must_fit_and_does_not_is_illegible(style: Style) -> None:
    flow = Flow(blocks=[paragraph("many words " * 200)], boxes=[(20, 20, 200, 60)], must_fit=True)
    with pytest.raises(Illegible) as caught:
        lay_out(_page(style, [flow]))
    assert caught.value.reason == "overflow"


def test_a_character_that_no_chosen_font_has_is_never_drawn(style: Style) -> None:
    with pytest.raises(Illegible) as caught:
        lay_out(_page(style, [Flow(blocks=[paragraph("a 漢 b")], boxes=[(20, 20, 480, 200)])]))
    assert caught.value.reason == "missing_glyph"


def test_a_broken_word_is_two_words_and_one_in_the_text(style: Style) -> None:
    text = "internationalization circumstances understandable " * 6
    block = paragraph(text.strip(), hyphenated=hyphenated(text.strip()))
    laid = lay_out(_page(style, [Flow(blocks=[block], boxes=[(20, 20, 130, 380)])]))
    broken = [word for word in laid.drawn.texts if word.endswith("-")]
    assert broken
    assert "".join(laid.drawn.texts).replace("-", "") == "".join(laid.text.split())
    k = laid.drawn.texts.index(broken[0])
    assert laid.lines[k + 1] == laid.lines[k] + 1
    dark = laid.drawn.pixels.min(axis=2) < 255 - INK
    _, y0, x1, y1 = laid.drawn.boxes()[k].astype(int)
    assert not dark[y0:y1, x1 : x1 + 6].any()  # the hyphen is in the box


def test_an_inset_stands_where_its_words_are(style: Style) -> None:
    pixels = np.zeros((20, 50, 4), np.uint8)
    pixels[..., 3] = 255
    inset = Inset(pixels=pixels, text="$x$", markdown="$x$", words=("$x$",), boxes=np.array([[0, 0, 50, 20]]))
    laid = lay_out(
        _page(
            style,
            [Flow(blocks=[rich_paragraph([("before ", ""), inset, (" after", "b")])], boxes=[(20, 20, 480, 200)])],
        )
    )
    assert laid.text == "before $x$ after"
    assert laid.markdown == "before $x$ **after**"
    x0, y0, x1, y1 = laid.drawn.boxes()[laid.drawn.texts.index("$x$")].astype(int)
    assert (x1 - x0, y1 - y0) == (50, 20)
    assert (laid.drawn.pixels[y0:y1, x0:x1] == 0).all()


def test_cells_are_lines_of_their_own(style: Style) -> None:
    laid = lay_out(_page(style, [Flow(blocks=[table(["two words", "b"], [["1 2", "3"]])], boxes=[(20, 20, 480, 200)])]))
    assert laid.drawn.texts == ["two", "words", "b", "1", "2", "3"]
    assert list(laid.lines) == [0, 0, 1, 2, 2, 3]


@pytest.mark.parametrize("height", range(100, 220, 10))
def test_a_picture_that_has_no_room_begins_the_next_box(style: Style, height: int) -> None:
    shape = Inset(pixels=np.full((height, 120, 4), (200, 30, 30, 255), np.uint8))
    blocks = [paragraph("word " * 40), *figure(shape, "A caption"), paragraph("more " * 60)]
    boxes = [(20.0, 20.0, 220.0, 300.0), (260.0, 20.0, 460.0, 300.0)]
    laid = lay_out(_page(style, [Flow(blocks=blocks, boxes=boxes)]))
    assert "".join(laid.drawn.texts).startswith("word" * 40 + "Acaption" + "more" * 5)
    assert (laid.drawn.boxes()[:, 3] <= 302).all()
    red = (laid.drawn.pixels == (200, 30, 30)).all(axis=2)
    assert red.sum() == 120 * height  # none of it shrunk, and no text on it
    assert np.flatnonzero(red.any(axis=1))[-1] < 300


def test_no_column_of_vertical_text_begins_with_a_closing_mark() -> None:
    for seed in range(6):
        laid, _ = _made("vertical", "zh", seed)
        starts = np.flatnonzero(np.diff(laid.lines, prepend=-1))
        assert not {laid.drawn.texts[k][0] for k in starts} & set("，。、；：？！")


def test_a_sentence_does_not_end_before_a_small_letter() -> None:
    assert sentences("Open from 9 a.m. to 5 p.m. on Monday. Ring twice.") == [
        "Open from 9 a.m. to 5 p.m. on Monday.",
        "Ring twice.",
    ]


def test_sentences_keep_everything() -> None:
    text = "One 1.5 sentence. Another? “A third!” And 第一句。第二句！"
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert len(sentences(text)) >= 4
