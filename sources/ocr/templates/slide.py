"""A slide: a title, bullet points, sometimes a picture next to them."""

import dataclasses

from sources.ocr.blocks import Block, figure, heading, list_items, paragraph
from sources.ocr.figures import draw_figure
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.text.languages import SQUARE

RATIOS = (9 / 16, 9 / 16, 3 / 4)
DARK = ((24, 32, 52), (30, 30, 34), (16, 54, 60), (60, 22, 40))


def slide(sampler: ContentSampler, style: Style) -> Page:
    """Return a slide."""
    random, language = sampler.random, style.language
    width, height = style.side, round(style.side * random.choice(RATIOS))
    is_dark = random.random() < 0.3
    style = dataclasses.replace(
        style,
        width=width,
        height=height,
        margin=round(height * random.uniform(0.07, 0.11)),
        size=height * random.uniform(0.036, 0.048),
        justify=False,
        indent=False,
        leading=1.3,
        paper=random.choice(DARK) if is_dark else style.paper,
        ink=(240, 240, 240) if is_dark else style.ink,
        accent=(245, 196, 90) if is_dark else style.accent,
    )
    left, top, right, bottom = style.frame
    body_top = top + style.size * 3.6
    title = sampler.title(round((right - left) / style.size * (1.1 if language not in SQUARE else 0.6)))
    flows = [
        Flow(
            blocks=[heading(title, 1, "title")],
            boxes=[(left, top, right, body_top)],
            must_fit=True,
        )
    ]
    areas: list[Area] = []
    decoration = random.choice(("plain", "rule", "band"))
    if decoration == "rule":
        areas.append(
            Area(
                box=(left, body_top - style.size * 0.9, left + (right - left) * 0.25, body_top - style.size * 0.9 + 4),
                colour=style.accent,
            )
        )
    if decoration == "band":
        areas.append(Area(box=(0, 0, style.margin * 0.35, height), colour=style.accent))
    has_picture = random.random() < 0.45
    edge = left + (right - left) * 0.56 if has_picture else right
    max_length = (edge - left) / style.size * (3.4 if language not in SQUARE else 1.7)
    points = [sampler.line(round(max_length)) for _ in range(random.randint(3, 5))]
    mark = random.choice(("•", "–", "•"))
    marks = [mark] * len(points) if random.random() < 0.75 else [f"{k}." for k in range(1, len(points) + 1)]
    blocks: list[Block] = list(list_items(points, marks))
    flows.append(Flow(blocks=blocks, boxes=[(left, body_top, edge, bottom - style.size * 1.5)]))
    if has_picture:
        shape = draw_figure(round((right - edge) * 0.92), round((bottom - body_top) * 0.72), style.accent, random)
        flows.append(Flow(blocks=figure(shape), boxes=[(edge, body_top, right, bottom)]))
    if random.random() < 0.6:
        foot = f"{sampler.fields.company()}  {random.randint(2, 60)}"
        flows.append(
            Flow(
                blocks=[paragraph(foot, "small", is_divisible=False)],
                boxes=[(left, bottom - style.size * 0.6, right, height)],
            )
        )
    css = style.css(
        title=style.display(1.6, is_coloured=True),
        small=f"margin:0;font-size:{style.size * 0.6:.1f}px",
    )
    return Page(width=width, height=height, paper=style.paper, fonts=style.fonts, css=css, areas=areas, flows=flows)
