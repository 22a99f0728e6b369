"""Every answer that is emitted is computed again from the emitted table, by other code."""

from collections import Counter
from fractions import Fraction

import pytest

from sources.base.sample import Message
from sources.charts import Charts
from sources.charts.chart import Chart
from sources.charts.messages import conversation
from sources.rng import generator
from tests.sources.charts.recomputation import CHECKS, FAMILY_OF, NUMBER, Data, asked, given, number

SHARE = 0.99
SAME_WORDS = {"missing", "unanswerable"}  # put like a look-up: only the table tells


@pytest.mark.full
def test_answers_equal_an_independent_recomputation(full: bool) -> None:
    charts = Charts(num_samples=10_000, seed=41, num_questions=12, tasks={"questions": 1})
    num_right = num_asked = 0
    names: Counter[str] = Counter()
    wrong: list[str] = []
    for item in range(10_000 if full else 900):
        chart, _, _ = charts.specify(item)
        messages = conversation(chart, "questions", ("", ""), 12, 0.3, generator(41, item, "messages"))
        for name, is_right, what in _checked(messages, chart):
            names[name] += 1
            num_asked += 1
            num_right += is_right
            if not is_right:
                wrong.append(f"{item} {chart.kind} {chart.language} {name}: {what}")
    assert num_right >= SHARE * num_asked, "\n".join([f"{num_right} of {num_asked}", *wrong[:20]])
    assert num_asked > 1500
    expected = {name for family in CHECKS.values() for name in family}
    assert names.keys() >= expected - SAME_WORDS, expected - names.keys()


def _checked(messages: list[Message], chart: Chart) -> list[tuple[str, bool, str]]:
    """(template, whether the answer is right, both answers) of every question of a sample."""
    turns = [(q.content, a.content) for q, a in zip(messages[::2], messages[1::2], strict=True)]
    data = Data.parse(turns[-1][1], chart.language)
    kind, family = chart.kind, FAMILY_OF.get(chart.kind, "series")
    results = []
    for question, answer in turns[:-1]:
        question = question.removeprefix("<image>\n")
        found = asked(question, family, data)
        assert found, question
        said = given(question, answer)
        results.append(max((_check(data, family, kind, *one, said) for one in found), key=lambda result: result[1]))
    return results


def _check(data: Data, family: str, kind: str, name: str, slots: dict[str, str], said: str) -> tuple[str, bool, str]:
    directed = "directed" if kind == "flow_chart" or any(len(row) > 2 for row in data.rows) else ""
    try:
        expected = CHECKS[family][name](data, slots, directed)
        if name == "shortest_way" and str(expected) != said:  # whether links have a direction only the picture tells
            expected = CHECKS[family][name](data, slots, "" if directed else "directed")
    except (ValueError, KeyError, StopIteration, IndexError) as error:
        return name, False, f"{slots}: {error!r}"
    if isinstance(expected, Fraction):
        text = NUMBER.search(said.split("= ")[-1])
        if text is None:
            return name, False, f"expected {float(expected)}, got {said}"
        places = len(text[0].partition(".")[2])
        is_right = (
            abs(number(said) - expected) <= Fraction(1, 2 * 10**places) if name in ROUNDED else number(said) == expected
        )
        return name, is_right, f"expected {float(expected)}, got {said}"
    if isinstance(expected, int):
        return name, number(said) == expected, f"expected {expected}, got {said}"
    return name, said == expected, f"expected {expected}, got {said}"


ROUNDED = ("mean", "ratio", "remaining")
