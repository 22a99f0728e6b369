"""A page of a book: one column, a running head, sometimes a chapter title, a quotation or a footnote."""

import dataclasses

from sources.ocr.blocks import Block, heading, paragraph, rich_paragraph
from sources.ocr.manuscript import Manuscript
from sources.ocr.page import Area, Flow
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import GREY, sample_furniture
from sources.ocr.vocabulary import label
from sources.text.languages import SQUARE


def book(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return pages of a book."""
    random = sampler.random
    style = dataclasses.replace(
        style, width=round(style.side * random.uniform(0.6, 0.72)), justify=True, indent=True, size=style.size * 1.15
    )
    left, top, right, bottom = style.frame
    blocks: list[Block] = []
    is_start = random.random() < 0.3
    if is_start:
        blocks.append(
            paragraph(label("chapter", style.language, n=random.randint(1, 30)), "centre", is_divisible=False)
        )
        blocks.append(heading(sampler.title(44 if style.language not in SQUARE else 16), 1, "title"))
    for text in sampler.paragraphs(style.capacity([style.frame]) * num_pages):
        blocks.append(paragraph(text))
        if random.random() < 0.08:
            blocks.append(rich_paragraph([(sampler.sentence(180), "i" if style.body.italic else "")], "quote", "> "))
    note_top = bottom - style.size * 4.2
    has_note = random.random() < 0.25
    note = paragraph(f"{random.randint(1, 40)} {sampler.sentence(110)}", "small", is_divisible=False)
    rule = (left, note_top - style.size * 0.5, left + (right - left) * 0.3, note_top - style.size * 0.5 + 1)
    return Manuscript(
        style=style,
        blocks=blocks,
        columns=[style.frame],
        first_columns=[(left, top, right, note_top - style.size)] if has_note else None,
        closing=[Flow(blocks=[note], boxes=[(left, note_top, right, bottom)], must_fit=True)] * has_note,
        areas=[Area(box=rule, colour=GREY)] * has_note,
        furniture=sample_furniture(sampler, style, skips_first=is_start),
        css={"title": style.display(1.8, margin=f"{style.size * 2:.0f}px 0", align="center", is_bold=False)},
    )
