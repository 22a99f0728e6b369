"""Text masks and handwriting: words in order, exact boxes, no words that touch."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.ocr import handwriting
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.text_mask import INK, paste, render_words, split_at_breaks
from sources.text import fonts
from sources.text.fonts import FontError, fonts_for
from tests.sources.ocr.printed_pages import SENTENCE, plain_font

MIXED = "التاسعة صباحا PDF 3 file 14 مساء"
_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=9)


def _word_boxes(text: str, language: str) -> list[tuple[str, tuple[int, int, int, int]]]:
    return [(word.text, word.box) for word in render_words(text, plain_font(language), 32)]


@settings(deadline=None)
@given(st.lists(_WORD, min_size=1, max_size=6), st.integers(9, 60))
def test_words_are_in_order_cropped_to_their_ink_and_do_not_touch(words: list[str], size_px: int) -> None:
    line = render_words(" ".join(words), plain_font("en"), size_px)
    assert [word.text for word in line] == words
    for word in line:
        for edge in (word.mask[0], word.mask[-1], word.mask[:, 0], word.mask[:, -1]):
            assert (edge >= INK).any()
    for before, after in pairwise(line):
        assert before.box[2] < after.box[0]


def test_right_to_left_line_keeps_latin_words_in_order() -> None:
    places = _word_boxes(MIXED, "ar")
    assert [text for text, _ in places] == MIXED.split()
    left_to_right = [text for text, _ in sorted(places, key=lambda place: place[1][0])]
    assert left_to_right == ["مساء", "14", "PDF", "3", "file", "صباحا", "التاسعة"]


def test_arabic_letters_are_joined() -> None:
    joined = render_words("كتب", plain_font("ar"), 60)[0].box
    separate = [render_words(character, plain_font("ar"), 60)[0].box for character in "كتب"]
    assert joined[2] - joined[0] < 0.9 * sum(box[2] - box[0] for box in separate)


def test_lines_break_after_words_and_between_chinese_characters_but_not_before_punctuation() -> None:
    assert split_at_breaks("two words") == ["two ", "words "]
    assert split_at_breaks("会议，同意（挖深）3.5米。") == ["会", "议，", "同", "意", "（挖", "深）", "3.5", "米。 "]


def test_ink_outside_a_mask_is_cut_off() -> None:
    word = render_words("word", plain_font("en"), 20)[0]
    ink = np.zeros((30, 30), np.uint8)
    box = paste(ink, word, -10, 20)
    assert box is not None
    assert box[0] == 0
    assert ink.any()
    assert paste(ink, word, 40, 20) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_handwriting_has_ink_inside_its_boxes_only(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handwriting, "RULINGS", ("plain",))
    text = SENTENCE if language == "en" else "委员会开会审议各项提案，会议同意将港口挖深三点五米。"
    for seed in range(6):
        rendering = draw_handwriting(lambda max_characters: (text * 9)[:max_characters], language, Random(seed))
        rendered = rendering.rendered
        paper = np.median(rendered.pixels.reshape(-1, 3), axis=0)
        dark = np.abs(rendered.pixels.astype(int) - paper).max(axis=2) > 90
        covered = np.zeros(dark.shape, bool)
        for x0, y0, x1, y1 in rendered.boxes():
            box = slice(max(0, int(y0)), int(y1) + 1), slice(max(0, int(x0)), int(x1) + 1)
            assert dark[box].any()
            covered[box] = True
        assert not (dark & ~covered).any()
        assert rendering.style == ("handwriting",)
        assert "".join(rendering.text().split()) in "".join((text * 9).split())


def test_missing_handwriting_font_is_a_font_error(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = tuple(font for font in fonts_for("en") if font.kind != "handwriting")
    monkeypatch.setattr(fonts, "_fonts_writing", lambda language: printed)
    fonts_for.cache_clear()
    try:
        with pytest.raises(FontError, match="no handwriting font with the Latin script is installed"):
            draw_handwriting(lambda max_characters: SENTENCE, "en", Random(0))
    finally:
        fonts_for.cache_clear()
