"""A page of mathematics: inline and display formulas, with their TeX in the ground truth."""

from sources.ocr.blocks import Block, Inset, heading, rich_paragraph
from sources.ocr.formula import draw_formula
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import page_number, running_head
from sources.ocr.vocabulary import formulas as all_formulas
from sources.ocr.vocabulary import label, words

TALL = (r"\frac", r"\sum", r"\int", r"\prod", r"\lim", r"\binom", r"\sqrt")  # too tall for a line of text


def formulas(sampler: ContentSampler, style: Style) -> Page:
    """Return a page of mathematics."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    heads, areas = running_head(sampler, style)
    flat = [tex for tex in all_formulas() if not any(sign in tex for sign in TALL) and len(tex) < 40]
    chosen = random.sample(all_formulas(), 7)
    blocks: list[Block] = [heading(random.choice(words("sections", language)), 1)]
    for number, tex in enumerate(chosen, start=random.randint(1, 30)):
        inline = draw_formula(random.choice(flat), style.size, style.ink, style.math, display=False)
        lead = f"{label(random.choice(('formula', 'where')), language)} "
        blocks.append(rich_paragraph([(sampler.sentence(160) + " ", ""), (lead, ""), inline]))
        shown: Inset = draw_formula(tex, style.size * 1.35, style.ink, style.math, display=True)
        blocks.append(rich_paragraph([shown, (f"  ({number})", "")], "display"))
        if random.random() < 0.4:
            blocks.append(rich_paragraph([(sampler.sentence(220), "")]))
    css = style.css(display=f"margin:{style.size * 0.6:.0f}px 0;text-align:{random.choice(('center', 'left'))}")
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=areas,
        css=css,
        flows=[*heads, Flow(blocks=blocks, boxes=[(left, top, right, bottom)]), *page_number(sampler, style)],
    )
