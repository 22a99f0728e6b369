"""Comparison of two values of a chart, where the difference is large enough to be seen."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.quotable import squeezed
from taxonomy.writers.table_questions import has_names, number, numeric_columns
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_page

YES, NO = "yes", "no"
MIN_DIFFERENCE = 0.15  # of the range of the chart's values, zero included
ANSWERS = {
    "en": {YES: "Yes, {first} is higher than {second}.", NO: "No, {first} is lower than {second}."},
    "zh": {YES: "是的，{first}比{second}高。", NO: "不是，{first}比{second}低。"},
}


class ChartComparison(Writer):
    """Asks whether one category has a higher value than another, on charts of one series whose names are printed."""

    name = "chart_comparison"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "chart_comparison": QuestionKind("analysis/data_chart/graph", ("first", "second"))
    }
    needs = ("chart",)
    written_share = 0.01

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        page = pages[k]
        table = page.tables[0]
        if len(page.tables) != 1 or len(table.header) != 2 or not has_names(table) or numeric_columns(table) != [1]:
            return None
        printed = squeezed("".join(page.words))
        values = {row[0]: number(row[1]) for row in table.rows if squeezed(row[0]) in printed}
        span = max(0.0, *values.values()) - min(0.0, *values.values()) if len(values) > 1 else 0.0
        pairs = [(a, b) for a in values for b in values if span and values[a] - values[b] >= MIN_DIFFERENCE * span]
        if not pairs or any(not any(letter.isalpha() for letter in name) for name in values):
            return None
        higher, lower = rng.choice(pairs)
        answer = choices.pick("chart_comparison", (YES, NO), rng)
        names = {"first": higher, "second": lower} if answer == YES else {"first": lower, "second": higher}
        return about_page(page, "chart_comparison", ANSWERS[page.language][answer].format(**names), names)
