"""Questions about the words and dates of a table; its numbers are asked about as those of any chart."""

from collections.abc import Callable
from decimal import Decimal

from sources.charts.questions.question import Question, lowered
from sources.charts.questions.reading import SeriesView
from sources.charts.table import Column, plain


def _texts(reading: SeriesView) -> list[Column]:
    return [column for column in reading.chart.table.columns[1:] if not column.is_numeric]


def _choices(reading: SeriesView) -> list[Column]:
    return [column for column in _texts(reading) if all(isinstance(value, str) for value in column.values)]


def text_lookup(reading: SeriesView) -> Question | None:
    columns = _texts(reading)
    if not columns:
        return None
    column = reading.random.choice(columns)
    k = reading.random.randrange(len(reading.rows))
    return Question(
        name="text_lookup",
        slots={"what": lowered(column.name), "row": reading.rows[k]},
        answer=plain(column.values[k]),
        options=tuple(plain(value) for value in column.values),
    )


def count_choice(reading: SeriesView) -> Question | None:
    columns = _choices(reading)
    if not columns:
        return None
    column = reading.random.choice(columns)
    value = plain(reading.random.choice(column.values))
    count = sum(plain(other) == value for other in column.values)
    return Question(
        name="count_choice", slots={"what": lowered(column.name), "value": value, "noun": reading.noun},
        answer=str(count), options=tuple(str(count + k) for k in (-1, 1, 2, 3) if count + k >= 0),
    )  # fmt: skip


def highest_among(reading: SeriesView) -> Question | None:
    """The row with the highest number among those with one word, where there are at least two."""
    columns = _choices(reading)
    if not columns:
        return None
    column, numbers = reading.random.choice(columns), reading.column()
    value = plain(reading.random.choice(column.values))
    known = [
        (row, number)
        for row, other, number in zip(reading.rows, column.values, numbers.values, strict=True)
        if plain(other) == value and isinstance(number, Decimal)
    ]
    known.sort(key=lambda entry: entry[1], reverse=True)
    if len(known) < 2 or known[0][1] == known[1][1]:
        return None
    slots = {"what": reading.what(numbers), "by": lowered(column.name), "value": value, "noun": reading.noun}
    return Question(name="highest_among", slots=slots, answer=known[0][0], options=tuple(reading.rows))


def count_columns(reading: SeriesView) -> Question | None:
    count = len(reading.chart.table.columns)
    return Question(name="count_columns", slots={}, answer=str(count), options=("2", "3", "4", "5", "6", "7"))


ASKS: dict[str, Callable[[SeriesView], Question | None]] = {
    ask.__name__: ask for ask in (text_lookup, count_choice, highest_among, count_columns)
}
