"""All emitted answers are recomputed from the emitted table by independent code."""

from collections import Counter
from fractions import Fraction

import pytest

from sources.base.sample import Message
from sources.charts import Charts
from sources.charts.chart import Chart
from sources.charts.messages import make_conversation
from sources.rng import generator
from tests.sources.charts.recomputation import CHECKS, FAMILY_OF, NUMBER, Data, match_templates, number, resolve_choice

pytestmark = pytest.mark.slow

SHARE = 0.99
SAME_WORDS = {"missing", "unanswerable"}  # worded like `lookup`, so only the table can tell them from it


@pytest.mark.full
def test_answers_equal_an_independent_recomputation(full: bool) -> None:
    charts = Charts(num_samples=10_000, seed=41, num_questions=12, tasks={"questions": 1})
    num_right = num_questions = 0
    names: Counter[str] = Counter()
    wrong: list[str] = []
    for item in range(10_000 if full else 900):
        chart, _, _ = charts.specify(item)
        messages = make_conversation(chart, "questions", ("", ""), 12, 0.3, generator(41, item, "messages"))
        for name, is_right, what in _check_messages(messages, chart):
            names[name] += 1
            num_questions += 1
            num_right += is_right
            if not is_right:
                wrong.append(f"{item} {chart.kind} {chart.language} {name}: {what}")
    assert num_right >= SHARE * num_questions, "\n".join([f"{num_right} of {num_questions}", *wrong[:20]])
    assert num_questions > 1500
    expected = {name for family in CHECKS.values() for name in family}
    assert names.keys() >= expected - SAME_WORDS, expected - names.keys()


def _check_messages(messages: list[Message], chart: Chart) -> list[tuple[str, bool, str]]:
    """Return (template, True if the answer is right, both answers) of every question of a sample."""
    turns = [(q.content, a.content) for q, a in zip(messages[::2], messages[1::2], strict=True)]
    data = Data.parse(turns[-1][1], chart.language)
    kind, family = chart.kind, FAMILY_OF.get(chart.kind, "series")
    results = []
    for question, answer in turns[:-1]:
        question = question.removeprefix("<image>\n")
        found = match_templates(question, family, data)
        assert found, question
        answered = resolve_choice(question, answer)
        results.append(max((_check(data, family, kind, *one, answered) for one in found), key=lambda result: result[1]))
    return results


def _check(
    data: Data, family: str, kind: str, name: str, slots: dict[str, str], answered: str
) -> tuple[str, bool, str]:
    directed = "directed" if kind == "flow_chart" or any(len(row) > 2 for row in data.rows) else ""
    try:
        expected = CHECKS[family][name](data, slots, directed)
        if name == "shortest_way" and str(expected) != answered:  # only the picture shows if links have a direction
            expected = CHECKS[family][name](data, slots, "" if directed else "directed")
    except (ValueError, KeyError, StopIteration, IndexError) as error:
        return name, False, f"{slots}: {error!r}"
    if isinstance(expected, Fraction):
        text = NUMBER.search(answered.split("= ")[-1])
        if text is None:
            return name, False, f"expected {float(expected)}, got {answered}"
        places = len(text[0].partition(".")[2])
        is_right = (
            abs(number(answered) - expected) <= Fraction(1, 2 * 10**places)
            if name in ROUNDED
            else number(answered) == expected
        )
        return name, is_right, f"expected {float(expected)}, got {answered}"
    if isinstance(expected, int):
        return name, number(answered) == expected, f"expected {expected}, got {answered}"
    return name, answered == expected, f"expected {expected}, got {answered}"


ROUNDED = ("mean", "ratio", "remaining")


def check_question(data: Data, question: str, answer: str) -> bool:
    """Return whether the answer to a question about a chart of numbers or of points follows from its table."""
    answered = resolve_choice(question, answer)
    return any(
        _check(data, family, "", *one, answered)[1]
        for family in ("series", "points")
        for one in match_templates(question, family, data)
    )
