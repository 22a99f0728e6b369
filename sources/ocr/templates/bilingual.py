"""A notice in two languages, by alternate paragraphs or in two columns."""

import dataclasses

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import SIZES, Style, font_families
from sources.ocr.templates.furniture import GREY

FILLED = (0.95, 1.04)  # range of the fraction of the page that is filled
HEADING = 2.6  # height of a heading with its margins, in font sizes


def bilingual(sampler: ContentSampler, style: Style) -> Page:
    """Return a notice in Chinese and English, each a translation of the other."""
    random = sampler.random
    chinese = random.choice(font_families("zh", ("serif", "sans")))  # Chinese fonts have Latin letters too
    style = dataclasses.replace(
        style, size=style.side * random.uniform(*SIZES["zh"]), indent=False, body=chinese, head=chinese
    )
    left, top, right, bottom = style.frame
    boxes = style.columns(2, top, bottom)
    has_columns = random.random() < 0.5
    width = boxes[0][2] - boxes[0][0] if has_columns else right - left
    parts = _parts(sampler, style, width, (bottom - top) * random.uniform(*FILLED), has_columns)
    if has_columns:
        middle = (boxes[0][2] + boxes[1][0]) / 2
        return Page(
            width=style.width,
            height=style.height,
            paper=style.paper,
            fonts=style.fonts,
            css=style.css(),
            areas=[Area(box=(middle, top, middle + 1, bottom), colour=GREY)],
            flows=[Flow(blocks=part, boxes=[box]) for part, box in zip(parts, boxes, strict=True)],
        )
    blocks = [block for pair in zip(*parts, strict=True) for block in pair]
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=style.css(),
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)])],
    )


def _parts(
    sampler: ContentSampler, style: Style, width: float, height: float, has_columns: bool
) -> tuple[list[Block], list[Block]]:
    """Return the Chinese and the English blocks, in pairs, that fill about `height` pixels.

    Args:
        width: of the lines in pixels.
        has_columns: the parts stand side by side, and do not alternate.
    """
    parts: tuple[list[Block], list[Block]] = ([], [])
    heights = [0.0, 0.0]
    while True:
        title, *sentences = sampler.parallel()
        before = HEADING * style.size
        for english, chinese in sentences:
            texts = (chinese, english)
            heights = [used + before + style.height_of(text, width) for used, text in zip(heights, texts, strict=True)]
            if (max(heights) if has_columns else sum(heights)) > height and parts[0]:
                return parts
            for part, text, name in zip(parts, texts, reversed(title), strict=True):
                part += [heading(name, 2)] * bool(before) + [paragraph(text, is_divisible=False)]
            before = 0
