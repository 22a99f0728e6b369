"""Printed pages whose word boxes are exact."""

import numpy as np

from sources.ocr.rendered_text import RenderedText
from sources.ocr.text_mask import paste, render_words
from sources.text.fonts import Font, fonts_for

SENTENCE = "The committee met on 14 March 1987 to consider, among others, the deepening of the harbour by 3.5 metres. "


def plain_font(language: str) -> Font:
    """Return a font for printed text."""
    return fonts_for(language, ("sans", "serif"))[0]


def draw_printed_page(
    text: str = SENTENCE, *, language: str = "en", width: int = 640, height: int = 480, size_px: int = 16
) -> RenderedText:
    """Draw black text on white, repeated line by line until the page is full."""
    font = plain_font(language)
    ink = np.zeros((height, width), np.uint8)
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    words = text.split()
    per_line = max(1, int((width - 80) / (0.62 * size_px) / (sum(map(len, words)) / len(words) + 1)))
    for number, baseline in enumerate(range(60, height - 40, int(1.7 * size_px))):
        line = " ".join(words[(number * per_line + k) % len(words)] for k in range(per_line))
        for word in render_words(line, font, size_px):
            box = paste(ink, word, 40, baseline)
            assert box is not None
            texts.append(word.text)
            boxes.append(box)
    x0, y0, x1, y1 = np.array(boxes, np.float32).reshape(-1, 4).T
    quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
    return RenderedText(pixels=np.repeat(255 - ink[..., None], 3, axis=2), texts=texts, quads=quads)
