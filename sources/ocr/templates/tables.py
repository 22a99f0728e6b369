"""A table of numbers with its caption."""

from sources.ocr.blocks import Block, paragraph, table
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, words


def data_table(sampler: ContentSampler, style: Style, max_columns: int, num_rows: int | None = None) -> list[Block]:
    """Return a caption and a table: rows are regions or months, columns are measures."""
    random = sampler.random
    names = list(words(random.choice(("groups", "months")), style.language))
    rows = names[: num_rows or random.randint(3, 9)]
    measures = random.sample(list(words("measures", style.language)), random.randint(2, max(2, max_columns - 1)))
    scales = [(random.choice((10, 100, 1000, 50_000)), random.choice((0, 0, 1, 2))) for _ in measures]
    body = [[row, *(sampler.number(scale * 0.1, scale, decimals) for scale, decimals in scales)] for row in rows]
    first = 100 - 100 // (len(measures) + 1) * len(measures)
    grid = table(
        [
            label("region", style.language)
            if rows[0] != words("months", style.language)[0]
            else label("date", style.language),
            *measures,
        ],
        body,
        widths=[first, *[100 // (len(measures) + 1)] * len(measures)],
        right=range(1, len(measures) + 1),
    )
    caption = label("table", style.language, n=random.randint(1, 12), text=sampler.line(50))
    return [paragraph(caption, "caption", is_divisible=False), grid]
