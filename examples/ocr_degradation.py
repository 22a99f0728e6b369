"""Draws docs/ocr_degradation.webp: pages at rising strengths, scenes and handwriting, with the boxes of their words.

python examples/ocr_degradation.py [OUT.webp]
"""

import sys
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from sources.fonts import fonts_for
from sources.ocr.degradation import degrade
from sources.ocr.drawn import Drawn
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.lettering import breakable, is_right_to_left, letter, line_length, paste
from sources.ocr.scene import Illegible, draw_scene

STRENGTHS = (0.2, 0.5, 1.0)
TEXTS = {
    "en": "The committee met on 14 March 1987 to consider the deepening of the harbour by 3.5 metres, at a cost of "
    "1,250,000. It was agreed that work would begin in spring, and that the old quay should be kept. ",
    "zh": "委员会于一九八七年三月十四日开会，审议将港口挖深三点五米的提案，费用为一百二十五万元。"
    "会议同意工程于春季开始，并保留旧码头。",
    "ar": "اجتمعت اللجنة في 14 مارس للنظر في تعميق الميناء بمقدار ثلاثة أمتار. "
    "وتم الاتفاق على أن يبدأ العمل في الربيع القادم مع الحفاظ على الرصيف القديم. ",
    "hi": "समिति की बैठक 14 मार्च को हुई जिसमें बंदरगाह को गहरा करने पर विचार किया गया और वसंत में काम शुरू करने का निर्णय हुआ। ",
}
PAGES = (("en", 21), ("zh", 4), ("en", 1), ("ar", 12), ("zh", 10), ("en", 33))
SCENES = (("en", 1), ("zh", 0), ("ar", 3), ("hi", 5))
HANDS = (("en", 4), ("zh", 6))
CELL = (260, 345)


def page(language: str, width: int = 520, height: int = 690, size_px: int = 22) -> Drawn:
    """A printed page, black on white."""
    font = next(font for font in fonts_for(language, ("serif", "sans")) if not font.bold and not font.italic)
    ink = np.zeros((height, width), np.uint8)
    texts, boxes, baseline, row, length = [], [], 70, "", 0.0
    for piece in breakable(TEXTS[language] * 20):
        added = line_length(piece, font, size_px)
        if row and length + added > width - 80:
            words = letter(row, font, size_px)
            start = width - 40 - max(word.box[2] for word in words) if is_right_to_left(row) else 40
            for word in words:
                texts.append(word.text)
                boxes.append(paste(ink, word, start, baseline))
            baseline, row, length = baseline + int(1.7 * size_px), "", 0.0
            if baseline > height - 50:
                break
        row, length = row + piece, length + added
    x0, y0, x1, y1 = np.array(boxes, np.float32).T
    quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
    return Drawn(pixels=np.repeat(255 - ink[..., None], 3, axis=2), texts=texts, quads=quads)


def outlined(drawn: Drawn) -> Image.Image:
    """The picture with its boxes, as large as a cell of the sheet."""
    image = Image.fromarray(drawn.pixels)
    scale = min(CELL[0] / image.width, CELL[1] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    for quad in drawn.quads:
        draw.polygon([(float(x * scale), float(y * scale)) for x, y in quad], outline=(220, 60, 60))
    cell = Image.new("RGB", CELL, "white")
    cell.paste(image, ((CELL[0] - image.width) // 2, (CELL[1] - image.height) // 2))
    return cell


def phrase(language: str, random: Random) -> Callable[[int], str]:
    """Beginnings of the text, as long as is asked for."""

    def take(max_characters: int) -> str:
        pieces = breakable(TEXTS[language] * 9)
        first = random.randrange(40)
        text = pieces[first]
        for piece in pieces[first + 1 : first + (150 if max_characters > 150 else random.randint(2, 8))]:
            if len(text) + len(piece) > max_characters:
                break
            text += piece
        return text.strip()

    return take


def main() -> None:
    """Draw the sheet."""
    rows: list[list[Drawn]] = []
    for strength in STRENGTHS:
        rows.append([degrade(page(language), strength, Random(seed)).drawn for language, seed in PAGES])
    others = []
    for language, seed in SCENES:
        random = Random(seed)
        others.append(draw_scene(phrase(language, random), language, random).drawn)
    for language, seed in HANDS:
        random = Random(seed)
        others.append(draw_handwriting(phrase(language, random), language, random).drawn)
    rows.append(others)
    sheet = Image.new("RGB", (CELL[0] * len(PAGES), CELL[1] * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, drawn in enumerate(row):
            sheet.paste(outlined(drawn), (x * CELL[0], y * CELL[1]))
    sheet.save(sys.argv[1] if len(sys.argv) > 1 else "docs/ocr_degradation.webp", quality=36, method=6)


if __name__ == "__main__":
    try:
        main()
    except Illegible as error:
        sys.exit(f"error: {error}")
