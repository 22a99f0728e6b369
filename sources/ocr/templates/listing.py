"""A page of a manual: text and code listings."""

from sources.ocr.blocks import Block, code, heading, paragraph
from sources.ocr.manuscript import Manuscript
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import sample_furniture
from sources.ocr.vocabulary import label, listings, words

BOX_STYLES = (
    "background-color:#f2f2f2;",
    "border:1px solid #bbbbbb;",
    "background-color:#f7f3e8;",
    "border-left:3px solid #888888;",
    "",
)


def listing(sampler: ContentSampler, style: Style) -> Manuscript:
    """Return a page of a manual."""
    random = sampler.random
    left, _, right, _ = style.frame
    blocks: list[Block] = [heading(random.choice(words("sections", style.language)), 1)]
    chosen = random.sample(listings(), 4)
    for number, program in enumerate(chosen, start=random.randint(1, 20)):
        blocks.append(paragraph(sampler.sentence(200), is_divisible=False))
        blocks.append(code(program.lines, program.language))
        blocks.append(paragraph(label("listing", style.language, n=number), "caption", is_divisible=False))
    size = min(
        style.size * 0.9, (right - left) / 50
    )  # the longest line has about 75 characters, each half as wide as high
    return Manuscript(
        style=style,
        blocks=blocks,
        columns=[style.frame],
        furniture=sample_furniture(sampler, style),
        css={"code": style.code(size, random.choice(BOX_STYLES))},
    )
