"""The picture of docs/sources/ocr_degradation.md: pages at rising strengths, scenes, handwriting, with word boxes."""

from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from examples.pictures.sheet import Sheet
from sources.ocr.clean_page import make_clean_page
from sources.ocr.degradation import degrade
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.rendered_text import RenderedText
from sources.ocr.scene import draw_scene
from sources.ocr.text_mask import split_at_breaks

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
PAGES = (
    ("article", "en", 6),
    ("receipt", "zh", 5),
    ("form", "en", 7),
    ("newspaper", "zh", 1),
    ("letter", "en", 8),
    ("dictionary", "zh", 2),
)
SCENES = (("en", 1), ("zh", 0), ("ar", 3), ("hi", 5))
HANDS = (("en", 4), ("zh", 6))
CELL = (300, 400)
PART = (40, 40, 400, 520)  # the part of a page in a cell, in pixels: words of a whole page would be illegible


def draw_boxes(rendered: RenderedText, part: tuple[int, int, int, int] | None = None) -> Image.Image:
    """Return the picture, or a part of it, with its word boxes, in the size of a cell."""
    image = Image.fromarray(rendered.pixels)
    quads = rendered.quads
    if part is not None:
        image = image.crop(part)
        quads = quads - np.array(part[:2], np.float32)
    scale = min(CELL[0] / image.width, CELL[1] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image, "RGBA")
    for quad in quads:
        draw.polygon([(float(x * scale), float(y * scale)) for x, y in quad], outline=(220, 60, 60, 110))
    cell = Image.new("RGB", CELL, "white")
    cell.paste(image, ((CELL[0] - image.width) // 2, (CELL[1] - image.height) // 2))
    return cell


def make_phrase(language: str, random: Random) -> Callable[[int], str]:
    """Return a function that gives parts of the text, at most as long as requested."""

    def take(max_characters: int) -> str:
        pieces = split_at_breaks(TEXTS[language] * 9)
        first = random.randrange(40)
        text = pieces[first]
        for piece in pieces[first + 1 : first + (150 if max_characters > 150 else random.randint(2, 8))]:
            if len(text) + len(piece) > max_characters:
                break
            text += piece
        return text.strip()

    return take


def page(kind: str, language: str, seed: int, strength: float) -> tuple[Image.Image, str]:
    """A part of a page after degradation."""
    return draw_boxes(degrade(make_clean_page(kind, language, kind), strength, Random(seed)).rendered, PART), ""


def scene(language: str, seed: int) -> tuple[Image.Image, str]:
    """Labels in a scene."""
    random = Random(seed)
    return draw_boxes(draw_scene(make_phrase(language, random), language, random).rendered), ""


def handwriting(language: str, seed: int) -> tuple[Image.Image, str]:
    """A page of handwriting."""
    random = Random(seed)
    return draw_boxes(draw_handwriting(make_phrase(language, random), language, random).rendered), ""


SHEET = Sheet(
    file="ocr_degradation.webp",
    drawings=[
        *(partial(page, kind, language, seed, strength) for strength in STRENGTHS for kind, language, seed in PAGES),
        *(partial(scene, language, seed) for language, seed in SCENES),
        *(partial(handwriting, language, seed) for language, seed in HANDS),
    ],
    columns=len(PAGES),
    cell_px=CELL,
    quality=36,
)
