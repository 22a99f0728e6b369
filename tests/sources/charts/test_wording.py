"""Questions are worded for what they are about: time, place, thing or person, one or several, and percentages."""

import re

from sources.charts import Charts
from sources.charts.messages import make_conversation
from sources.charts.noun import plural_of, unit_of_one
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.rng import generator


def _questions(language: str, **settings: object) -> list[tuple[str, str, str]]:
    """Return (kind, question, answer) of many samples."""
    charts = Charts(languages=(language,), seed=8, **settings)
    found = []
    for number in range(150):
        chart, _, _ = charts.specify(number)
        messages = make_conversation(chart, "questions", ("", ""), 6, charts.choice_share,
                                     generator(8, number, "messages"), charts.questions)  # fmt: skip
        turns = zip(messages[:-2:2], messages[1:-2:2], strict=True)
        found += [(chart.kind, q.content.removeprefix("<image>\n"), a.content) for q, a in turns]
    return found


def test_a_multiple_choice_question_has_no_rounding_rule() -> None:
    for language, rule in (("en", r"Round to|Read values"), ("zh", r"结果保留|读数精确")):
        questions = [question for _, question, _ in _questions(language)]
        choices = [question for question in questions if "\nA. " in question]
        assert len(choices) > 60
        assert not [question for question in choices if re.search(rule, question)]
        assert any(re.search(rule, question) for question in questions)


def test_percentages_differ_by_percentage_points() -> None:
    english = _questions("en", kinds=("pie", "percent_bar"), questions=("difference",), choice_share=0)
    differences = [answer for _, question, answer in english if "share" in question and "\nA. " not in question]
    assert differences
    assert all(re.search(r"percentage points?$", answer) for answer in differences)


def test_questions_about_time_ask_when_and_about_people_who() -> None:
    kinds = ("line", "violin", "lollipop")
    english = " ".join(q for _, q, _ in _questions("en", kinds=kinds, questions=("highest", "compare", "count_rows")))
    assert re.search(r"In which (month|year|quarter)|When is", english)
    assert re.search(r"Who has the (highest|longest)", english)
    assert not re.search(r"entries|Where is the [^?]* at its", english)
    chinese = " ".join(q for _, q, _ in _questions("zh", kinds=kinds, questions=("highest", "compare", "count_rows")))
    assert re.search(r"哪(个月|年|天|周)", chinese)
    assert "谁" in chinese
    assert "哪个的" not in chinese


def test_nouns_and_units_have_the_right_number() -> None:
    assert [plural_of(noun) for noun in ("day", "quality", "bus", "branch", "crop")] == [
        "days", "qualities", "buses", "branches", "crops",
    ]  # fmt: skip
    assert [unit_of_one(unit) for unit in ("cups", "people", "kg", "TB", "million dollars")] == [
        "cup", "person", "kg", "TB", "million dollars",
    ]  # fmt: skip


def test_no_place_is_crossed_with_another_place() -> None:
    vocabulary = load_vocabulary(BUNDLED)
    assert not vocabulary.can_cross("regions", "cities")
    assert vocabulary.can_cross("months", "cities")
    assert vocabulary.can_cross("drinks", "cities")
