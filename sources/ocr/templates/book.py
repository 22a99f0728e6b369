"""A page of a book: one column, a running head, sometimes a chapter title, a quotation or a footnote."""

import dataclasses

from sources.ocr.blocks import Block, heading, paragraph, rich_paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import GREY, page_number, running_head
from sources.ocr.vocabulary import label
from sources.text.languages import SQUARE


def book(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a book."""
    random = sampler.random
    style = dataclasses.replace(
        style, width=round(style.side * random.uniform(0.6, 0.72)), justify=True, indent=True, size=style.size * 1.15
    )
    left, top, right, bottom = style.frame
    heads, areas = running_head(sampler, style)
    blocks: list[Block] = []
    if random.random() < 0.3:
        blocks.append(
            paragraph(label("chapter", style.language, n=random.randint(1, 30)), "centre", is_divisible=False)
        )
        blocks.append(heading(sampler.title(44 if style.language not in SQUARE else 16), 1, "title"))
        heads, areas = [], []
    for text in sampler.paragraphs(style.capacity([(left, top, right, bottom)])):
        blocks.append(paragraph(text))
        if random.random() < 0.08:
            blocks.append(rich_paragraph([(sampler.sentence(180), "i" if style.body.italic else "")], "quote", "> "))
    flows = list(heads)
    if random.random() < 0.25:
        note_top = bottom - style.size * 4.2
        areas = [
            *areas,
            Area(
                box=(left, note_top - style.size * 0.5, left + (right - left) * 0.3, note_top - style.size * 0.5 + 1),
                colour=GREY,
            ),
        ]
        note = paragraph(f"{random.randint(1, 40)} {sampler.sentence(110)}", "small", is_divisible=False)
        flows += [
            Flow(blocks=blocks, boxes=[(left, top, right, note_top - style.size)]),
            Flow(blocks=[note], boxes=[(left, note_top, right, bottom)], must_fit=True),
        ]
    else:
        flows.append(Flow(blocks=blocks, boxes=[(left, top, right, bottom)]))
    css = style.css(title=style.display(1.8, margin=f"{style.size * 2:.0f}px 0", align="center", is_bold=False))
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=areas,
        css=css,
        flows=[*flows, *page_number(sampler, style)],
    )
