"""Dashboards: questions name their panel, and all answers follow from the table of that panel."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from sources.charts import Charts
from tests.sources.charts.recomputation import Data
from tests.sources.charts.test_answers import check_question

PANEL = re.compile(r"(?:<image>\n)?(?:In panel ([A-D]): |图([A-D])：)(.*)", re.DOTALL)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_answers_follow_from_the_table_of_the_panel_that_is_named(language: str) -> None:
    charts = Charts(dashboards=1, languages=(language,), seed=4, num_questions=6, tasks={"questions": 1})
    num_right = num_questions = 0
    for number in range(6):
        sample = charts.make(number, "digest")
        assert sample.messages is not None
        turns = []
        for asked, answered in zip(sample.messages[::2], sample.messages[1::2], strict=True):
            named = PANEL.fullmatch(asked.content)
            assert named, asked.content
            turns.append((named[1] or named[2], named[3], answered.content))
        letters = sorted({letter for letter, _, _ in turns})
        tables = {letter: Data.parse(answer, language) for letter, _, answer in turns[-len(letters) :]}
        assert list(tables) == letters
        for letter, question, answer in turns[: -len(letters)]:
            assert any(word == letter for word in sample.words.texts)
            num_questions += 1
            num_right += check_question(tables[letter], question, answer)
    assert num_questions > 12
    assert num_right == num_questions


def test_panels_stand_beside_each_other_with_the_boxes_of_their_words() -> None:
    sample = Charts(dashboards=1, languages=("en",), seed=7).make(1, "digest")
    grey = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("L")).astype(int)
    letters = [k for k, text in enumerate(sample.words.texts) if text in "ABCD" and len(text) == 1]
    assert len(letters) >= 2
    boxes = sample.words.boxes.astype(int)
    assert (boxes[:, 2] <= grey.shape[1]).all()
    assert (boxes[:, 3] <= grey.shape[0]).all()
    for x0, y0, x1, y1 in boxes:
        assert np.ptp(grey[y0:y1, x0:x1]) > 40  # there is ink on the ground
    assert sample.flags[0] == "dashboard"


def test_certain_charts_are_no_dashboards() -> None:
    assert Charts(dashboards=0.05).digest == Charts().digest
    assert Charts(kinds=("bar",), dashboards=0).digest == Charts(kinds=("bar",)).digest
    with pytest.raises(ValueError, match="dashboards and small exclude each other"):
        Charts(dashboards=1, small=True)
    with pytest.raises(ValueError, match="kinds has none of them"):
        Charts(dashboards=1, kinds=("table",))
    with pytest.raises(ValueError, match="dashboards must be between 0 and 1"):
        Charts(dashboards=2)
