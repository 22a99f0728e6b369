"""A page of a manual: text and code listings."""

from sources.ocr.blocks import Block, code, heading, paragraph
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import page_number, running_head
from sources.ocr.vocabulary import label, listings, words

BOX_STYLES = (
    "background-color:#f2f2f2;",
    "border:1px solid #bbbbbb;",
    "background-color:#f7f3e8;",
    "border-left:3px solid #888888;",
    "",
)


def listing(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a manual."""
    random = sampler.random
    left, top, right, bottom = style.frame
    heads, areas = running_head(sampler, style)
    blocks: list[Block] = [heading(random.choice(words("sections", style.language)), 1)]
    chosen = random.sample(listings(), 4)
    for number, program in enumerate(chosen, start=random.randint(1, 20)):
        blocks.append(paragraph(sampler.sentence(200), is_divisible=False))
        blocks.append(code(program.lines, program.language))
        blocks.append(paragraph(label("listing", style.language, n=number), "caption", is_divisible=False))
    size = min(
        style.size * 0.9, (right - left) / 50
    )  # the longest line has about 75 characters, each half as wide as high
    css = style.css(code=style.code(size, random.choice(BOX_STYLES)))
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=areas,
        css=css,
        flows=[*heads, Flow(blocks=blocks, boxes=[(left, top, right, bottom)]), *page_number(sampler, style)],
    )
