"""A table of numbers with its caption."""

import random as random_module
from dataclasses import replace

from sources.ocr.blocks import Block, paragraph, table
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, measure_ranges, months, words

FIRST_YEARS, LONG_ROWS = (1996, 2020), (24, 72)  # of a table by month


def data_table(sampler: ContentSampler, style: Style, max_columns: int, num_rows: int | None = None) -> list[Block]:
    """Return a caption and a table: rows are regions or months, columns are measures."""
    random = sampler.random
    is_by_month = random.random() < 0.5
    names = months(style.language) if is_by_month else words("groups", style.language)
    first_row = random.randrange(len(names))
    rows = [*names[first_row:], *names[:first_row]][: num_rows or random.randint(3, 9)]
    all_measures = words("measures", style.language)
    chosen = random.sample(range(len(all_measures)), random.randint(2, min(len(all_measures), max(2, max_columns - 1))))
    measures = [all_measures[k] for k in chosen]
    ranges = [part_of(measure_ranges()[k], random) for k in chosen]
    body = [[row, *(sampler.number(*bounds) for bounds in ranges)] for row in rows]
    first = 100 - 100 // (len(measures) + 1) * len(measures)
    grid = table(
        [
            label("date" if is_by_month else "region", style.language),
            *measures,
        ],
        body,
        widths=[first, *[100 // (len(measures) + 1)] * len(measures)],
        right=range(1, len(measures) + 1),
    )
    caption = label("table", style.language, n=random.randint(1, 12), text=sampler.line(80))
    return [replace(paragraph(caption, "caption", is_divisible=False), leads=True), grid]


def long_table(sampler: ContentSampler, style: Style) -> list[Block]:
    """Return a caption and a table of some years by month, in which a page may end."""
    random = sampler.random
    all_measures = words("measures", style.language)
    chosen = random.sample(range(len(all_measures)), random.randint(2, 4))
    ranges = [part_of(measure_ranges()[k], random) for k in chosen]
    first, count = random.randint(*FIRST_YEARS) * 12 + random.randrange(12), random.randint(*LONG_ROWS)
    dates = [f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, first + count)]
    grid = table(
        [label("date", style.language), *(all_measures[k] for k in chosen)],
        [[date, *(sampler.number(*bounds) for bounds in ranges)] for date in dates],
        widths=[100 // (len(chosen) + 1)] * (len(chosen) + 1),
        right=range(1, len(chosen) + 1),
        is_divisible=True,
    )
    caption = label("table", style.language, n=random.randint(1, 12), text=sampler.line(80))
    return [replace(paragraph(caption, "caption", is_divisible=False), leads=True), grid]


def part_of(bounds: tuple[float, float, int], random: random_module.Random) -> tuple[float, float, int]:
    """Return a part of the range of a measure: the values of one table are of like size."""
    low, high, decimals = bounds
    top = low + (high - low) * random.uniform(0.15, 1)
    return low + (top - low) * random.uniform(0, 0.5), top, decimals
