"""An article in one to three columns: title, authors, abstract, sections, figures, lists and tables."""

from sources.ocr.blocks import Block, figure, heading, list_items, paragraph, rich_paragraph
from sources.ocr.figures import draw_figure
from sources.ocr.manuscript import Manuscript
from sources.ocr.page import Area, Box, Flow
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import GREY, sample_furniture
from sources.ocr.templates.tables import data_table
from sources.ocr.vocabulary import label, words
from sources.text.languages import SQUARE, UNSPACED

FRONT_SHARE = 0.3  # greatest fraction of the height of the type area

COMMAS = {"zh": "，", "zh-Hant": "、", "ja": "、"}  # between names


def article(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return an article; one of several pages begins with its title."""
    random = sampler.random
    num_columns = random.choices((1, 2, 3), (3, 4, 2))[0]
    left, top, right, bottom = style.frame
    columns = style.columns(num_columns, top, bottom)
    rules = _rules(style, columns) if num_columns > 1 and random.random() < 0.3 else []
    opening: list[Flow] = []
    gap, title = None, ""
    if num_pages > 1 or random.random() < 0.6:
        front_bottom = top + (bottom - top) * FRONT_SHARE
        front = _front(sampler, style)
        title = front[0].text
        opening.append(Flow(blocks=front, boxes=[(left, top, right, front_bottom)], must_fit=True))
        gap = style.size * random.uniform(1, 2.5)
    return Manuscript(
        style=style,
        blocks=_body(sampler, style, columns, num_pages),
        columns=columns,
        furniture=sample_furniture(sampler, style, title if num_pages > 1 else "", skips_first=num_pages > 1),
        opening=opening,
        gap=gap,
        areas=rules if gap is None else (),
        later_areas=rules,
    )


def _rules(style: Style, columns: list[Box]) -> list[Area]:
    """Return a line between each two columns."""
    gap = style.size * 0.8
    return [Area(box=(box[2] + gap, box[1], box[2] + gap + 1, box[3]), colour=GREY) for box in sorted(columns)[:-1]]


def _front(sampler: ContentSampler, style: Style) -> list[Block]:
    random = sampler.random
    names = sampler.fields.people(random.randint(1, 3))
    blocks = [
        heading(sampler.title(60 if style.language not in SQUARE else 18), 1),
        paragraph(COMMAS.get(style.language, ", ").join(names), "flat", is_divisible=False),
    ]
    if random.random() < 0.6:
        lead = label("abstract", style.language) + ("：" if style.language in UNSPACED else ". ")
        blocks.append(rich_paragraph([(lead, "b"), (sampler.sentence(220), "i" if style.body.italic else "")], "flat"))
    return blocks


def _body(sampler: ContentSampler, style: Style, columns: list[Box], num_pages: int) -> list[Block]:
    random = sampler.random
    width = columns[0][2] - columns[0][0]
    wanted = style.capacity(columns) * num_pages
    blocks: list[Block] = []
    length = section = 0
    number = random.randint(1, 9)  # of the next figure
    sections = random.sample(words("sections", style.language), len(words("sections", style.language)))
    is_numbered = random.random() < 0.5
    while length < wanted:
        chance = random.random() if not (blocks and blocks[-1].leads) else 1.0  # a paragraph follows a heading
        if chance < 0.13:
            section += 1
            text = sections[(section - 1) % len(sections)]
            blocks.append(heading(f"{section}. {text}" if is_numbered else text, 2))
        elif chance < 0.19:
            shape = draw_figure(
                round(width * random.uniform(0.6, 1)), round(width * random.uniform(0.3, 0.6)), style.accent, random
            )
            blocks += figure(shape, label("figure", style.language, n=number, text=sampler.sentence(90)))
            number += 1
            length += round(shape.pixels.shape[0] * width / style.size**2)
        elif chance < 0.24:
            blocks += list_items(
                [sampler.sentence(90) for _ in range(3)], ["•"] * 3 if random.random() < 0.5 else ["1.", "2.", "3."]
            )
        elif chance < 0.28 and width > 22 * style.size:
            blocks += data_table(sampler, style, max_columns=4)
        else:
            text = sampler.paragraph()
            blocks.append(paragraph(text))
            length += len(text)
    return blocks
