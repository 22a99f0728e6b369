"""Close-ups: a word, a line or a few lines in large type, for models that read small pictures."""

from collections.abc import Callable
from functools import partial

import numpy as np

from sources.ocr.arrays import Ints
from sources.ocr.blocks import paragraph
from sources.ocr.ink import blend
from sources.ocr.page import PageLayout, boxes_to_quads
from sources.ocr.passages import ContentSampler
from sources.ocr.rendered_text import RenderedText
from sources.ocr.style import Style
from sources.ocr.text_mask import WordMask, paste, render_words
from sources.ocr.text_rendering import TextRendering

LINE_CHARACTERS = (6, 24)
PARAGRAPH_LINES = (2, 5)
PITCH = 1.35  # line height in font sizes
ASCENT = 0.95  # from the top of a line to its baseline, in font sizes
WIDEST = 0.94  # of the width of the picture that a line may fill
SMALLEST = 0.85  # of the largest font size that fits
MAX_LETTER = 0.25  # largest font size, as a fraction of the width of the picture
REFERENCE_PX = 64
REPLACED_SHARE = 0.3  # fraction of words in lines that are synthetic words or numbers
NUMBER_SHARE = 0.5  # fraction of words that are numbers


def _word(sampler: ContentSampler) -> list[str]:
    return [sampler.figure() if sampler.random.random() < NUMBER_SHARE else sampler.synthetic_word()]


def _lines(sampler: ContentSampler, num_lines: int) -> list[str]:
    """Return lines about equally long, of words from anywhere in a sentence, some of them replaced by others.

    Few bundled sentences thus give many texts, and reading them is no matter of memory.
    """
    random, length = sampler.random, sampler.random.randint(*LINE_CHARACTERS)
    rows = [""]
    while len(rows) <= num_lines:
        known = sampler.sentence().split()
        for word in known[random.randrange(len(known)) :]:
            if random.random() < REPLACED_SHARE:
                (word,) = _word(sampler)
            if rows[-1] and len(rows[-1]) + 1 + len(word) > length:
                rows.append("")
            rows[-1] = f"{rows[-1]} {word}".strip()
    return rows[:num_lines]


def _line(sampler: ContentSampler) -> list[str]:
    return _lines(sampler, 1)


def _paragraph(sampler: ContentSampler) -> list[str]:
    return _lines(sampler, sampler.random.randint(*PARAGRAPH_LINES))


def draw_close_up(write: Callable[[ContentSampler], list[str]], sampler: ContentSampler, style: Style) -> PageLayout:
    """Return a picture that its text fills, `style.side` pixels wide.

    Args:
        write: returns the lines of the text.
    Raises:
        FontError: the font lacks a character.
    """
    random = sampler.random
    font = random.choice((style.body.regular, style.body.bold))
    rows = write(sampler)
    widths = [words[-1].box[2] - words[0].box[0] for words in (render_words(row, font, REFERENCE_PX) for row in rows)]
    fitting = style.side * min(WIDEST * REFERENCE_PX / max(widths), MAX_LETTER, WIDEST / (PITCH * len(rows)))
    size = max(8, int(fitting * random.uniform(SMALLEST, 1)))
    pitch = round(size * PITCH)
    height = min(style.side, pitch * len(rows) + random.randint(0, style.side // 8))
    lines = [render_words(row, font, size) for row in rows]
    left = -min(words[0].box[0] for words in lines)
    longest = max(words[-1].box[2] for words in lines) + left
    x0 = left + random.randint(2, max(2, min(style.side // 16, style.side - longest - 2)))
    y0 = random.randint(0, max(0, height - pitch * len(rows)))
    return _paint(lines, (x0, y0 + round(ASCENT * size)), pitch, height, style)


def _paint(lines: list[list[WordMask]], start: tuple[int, int], pitch: int, height: int, style: Style) -> PageLayout:
    ink = np.zeros((height, style.side), np.uint8)
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    numbers: list[int] = []
    for number, words in enumerate(lines):
        for word in words:
            box = paste(ink, word, start[0], start[1] + number * pitch)
            assert box is not None, f"the word {word.text!r} is outside the picture"
            texts.append(word.text)
            boxes.append(box)
            numbers.append(number)
    pixels = np.empty((height, style.side, 3), np.uint8)
    pixels[:] = style.paper
    blend(pixels, ink, style.ink)
    rendered = RenderedText(pixels=pixels, texts=texts, quads=boxes_to_quads(np.array(boxes)))
    of_word: Ints = np.array(numbers, np.int32)
    text = TextRendering(rendered=rendered, lines=of_word, style=()).text()
    return PageLayout(rendered=rendered, lines=of_word, blocks=[paragraph(row) for row in text.split("\n")])


CLOSE_UPS: dict[str, Callable[[ContentSampler, Style], PageLayout]] = {
    "word": partial(draw_close_up, _word),
    "line": partial(draw_close_up, _line),
    "paragraph": partial(draw_close_up, _paragraph),
}
"""The kinds by name. They are made only where `kinds` names them."""
