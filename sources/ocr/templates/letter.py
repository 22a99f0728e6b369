"""A letter: letterhead, addresses, date, a few paragraphs, a signature."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler, split_sentences
from sources.ocr.style import Style
from sources.ocr.vocabulary import label
from sources.text.languages import UNSPACED

FILLED = (0.9, 1.0)  # range of the fraction of the sheet below the letterhead that a letter takes
ENDS = 9  # lines of a letter, in addition to its paragraphs


def letter(sampler: ContentSampler, style: Style) -> Page:
    """Return a letter."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    fields = sampler.fields
    sender, receiver = fields.people(2)
    side = random.choice(("tight", "small-right", "small-centre"))

    def flat(text: str, css_class: str = "tight") -> Block:
        return paragraph(text, css_class, is_divisible=False)

    body_top = top + style.size * 7
    head = [heading(fields.company(), 2, "company"), flat(fields.address(), side), flat(fields.telephone(), side)]
    blocks = [
        flat(receiver),
        flat(fields.street()),
        flat(fields.town(), "flat"),
        flat(fields.recent_date(), random.choice(("flat", "right"))),
        paragraph(label("dear", language, name=receiver), "flat", is_divisible=False),
        *(paragraph(text) for text in _body(sampler, style, (bottom - body_top) * random.uniform(*FILLED))),
        flat(label("regards", language), "sign"),
        flat(sender, "sign"),
    ]
    align = {"tight": "left", "small-right": "right", "small-centre": "center"}[side]
    css = style.css(
        company=style.display(1.5, margin="0 0 4px 0", align=align, is_coloured=True),
        sign=f"margin:{style.size:.0f}px 0 0 0;text-align:left",
    )
    areas = (
        [Area(box=(left, body_top - style.size, right, body_top - style.size + 2), colour=style.accent)]
        if random.random() < 0.6
        else []
    )
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[
            Flow(blocks=head, boxes=[(left, top, right, body_top - style.size)], must_fit=True),
            Flow(blocks=blocks, boxes=[(left, body_top, right, bottom)], must_fit=True),
        ],
    )


def _body(sampler: ContentSampler, style: Style, height: float) -> list[str]:
    """Return the paragraphs of a letter of about `height` pixels; the last one ends at a sentence that fits."""
    left, _, right, _ = style.frame
    room = height - ENDS * style.size * style.leading
    glue = "" if style.language in UNSPACED else " "
    found: list[str] = []
    while True:
        kept = ""
        for sentence in split_sentences(sampler.paragraph()):
            longer = f"{kept}{glue}{sentence}" if kept else sentence
            if style.height_of(longer, right - left) > room:
                return [*found, kept] if kept else found or [longer]
            kept = longer
        found.append(kept)
        room -= style.height_of(kept, right - left)
