"""Questions about the words and dates of a table; `series` has questions about its numbers."""

from collections.abc import Callable
from decimal import Decimal

from sources.charts.questions.question import Question
from sources.charts.questions.series_view import SeriesView
from sources.charts.schema.texts import lower_first
from sources.charts.table import Column, format_value


def _texts(view: SeriesView) -> list[Column]:
    return [column for column in view.chart.table.columns[1:] if not column.is_numeric]


def _choices(view: SeriesView) -> list[Column]:
    return [column for column in _texts(view) if all(isinstance(value, str) for value in column.values)]


def _noun_slots(view: SeriesView) -> dict[str, str]:
    return {"noun": view.noun.name, "nouns": view.noun.plural, "counter": view.noun.counter}


def text_lookup(view: SeriesView) -> Question | None:
    columns = _texts(view)
    if not columns:
        return None
    column = view.random.choice(columns)
    k = view.random.randrange(len(view.rows))
    return Question(
        name="text_lookup",
        slots={
            **_noun_slots(view),
            "what": lower_first(column.asked or column.name),
            "row": view.rows[k],
            "at_row": view.describe_row(view.rows[k]),
        },
        answer=format_value(column.values[k]),
        options=tuple(format_value(value) for value in column.values),
    )


def count_choice(view: SeriesView) -> Question | None:
    columns = _choices(view)
    if not columns:
        return None
    column = view.random.choice(columns)
    value = format_value(view.random.choice(column.values))
    count = sum(format_value(other) == value for other in column.values)
    return Question(
        name="count_choice", slots={**_noun_slots(view), "what": lower_first(column.name), "value": value},
        answer=str(count), options=tuple(str(count + k) for k in (-1, 1, 2, 3) if count + k >= 0),
    )  # fmt: skip


def highest_among(view: SeriesView) -> Question | None:
    """Ask for the row with the highest number among the rows with one word, if there are at least two."""
    columns = _choices(view)
    if not columns:
        return None
    column, numbers = view.random.choice(columns), view.sample_column()
    value = format_value(view.random.choice(column.values))
    known = [
        (row, number)
        for row, other, number in zip(view.rows, column.values, numbers.values, strict=True)
        if format_value(other) == value and isinstance(number, Decimal)
    ]
    known.sort(key=lambda entry: entry[1], reverse=True)
    if len(known) < 2 or known[0][1] == known[1][1]:
        return None
    slots = view.slots(numbers) | {"by": lower_first(column.name), "value": value}
    return Question(name="highest_among", slots=slots, answer=known[0][0], options=tuple(view.rows))


def count_columns(view: SeriesView) -> Question | None:
    count = len(view.chart.table.columns)
    return Question(name="count_columns", slots={}, answer=str(count), options=("2", "3", "4", "5", "6", "7"))


QUESTIONS: dict[str, Callable[[SeriesView], Question | None]] = {
    function.__name__: function for function in (text_lookup, count_choice, highest_among, count_columns)
}
