"""A page of a dictionary: entries in narrow columns."""

import dataclasses

from sources.ocr.blocks import Block, paragraph, rich_paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style, font_families
from sources.ocr.templates.furniture import GREY, sample_furniture
from sources.ocr.writing.dictionary import entries
from sources.text.fonts import missing

ENTRY_CHARACTERS = 28  # least length of an entry
TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"


def dictionary(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of a dictionary."""
    random, language = sampler.random, style.language
    style = dataclasses.replace(style, leading=1.4 if language == "zh" else 1.25, size=style.size * 0.95)
    if language == "zh" and missing(TONES, style.body.regular):
        fitting = [family for family in font_families("zh", ("serif", "sans")) if not missing(TONES, family.regular)]
        style = dataclasses.replace(style, body=random.choice(fitting or [style.body]))
    left, top, right, bottom = style.frame
    columns = style.columns(2 if language == "zh" else random.choice((2, 3)), top, bottom)
    blocks: list[Block] = []
    for entry in entries(language, 1 + style.capacity(columns) // ENTRY_CHARACTERS, random):
        pieces = [
            (entry.term, "b"),
            (f" {entry.note} ", "i" if style.body.italic and language != "zh" else ""),
            (entry.meaning, ""),
        ]
        if entry.use:
            pieces.append((f" {entry.use}", ""))
        blocks.append(rich_paragraph(pieces, "entry"))
    css = style.css(
        entry=f"margin:0 0 {style.size * 0.35:.1f}px {style.size:.0f}px;text-indent:-{style.size:.0f}px;text-align:left"
    )
    areas = [Area(box=(left, top - 4, right, top - 3), colour=GREY)]
    if random.random() < 0.5:
        areas += [
            Area(box=(box[2] + style.size * 0.8, top, box[2] + style.size * 0.8 + 1, bottom), colour=GREY)
            for box in sorted(columns)[:-1]
        ]
    guide = f"{blocks[0].text.split(' ')[0]} – {blocks[min(20, len(blocks) - 1)].text.split(' ')[0]}"
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
        flows=[head, Flow(blocks=blocks, boxes=columns), *sample_furniture(sampler, style).foot()],
    )
