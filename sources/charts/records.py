"""Data of tables: one row per thing, with columns of numbers, words and dates."""

import dataclasses
import random as random_module
from datetime import timedelta
from decimal import Decimal

from sources.charts.chart import RecordsChart
from sources.charts.schema.records import Record, RecordColumn
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, Value, snap

Random = random_module.Random
TABLE_STYLES = (
    "plain", "grid", "striped", "ruled", "booktabs", "header", "coloured_header", "first_column", "outlined", "cards",
)  # fmt: skip
LONG_SHARE = 0.3  # fraction of tables with more than nine rows, if the list is as long
ROW_PITCH, MARGINS = 1.75, 6.0  # of long tables, in font sizes
MISSING_SHARE = 0.1  # fraction of tables with an empty cell


def table_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> RecordsChart:
    """Make a table of four to nine rows in one of TABLE_STYLES."""
    record = random.choice(vocabulary.records)
    rows = random.sample(range(len(record.rows.items)), _count_rows(record, style, random))
    if len(rows) > 9:
        height = round(((len(rows) + 1) * ROW_PITCH + MARGINS) * style.font_px)
        style = dataclasses.replace(style, height_px=max(style.height_px, height))
    numeric = [k for k, column in enumerate(record.columns) if column.low is not None]
    chosen = set(random.sample(numeric, 2)) | set(
        random.sample(range(len(record.columns)), random.randint(2, len(record.columns)))
    )
    columns = [_column(record.columns[k], len(rows), language, random) for k in sorted(chosen)]
    if random.random() < MISSING_SHARE:
        place = next(k for k, column in enumerate(columns) if column.is_numeric)
        values: list[Value] = list(columns[place].values)
        values[random.randrange(len(values))] = None
        columns[place] = dataclasses.replace(columns[place], values=tuple(values))
    first = Column(localize(record.rows.noun, language), tuple(localize(record.rows.items[k], language) for k in rows))
    return RecordsChart(
        kind=kind, language=language, title=localize(record.title, language), table=Table((first, *columns)),
        style=style, exact=True, table_style=random.choice(TABLE_STYLES),
        row_noun=record.rows.named(language),
        absent=tuple(localize(item, language) for k, item in enumerate(record.rows.items) if k not in rows),
    )  # fmt: skip


def _count_rows(record: Record, style: Style, random: Random) -> int:
    """Choose a number of rows: four to nine, or up to 40."""
    is_long = random.random() < LONG_SHARE and not style.is_small
    return min(random.randint(10, 40) if is_long else random.randint(4, 9), len(record.rows.items))


def _column(column: RecordColumn, count: int, language: str, random: Random) -> Column:
    name, unit = localize(column.name, language), localize(column.unit, language)
    values: tuple[Value, ...]
    if column.choices:
        values = tuple(localize(random.choice(column.choices), language) for _ in range(count))
        return Column(name, values)
    if column.dates:
        first, last = column.dates
        values = tuple(first + timedelta(days=random.randint(0, (last - first).days)) for _ in range(count))
        return Column(name, values)
    assert column.low is not None
    assert column.high is not None
    step = Decimal(1).scaleb(-column.decimals)
    values = tuple(snap(random.uniform(column.low, column.high), step) for _ in range(count))
    asked = localize(column.asked, language) if column.asked else ""
    return Column(name, values, unit, step, asked, column.degree)
