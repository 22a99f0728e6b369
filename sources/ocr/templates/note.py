"""A handwritten note on plain or ruled paper."""

import dataclasses

from sources.ocr.blocks import paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import Supply
from sources.ocr.style import Style, font_families
from sources.ocr.vocabulary import label, words

INKS = ((24, 38, 112), (20, 20, 24), (40, 40, 60), (90, 20, 30))


def note(supply: Supply, style: Style) -> Page:
    random, language = supply.random, style.language
    family = random.choice(font_families(language, ("handwriting",)))
    size = style.side * random.uniform(0.024, 0.034)
    height = round(style.side * random.uniform(0.55, 1))
    leading = 1.5
    style = dataclasses.replace(
        style,
        body=family,
        head=family,
        size=size,
        height=height,
        width=round(style.side * random.uniform(0.6, 0.8)),
        leading=leading,
        ink=random.choice(INKS),
        justify=False,
        indent=False,
        paper=random.choice(((255, 255, 255), (252, 248, 232), (238, 244, 250))),
    )
    left, top, right, bottom = style.frame
    blocks = [
        paragraph(supply.date(), "right", is_divisible=False),
        paragraph(label("dear", language, name=random.choice(words("people", language))), "plain", is_divisible=False),
        *(paragraph(supply.sentence(), "plain") for _ in range(random.randint(2, 8))),
    ]
    step = size * leading
    areas = []
    if random.random() < 0.5:
        lines = [top + step * k for k in range(1, int((bottom - top) / step) + 1)]
        areas = [Area(box=(left - 10, y, right + 10, y + 1), colour=(186, 200, 216)) for y in lines]
    css = style.css(plain="margin:0;text-align:left", right="margin:0;text-align:right")
    return Page(
        width=style.width,
        height=height,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)])],
    )
