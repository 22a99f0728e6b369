"""A notice in two languages, by alternate paragraphs or in two columns."""

import dataclasses

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import SIZES, Style, font_families
from sources.ocr.templates.furniture import GREY
from sources.ocr.vocabulary import words


def bilingual(sampler: ContentSampler, style: Style) -> Page:
    """Return a notice in Chinese and English."""
    random = sampler.random
    chinese = random.choice(font_families("zh", ("serif", "sans")))  # Chinese fonts have Latin letters too
    style = dataclasses.replace(
        style, size=style.side * random.uniform(*SIZES["zh"]), indent=False, body=chinese, head=chinese
    )
    left, top, right, bottom = style.frame
    number = random.randrange(len(words("topics", "en")))
    titles = [heading(words("topics", language)[number], 2) for language in ("zh", "en")]
    parts = [[paragraph(text, is_divisible=False) for text in _texts(sampler, language)] for language in ("zh", "en")]
    if random.random() < 0.5:
        boxes = style.columns(2, top, bottom)
        middle = (boxes[0][2] + boxes[1][0]) / 2
        return Page(
            width=style.width,
            height=style.height,
            paper=style.paper,
            fonts=style.fonts,
            css=style.css(),
            areas=[Area(box=(middle, top, middle + 1, bottom), colour=GREY)],
            flows=[
                Flow(blocks=[title, *part], boxes=[box]) for title, part, box in zip(titles, parts, boxes, strict=True)
            ],
        )
    mixed: list[Block] = [*titles]
    for pair in zip(*parts, strict=True):
        mixed += pair
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=style.css(),
        flows=[Flow(blocks=mixed, boxes=[(left, top, right, bottom)])],
    )


def _texts(sampler: ContentSampler, language: str) -> list[str]:
    return [sampler.in_language(language).sentence(300 if language == "en" else 120) for _ in range(5)]
