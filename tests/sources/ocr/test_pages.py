"""Page layouts: their text is the given text, and the box of every word fits its ink."""

import dataclasses

import numpy as np
import pytest

from sources.base.illegible import Illegible
from sources.ocr.blocks import INSET, Inset, figure, heading, paragraph, rich_paragraph, table
from sources.ocr.hyphenation import add_soft_hyphens
from sources.ocr.page import Flow, Page, PageLayout
from sources.ocr.passages import BundledPassages, ContentSampler, split_sentences
from sources.ocr.story import lay_out
from sources.ocr.style import Style, sample_style
from sources.ocr.templates.registry import DIRECT_TEMPLATES, KINDS, TEMPLATES, supported_languages
from sources.ocr.templates.tables import data_table
from sources.rng import generator

INK = 60  # grey levels between text and paper
CASES = [(kind, language) for kind in KINDS for language in supported_languages(kind)]


def _make_page(kind: str, language: str, seed: int = 3) -> tuple[PageLayout, Style]:
    """Return the first legible page of a kind, and its style."""
    for number in range(40):
        random = generator(seed, number, f"{kind}/{language}")
        style = sample_style(random, language, 1024)
        sampler = ContentSampler(BundledPassages(), language, random)
        try:
            return (
                DIRECT_TEMPLATES[kind](sampler, style)
                if kind in DIRECT_TEMPLATES
                else lay_out(TEMPLATES[kind](sampler, style))
            ), style
        except Illegible:
            continue
    raise AssertionError(f"no page of {kind} in {language} could be made in 40 attempts")


def _page(style: Style, flows: list[Flow]) -> Page:
    return Page(width=500, height=400, css=style.css(), fonts=style.fonts, flows=flows)


@pytest.fixture(scope="module")
def style() -> Style:
    plain = sample_style(generator(1, 0, "style"), "en", 1024)
    return dataclasses.replace(plain, size=15, leading=1.3, ink=(0, 0, 0), justify=False, indent=False)


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_layout_has_all_rendered_words(kind: str, language: str) -> None:
    layout, _ = _make_page(kind, language)
    formulas = {text for text in layout.rendered.texts if text.startswith("$") and text.endswith("$")}
    words = "".join(text for text in layout.rendered.texts if text not in formulas)
    text = "".join(block.text for block in layout.blocks).replace(INSET, "")
    hyphens = sum(text.endswith("-") for text in layout.rendered.texts)
    assert words.replace("-", "") == "".join(text.split()).replace("-", "")
    assert len(words) - len("".join(text.split())) <= hyphens
    assert len(layout.lines) == len(layout.rendered.texts)
    boxes = layout.rendered.boxes()
    height, width = layout.rendered.pixels.shape[:2]
    assert (boxes[:, :2] >= -1).all()
    assert (boxes[:, 2] <= width + 1).all()
    assert (boxes[:, 3] <= height + 1).all()


def _lay_out_alone(style: Style, text: str) -> tuple[PageLayout, np.ndarray]:
    """Return a layout of a short text on white paper, and the box of its ink."""
    layout = lay_out(_page(style, [Flow(blocks=[paragraph(text, "flat")], boxes=[(20, 20, 480, 380)])]))
    dark = layout.rendered.pixels.min(axis=2) < 255 - INK
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return layout, np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


@pytest.mark.parametrize("text", ["ocean", "Waffle", "jumpy", "lime,", "x", "(1984)", "difficult"])
def test_word_box_fits_its_ink(style: Style, text: str) -> None:
    layout, ink = _lay_out_alone(style, text)
    assert layout.rendered.texts == [text]
    assert np.abs(layout.rendered.boxes()[0] - ink).max() <= 1


