"""A report full of tables."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import page_number, running_head
from sources.ocr.templates.tables import data_table
from sources.ocr.vocabulary import words


def report(supply: ContentSampler, style: Style) -> Page:
    random = supply.random
    left, top, right, bottom = style.frame
    heads, areas = running_head(supply, style)
    blocks: list[Block] = [heading(random.choice(words("topics", style.language)), 1)]
    for _ in range(5):
        blocks.append(heading(random.choice(words("sections", style.language)), 2))
        blocks.append(paragraph(supply.sentence(260), is_divisible=False))
        blocks += data_table(supply, style, max_columns=6, num_rows=random.randint(4, 12))
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=areas,
        css=style.css(),
        flows=[*heads, Flow(blocks=blocks, boxes=[(left, top, right, bottom)]), *page_number(supply, style)],
    )
