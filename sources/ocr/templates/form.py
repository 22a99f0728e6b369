"""A form: labels and fields, filled in or empty."""

from sources.ocr.blocks import Block, heading, paragraph, table
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import fields as form_fields
from sources.ocr.vocabulary import label, words

FILLED = 0.75  # fraction of fields that are filled in


def form(sampler: ContentSampler, style: Style) -> Page:
    """Return a form."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    fields = random.sample(form_fields(language), random.randint(10, 18))
    blocks: list[Block] = [
        heading(random.choice(words("forms", language)), 1),
        paragraph(f"{label('number', language)} {sampler.code()}", "small-right", is_divisible=False),
        paragraph(random.choice(words("form_notes", language)), "flat", is_divisible=False),
    ]
    rows = [[name, sampler.fields.entry(kind) if random.random() < FILLED else ""] for name, kind in fields]
    colon = "：" if language == "zh" else ":"
    if random.random() < 0.6:
        half = len(rows) // 2
        parts = (rows[:half], rows[half:])
        blocks += [table(part[0], part[1:], widths=(34, 66), css_class="fields") for part in parts]
    else:
        blocks += [paragraph(f"{name}{colon} {entry or '_' * 24}", "line", is_divisible=False) for name, entry in rows]
    consents = random.sample(words("consents", language), random.randint(2, 5))
    blocks += [paragraph(f"{random.choice(('[ ]', '[x]'))} {text}", "flat", is_divisible=False) for text in consents]
    css = (
        style.css(
            line=f"margin:0 0 {style.size * 0.9:.0f}px 0;border-bottom:1px solid #999999",
            fields=f"font-size:{style.size * 1.02:.1f}px",
        )
        + " .fields th{font-weight:normal;background-color:#ffffff;color:#000000}"
    )
    areas = [Area(box=(left - 8, top - 8, right + 8, top - 5), colour=style.accent)] if random.random() < 0.5 else []
    return Page(
        width=style.width,
        height=style.height,
        paper=(255, 255, 255),
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)], must_fit=True)],
    )
