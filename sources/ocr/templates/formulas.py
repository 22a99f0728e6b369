"""A page of mathematics: inline and display formulas, with their TeX in the ground truth."""

from sources.ocr.blocks import Block, Inset, heading, rich_paragraph
from sources.ocr.formula import draw_formula
from sources.ocr.manuscript import Manuscript
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import sample_furniture
from sources.ocr.vocabulary import formulas as all_formulas
from sources.ocr.vocabulary import label, words

TALL = (r"\frac", r"\sum", r"\int", r"\prod", r"\lim", r"\binom", r"\sqrt")  # too tall for a line of text


def formulas(sampler: ContentSampler, style: Style) -> Manuscript:
    """Return a page of mathematics."""
    random, language = sampler.random, style.language
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
    return Manuscript(
        style=style,
        blocks=blocks,
        columns=[style.frame],
        furniture=sample_furniture(sampler, style),
        css={"display": f"margin:{style.size * 0.6:.0f}px 0;text-align:{random.choice(('center', 'left'))}"},
    )
