"""A page of a newspaper: masthead, lead story over several columns, shorter ones below, hyphenated words."""

import dataclasses

from sources.ocr.blocks import Block, figure, heading, paragraph
from sources.ocr.figures import draw_figure
from sources.ocr.hyphenation import add_soft_hyphens
from sources.ocr.page import Area, Box, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import GREY
from sources.ocr.vocabulary import label, words
from sources.text.languages import SQUARE

GREY_PAPERS = ((255, 255, 255), (240, 238, 232), (232, 229, 220))


def newspaper(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a newspaper."""
    random, language = sampler.random, style.language
    style = dataclasses.replace(
        style,
        width=round(style.side * 0.75),
        size=style.side * (0.0112 if language not in SQUARE else 0.0137),
        leading=1.22 if language not in SQUARE else 1.35,
        justify=True,
        indent=True,
        margin=round(style.side * random.uniform(0.03, 0.05)),
        paper=random.choice(GREY_PAPERS),
    )
    left, top, right, bottom = style.frame
    size = style.size
    mast, line = top + size * 4.2, top + size * 6.2
    middle = line + (bottom - line) * random.uniform(0.45, 0.6)
    areas = [Area(box=(left, y, right, y + 1), colour=(40, 40, 40)) for y in (mast, line)]
    edition = f"{label('edition', language, n=random.randint(100, 20000))}    {sampler.fields.date()}"
    num_columns = random.choice((3, 4)) if language not in SQUARE else random.choice((2, 3, 4))
    lead_columns = style.columns(num_columns, line + size * 5, middle - size)
    flows = [
        Flow(
            blocks=[heading(random.choice(words("newspapers", language)), 1, "mast")],
            boxes=[(left, top, right, mast)],
            must_fit=True,
        ),
        Flow(
            blocks=[paragraph(edition, "small-centre", is_divisible=False)],
            boxes=[(left, mast + 2, right, line)],
            must_fit=True,
        ),
        Flow(
            blocks=[heading(sampler.title(60 if language not in SQUARE else 20), 2, "lead")],
            boxes=[(left, line + size * 0.6, right, line + size * 5)],
            must_fit=True,
        ),
        Flow(blocks=_story(sampler, style, lead_columns), boxes=lead_columns),
    ]
    areas.append(Area(box=(left, middle - size * 0.5, right, middle - size * 0.5 + 1), colour=GREY))
    count = random.choice((2, 3))
    for box in style.columns(count, middle, bottom):
        title = heading(sampler.title(48 if language not in SQUARE else 16), 3, "short")
        flows.append(Flow(blocks=[title, *_story(sampler, style, [box])], boxes=[box]))
    css = style.css(
        mast=style.display(3.2, align="center"),
        lead=style.display(2),
        short=style.display(1.3, margin=f"0 0 {size * 0.4:.0f}px 0"),
    )
    return Page(
        width=style.width, height=style.height, paper=style.paper, fonts=style.fonts, css=css, areas=areas, flows=flows
    )


def _story(sampler: ContentSampler, style: Style, boxes: list[Box]) -> list[Block]:
    blocks: list[Block] = []
    width = boxes[0][2] - boxes[0][0]
    if sampler.random.random() < 0.4:
        shape = draw_figure(round(width), round(width * sampler.random.uniform(0.5, 0.8)), style.accent, sampler.random)
        blocks += figure(shape, sampler.sentence(90))
    for text in sampler.paragraphs(style.capacity(boxes)):
        hyphenated_text = add_soft_hyphens(text, sampler.text_language)
        blocks.append(paragraph(text, hyphenated_text=hyphenated_text))
    return blocks