def test_word_boxes_of_a_page_hold_all_ink(style: Style) -> None:
    text = " ".join(f"word{k}" for k in range(150))
    layout = lay_out(_page(style, [Flow(blocks=[paragraph(text)], boxes=[(20, 20, 240, 380), (260, 20, 480, 380)])]))
    dark = layout.rendered.pixels.min(axis=2) < 255 - INK
    assert dark.any()
    for x0, y0, x1, y1 in layout.rendered.boxes().astype(int):
        assert dark[y0:y1, x0:x1].any()
        dark[y0:y1, x0:x1] = False
    assert not dark.any()


def test_text_of_a_full_page_ends_with_its_ink(style: Style) -> None:
    text = " ".join(f"w{k}" for k in range(400))
    layout = lay_out(_page(style, [Flow(blocks=[paragraph(text)], boxes=[(20, 20, 200, 100)])]))
    assert 0 < len(layout.rendered.texts) < 400
    assert layout.text == " ".join(layout.rendered.texts) == layout.markdown
    assert text.startswith(layout.text + " ")


def test_table_is_never_cut(style: Style) -> None:
    grid = table(["a", "b"], [[str(k), str(k * k)] for k in range(40)])
    layout = lay_out(_page(style, [Flow(blocks=[paragraph("before"), grid], boxes=[(20, 20, 480, 200)])]))
    assert layout.markdown == "before"
    assert layout.rendered.texts == ["before"]


def test_flow_that_must_fit_but_does_not_is_illegible(style: Style) -> None:
    flow = Flow(blocks=[paragraph("many words " * 200)], boxes=[(20, 20, 200, 60)], must_fit=True)
    with pytest.raises(Illegible) as caught:
        lay_out(_page(style, [flow]))
    assert caught.value.reason == "overflow"


def test_character_missing_in_the_chosen_fonts_is_illegible(style: Style) -> None:
    with pytest.raises(Illegible) as caught:
        lay_out(_page(style, [Flow(blocks=[paragraph("a 漢 b")], boxes=[(20, 20, 480, 200)])]))
    assert caught.value.reason == "missing_glyph"


def test_hyphenated_word_is_two_printed_words_but_one_in_the_text(style: Style) -> None:
    text = "internationalization circumstances understandable " * 6
    block = paragraph(text.strip(), hyphenated_text=add_soft_hyphens(text.strip(), "en"))
    layout = lay_out(_page(style, [Flow(blocks=[block], boxes=[(20, 20, 130, 380)])]))
    broken = [word for word in layout.rendered.texts if word.endswith("-")]
    assert broken
    assert "".join(layout.rendered.texts).replace("-", "") == "".join(layout.text.split())
    k = layout.rendered.texts.index(broken[0])
    assert layout.lines[k + 1] == layout.lines[k] + 1
    dark = layout.rendered.pixels.min(axis=2) < 255 - INK
    _, y0, x1, y1 = layout.rendered.boxes()[k].astype(int)
    assert not dark[y0:y1, x1 : x1 + 6].any()  # the hyphen is in the box


def test_inset_is_drawn_at_the_box_of_its_words(style: Style) -> None:
    pixels = np.zeros((20, 50, 4), np.uint8)
    pixels[..., 3] = 255
    inset = Inset(pixels=pixels, text="$x$", markdown="$x$", words=("$x$",), boxes=np.array([[0, 0, 50, 20]]))
    layout = lay_out(
        _page(
            style,
            [Flow(blocks=[rich_paragraph([("before ", ""), inset, (" after", "b")])], boxes=[(20, 20, 480, 200)])],
        )
    )
    assert layout.text == "before $x$ after"
    assert layout.markdown == "before $x$ **after**"
    x0, y0, x1, y1 = layout.rendered.boxes()[layout.rendered.texts.index("$x$")].astype(int)
    assert (x1 - x0, y1 - y0) == (50, 20)
    assert (layout.rendered.pixels[y0:y1, x0:x1] == 0).all()


