"""Close-ups: a word, a line or a few lines that fill a small picture."""

import re

import numpy as np
import pytest

from sources.ocr.passages import BundledPassages, ContentSampler
from sources.ocr.source import Ocr
from sources.ocr.style import chosen_families, sample_style
from sources.ocr.templates.close_up import CLOSE_UPS
from sources.rng import generator
from sources.text.fonts import FontError

SIDE, INK = 256, 60


@pytest.mark.parametrize("kind", CLOSE_UPS)
def test_boxes_hold_all_ink_and_the_text_is_what_is_drawn(kind: str) -> None:
    num_lines = set()
    for number in range(25):
        random = generator(4, number, kind)
        style = sample_style(random, "en", SIDE)
        layout = CLOSE_UPS[kind](ContentSampler(BundledPassages(), "en", random), style)
        pixels, boxes = layout.rendered.pixels, layout.rendered.boxes()
        assert pixels.shape[1] == SIDE
        assert pixels.shape[0] <= SIDE
        ink = np.abs(pixels.astype(int) - style.paper).max(axis=2) > INK
        for x0, y0, x1, y1 in boxes.astype(int):
            assert ink[y0:y1, x0:x1].any()
            ink[y0:y1, x0:x1] = False
        assert not ink.any(), "ink outside the boxes"
        assert layout.text.split() == list(layout.rendered.texts)
        assert (boxes[:, 3] - boxes[:, 1]).max() > 0.03 * SIDE
        num_lines.add(len(set(layout.lines)))
    assert num_lines == {1} if kind != "paragraph" else len(num_lines) > 2


def test_half_of_the_words_are_numbers_of_all_lengths() -> None:
    sampler = ContentSampler(BundledPassages(), "en", generator(1, 0, "words"))
    source = Ocr(kinds={"word": 1}, languages=("en",), tasks={"text": 1}, strength=0, side_px=128, num_samples=80)
    texts = [str(source.make(k, "digest").text).removeprefix("<image>\n") for k in range(80)]
    numbers = [text for text in texts if text.isdecimal()]
    assert 25 <= len(numbers) <= 55
    assert {len(number) for number in numbers} == {1, 2, 3, 4, 5, 6}
    assert all(re.fullmatch("[A-Z]?[a-z]+", text) for text in set(texts) - set(numbers))
    assert len({sampler.synthetic_word() for _ in range(200)}) > 180


def test_close_ups_are_made_only_where_they_are_named() -> None:
    source = Ocr(num_samples=300, languages=("en",))
    kinds = {source._specify(number, BundledPassages())[0] for number in range(300)}  # type: ignore[index]
    assert not kinds & CLOSE_UPS.keys()
    with pytest.raises(ValueError, match="between 512 and 2048, got 128"):
        Ocr(kinds={"word": 1, "article": 1}, side_px=128)
    with pytest.raises(ValueError, match="no word page in zh"):
        Ocr(kinds={"word": 1}, languages=("zh",))


def test_only_the_named_font_families_are_used() -> None:
    chosen = ("DejaVu Sans", "DejaVu Sans Mono")
    families = {sample_style(generator(1, k, "style"), "en", SIDE, chosen).body.regular.family for k in range(30)}
    assert families == set(chosen)
    with pytest.raises(FontError, match="no font family of Nowhere is installed for en; there are"):
        chosen_families("en", ("Nowhere",))
    with pytest.raises(ValueError, match="Nowhere"):
        Ocr(kinds={"word": 1}, languages=("en",), families=("Nowhere",)).check()
