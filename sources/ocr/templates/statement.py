"""A statement of figures: tables with heads of several rows and merged cells."""

from sources.ocr.blocks import Block, heading, paragraph, table_block
from sources.ocr.manuscript import Manuscript
from sources.ocr.passages import ContentSampler
from sources.ocr.spanning_table import Cell, SpanningTable
from sources.ocr.style import Style
from sources.ocr.templates.furniture import sample_furniture
from sources.ocr.templates.tables import part_of
from sources.ocr.vocabulary import label, measure_ranges, months, words

TABLES = 3  # on a page
FIRST_YEARS = (1998, 2022)


def statement(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return up to three tables with merged cells a page."""
    random, language = sampler.random, style.language
    topic = random.choice(words("topics", language))
    head = topic if num_pages > 1 else ""
    blocks: list[Block] = [heading(topic, 1)]
    for number in range(1, 1 + TABLES * num_pages):
        blocks.append(paragraph(sampler.sentence(200), is_divisible=False))
        caption = label("table", language, n=number, text=sampler.line(70))
        blocks.append(table_block(spanning_table(sampler, style)))
        blocks.append(paragraph(caption, "caption", is_divisible=False))  # below: a table without room leaves none
    return Manuscript(
        style=style, blocks=blocks, columns=[style.frame], furniture=sample_furniture(sampler, style, head)
    )


def spanning_table(sampler: ContentSampler, style: Style) -> SpanningTable:
    """Return a table of measures by year, for regions alone or for months of regions."""
    random, language = sampler.random, style.language
    all_measures = words("measures", language)
    chosen = random.sample(range(len(all_measures)), random.randint(2, 3))
    measures, bounds = [all_measures[k] for k in chosen], [part_of(measure_ranges()[k], random) for k in chosen]
    first = random.randint(*FIRST_YEARS)
    years = [str(first + k) for k in range(2 if len(measures) == 3 else random.randint(2, 3))]
    regions = random.sample(list(words("groups", language)), random.randint(2, 4))
    by_month = random.random() < 0.6
    labels = [label("region", language), label("date", language)][: 1 + by_month]
    by_year = random.random() < 0.5  # years above measures, or measures above years
    upper, lower = (years, measures) if by_year else (measures, years)
    head = [
        [*(Cell(text, rows=2) for text in labels), *(Cell(text, columns=len(lower)) for text in upper)],
        [Cell(text) for _ in upper for text in lower],
    ]
    ranges = [bounds[b if by_year else a] for a in range(len(upper)) for b in range(len(lower))]
    body: list[list[Cell]] = []
    for region in regions:
        month = random.randrange(12)
        names = [months(language)[(month + k) % 12] for k in range(random.randint(2, 4))] if by_month else [""]
        for k, name in enumerate(names):
            row = [Cell(region, rows=len(names))] if k == 0 else []
            row += [Cell(name)] * by_month
            body.append([*row, *(Cell(sampler.number(*each)) for each in ranges)])
    return SpanningTable((*head, *body), num_heads=2)
