"""A report full of tables."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import page_number, running_head
from sources.ocr.templates.tables import data_table
from sources.ocr.vocabulary import words


def report(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a report."""
    random = sampler.random
    left, top, right, bottom = style.frame
    heads, areas = running_head(sampler, style)
    blocks: list[Block] = [heading(random.choice(words("topics", style.language)), 1)]
    for _ in range(5):
        blocks.append(heading(random.choice(words("sections", style.language)), 2))
        blocks.append(paragraph(sampler.sentence(260), is_divisible=False))
        blocks += data_table(sampler, style, max_columns=6, num_rows=random.randint(4, 12))
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=areas,
        css=style.css(),
        flows=[*heads, Flow(blocks=blocks, boxes=[(left, top, right, bottom)]), *page_number(sampler, style)],
    )
