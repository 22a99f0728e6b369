"""Running heads and page numbers."""

from sources.ocr.blocks import Block, paragraph
from sources.ocr.page import Area, Flow
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, words

GREY = (150, 150, 150)


def running_head(sampler: ContentSampler, style: Style) -> tuple[list[Flow], list[Area]]:
    """Return a line above the type area, with or without a rule below it, or nothing."""
    random = sampler.random
    if random.random() < 0.4:
        return [], []
    left, top, right, _ = style.frame
    height = style.size * 1.9
    text = random.choice((random.choice(words("topics", style.language)), sampler.fields.company()))
    css_class = random.choice(("small", "small-centre", "small-right"))
    flow = Flow(blocks=[paragraph(text, css_class, is_divisible=False)], boxes=[(left, top - height, right, top)])
    rule = [Area(box=(left, top - 3, right, top - 2), colour=GREY)] if random.random() < 0.5 else []
    return [flow], rule


def page_number(sampler: ContentSampler, style: Style) -> list[Flow]:
    """Return a page number below the type area, or nothing."""
    random = sampler.random
    if random.random() < 0.25:
        return []
    left, _, right, bottom = style.frame
    number = random.randint(1, 480)
    text = random.choice((str(number), f"– {number} –", label("page", style.language, n=number)))
    block: Block = paragraph(text, random.choice(("small-centre", "small-right", "small")), is_divisible=False)
    return [Flow(blocks=[block], boxes=[(left, bottom + style.size * 0.4, right, bottom + style.size * 2.6)])]
