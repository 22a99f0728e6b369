"""A report full of tables."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.manuscript import Manuscript
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import sample_furniture
from sources.ocr.templates.tables import data_table, long_table
from sources.ocr.vocabulary import words

SECTIONS = 5  # on a page
LONG = 0.5  # fraction of the sections of a report of several pages that have a long table


def report(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return a report; one of several pages has tables that go on."""
    random = sampler.random
    topic = random.choice(words("topics", style.language))
    blocks: list[Block] = [heading(topic, 1)]
    for _ in range(SECTIONS * num_pages):
        blocks.append(heading(random.choice(words("sections", style.language)), 2))
        blocks.append(paragraph(sampler.sentence(260), is_divisible=False))
        if num_pages > 1 and random.random() < LONG:
            blocks += long_table(sampler, style)
        else:
            blocks += data_table(sampler, style, max_columns=6, num_rows=random.randint(4, 12))
    return Manuscript(
        style=style,
        blocks=blocks,
        columns=[style.frame],
        furniture=sample_furniture(sampler, style, topic if num_pages > 1 else ""),
    )
