"""Small charts: few bars with printed numbers, and questions of chosen kinds."""

import io

import pytest
from PIL import Image

from sources.charts import Charts
from sources.charts.questions.ask_questions import question_names

pytestmark = pytest.mark.slow


def test_small_charts_have_few_bars_and_one_lookup() -> None:
    charts = Charts(
        kinds=("bar", "horizontal_bar"), languages=("en",), tasks={"questions": 1}, questions=("lookup",),
        num_questions=1, choice_share=0, vega_share=0, small=True,
    )  # fmt: skip
    for number in range(5):
        chart, _, _ = charts.specify(number)
        assert 2 <= len(chart.table.columns[0].values) <= 4
        assert chart.exact
        sample = charts.make(number, charts.digest)
        assert max(Image.open(io.BytesIO(sample.images[0].data)).size) <= 360 * 1.4
        assert sample.messages is not None
        question, answer, _, table = (message.content for message in sample.messages)
        number_shown = answer.split()[0].rstrip("%").replace("−", "-")
        assert number_shown in table.replace(",", " ") or number_shown in table, question


def test_settings_of_small_charts_change_the_samples_and_an_unknown_question_is_refused() -> None:
    assert Charts(small=True).digest != Charts().digest
    assert Charts(questions=("lookup",)).digest != Charts().digest
    assert "lookup" in question_names()
    with pytest.raises(ValueError, match="got look_up"):
        Charts(questions=("look_up",))
