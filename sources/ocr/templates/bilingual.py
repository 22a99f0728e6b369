"""A notice in two languages, by alternate paragraphs or in two columns."""

import dataclasses

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import SIZES, Style, font_families
from sources.ocr.templates.furniture import GREY

FILLED = 0.24  # of the capacity of a page that the Chinese text takes; the English one takes about twice as much


def bilingual(sampler: ContentSampler, style: Style) -> Page:
    """Return a notice in Chinese and English, each a translation of the other."""
    random = sampler.random
    chinese = random.choice(font_families("zh", ("serif", "sans")))  # Chinese fonts have Latin letters too
    style = dataclasses.replace(
        style, size=style.side * random.uniform(*SIZES["zh"]), indent=False, body=chinese, head=chinese
    )
    left, top, right, bottom = style.frame
    titles: list[Block] = []
    parts: list[list[Block]] = [[], []]
    while sum(len(block.text) for block in parts[0]) < style.capacity([style.frame]) * FILLED:
        title, *sentences = sampler.parallel()
        for k, css_level in ((0, 2), (1, 2)):
            heading_block = heading(title[1 - k], css_level)
            if len(titles) < 2:
                titles.append(heading_block)
            else:
                parts[k].append(heading_block)
        for english, chinese_text in sentences:
            parts[0].append(paragraph(chinese_text, is_divisible=False))
            parts[1].append(paragraph(english, is_divisible=False))
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
    blocks = [*titles, *(block for pair in zip(*parts, strict=True) for block in pair)]
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=style.css(),
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)])],
    )
