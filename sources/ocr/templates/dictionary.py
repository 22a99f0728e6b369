"""A page of a dictionary: entries in narrow columns."""

import dataclasses

from sources.ocr.blocks import Block, paragraph, rich_paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import GREY, page_number
from sources.ocr.vocabulary import dictionary_entries


def dictionary(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a dictionary."""
    random, language = sampler.random, style.language
    style = dataclasses.replace(style, leading=1.25 if language == "en" else 1.4, size=style.size * 0.95)
    left, top, right, bottom = style.frame
    entries = dictionary_entries(language)
    blocks: list[Block] = []
    columns = style.columns(random.choice((2, 3)) if language == "en" else 2, top, bottom)
    while sum(len(block.text) for block in blocks) < style.capacity(columns):
        for term, before, meaning in sorted(random.sample(entries, len(entries))):
            pieces = [
                (term, "b"),
                (f" {before} ", "i" if style.body.italic and language == "en" else ""),
                (meaning, ""),
            ]
            if random.random() < 0.6:
                pieces.append((f" {'例：' if language == 'zh' else ''}{sampler.sentence(110)}", ""))
            blocks.append(rich_paragraph(pieces, "entry"))
    guide = f"{blocks[0].text.split(' ')[0]} – {blocks[min(20, len(blocks) - 1)].text.split(' ')[0]}"
    css = style.css(
        entry=f"margin:0 0 {style.size * 0.35:.1f}px {style.size:.0f}px;text-indent:-{style.size:.0f}px;text-align:left"
    )
    areas = [Area(box=(left, top - 4, right, top - 3), colour=GREY)]
    if random.random() < 0.5:
        areas += [
            Area(box=(box[2] + style.size * 0.8, top, box[2] + style.size * 0.8 + 1, bottom), colour=GREY)
            for box in sorted(columns)[:-1]
        ]
    head = Flow(
        blocks=[paragraph(guide, "small", is_divisible=False)], boxes=[(left, top - style.size * 2, right, top - 4)]
    )
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[head, Flow(blocks=blocks, boxes=columns), *page_number(sampler, style)],
    )