def test_table_cells_are_separate_lines(style: Style) -> None:
    layout = lay_out(
        _page(style, [Flow(blocks=[table(["two words", "b"], [["1 2", "3"]])], boxes=[(20, 20, 480, 200)])])
    )
    assert layout.rendered.texts == ["two", "words", "b", "1", "2", "3"]
    assert list(layout.lines) == [0, 0, 1, 2, 2, 3]


@pytest.mark.parametrize("height", range(100, 220, 10))
def test_picture_that_does_not_fit_begins_the_next_box(style: Style, height: int) -> None:
    shape = Inset(pixels=np.full((height, 120, 4), (200, 30, 30, 255), np.uint8))
    blocks = [paragraph("word " * 40), *figure(shape, "A caption"), paragraph("more " * 60)]
    boxes = [(20.0, 20.0, 220.0, 300.0), (260.0, 20.0, 460.0, 300.0)]
    layout = lay_out(_page(style, [Flow(blocks=blocks, boxes=boxes)]))
    assert "".join(layout.rendered.texts).startswith("word" * 40 + "Acaption" + "more" * 5)
    assert (layout.rendered.boxes()[:, 3] <= 302).all()
    red = (layout.rendered.pixels == (200, 30, 30)).all(axis=2)
    assert red.sum() == 120 * height  # not shrunk and not covered by text
    assert np.flatnonzero(red.any(axis=1))[-1] < 300


def test_no_column_of_vertical_text_begins_with_a_closing_mark() -> None:
    for seed in range(6):
        layout, _ = _make_page("vertical", "zh", seed)
        starts = np.flatnonzero(np.diff(layout.lines, prepend=-1))
        assert not {layout.rendered.texts[k][0] for k in starts} & set("，。、；：？！")


def test_sentence_does_not_end_before_a_lower_case_letter() -> None:
    assert split_sentences("Open from 9 a.m. to 5 p.m. on Monday. Ring twice.") == [
        "Open from 9 a.m. to 5 p.m. on Monday.",
        "Ring twice.",
    ]


def test_sentence_does_not_end_after_an_abbreviation_or_an_initial() -> None:
    text = ["Mrs. Hale met Dr. J. R. Boone at No. 5, St. Mary's.", "He left at once.", "“Why?” she asked.", "Go on!"]
    assert split_sentences(" ".join(text)) == text


@pytest.mark.parametrize(
    ("language", "word", "parts"),
    [
        ("en", "anything", "any-thing"),
        ("en", "understanding", "un-der-stand-ing"),
        ("en", "Whitfield", "Whitfield"),
        ("de", "Geschwindigkeit", "Ge-schwin-dig-keit"),
        ("pl", "odpowiedzialność", "od-po-wie-dzial-ność"),
        ("cs", "nejkrásnější", "nej-krás-nější"),
        ("tr", "anlaşılabilir", "anlaşılabilir"),  # there are no patterns for Turkish
    ],
)
def test_words_are_broken_by_the_patterns_of_their_language(language: str, word: str, parts: str) -> None:
    assert add_soft_hyphens(word, language).replace("\u00ad", "-") == parts


def test_split_sentences_keeps_all_characters() -> None:
    text = "One 1.5 sentence. Another? “A third!” And 第一句。第二句！"
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
    assert len(split_sentences(text)) >= 4


@pytest.mark.parametrize("height", range(90, 330, 20))
def test_no_page_ends_with_a_heading_or_a_caption_without_its_table(style: Style, height: int) -> None:
    sampler = ContentSampler(BundledPassages(), "en", generator(0, height, "page"))
    blocks = [paragraph("Words. " * 30), heading("Results", 2), *data_table(sampler, style, 3, 4)]
    blocks += [heading("Outlook", 2), paragraph("Words. " * 90, is_divisible=False)]
    text = lay_out(_page(style, [Flow(blocks=blocks, boxes=[(20, 20, 480, height)])])).text.strip()
    assert text.endswith(("Words.", *"0123456789")), text[-60:]
