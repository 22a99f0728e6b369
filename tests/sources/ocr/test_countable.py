"""Targets: runs of underscores, dots and spaces, which no reader can count, have a fixed length in every task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.ocr.blocks import code, paragraph, table
from sources.ocr.countable import countable
from sources.ocr.source import Ocr
from sources.ocr.templates import registry

LEADERS = "Name: _______________   Page ............ 12 ……… 3 · · · · 4 ---------- 十年——很久　　完"
COUNTED = "Name: ____ Page ... 12 …… 3 ··· 4 --- 十年——很久 完"


def test_runs_have_a_fixed_length() -> None:
    assert countable(LEADERS) == COUNTED
    assert paragraph(LEADERS).plain() == COUNTED
    assert paragraph(LEADERS).markdown.replace("\\", "") == COUNTED
    assert table([LEADERS, "b"], [["1", "2"]]).plain() == f"{COUNTED}\tb\n1\t2"


@given(st.text(alphabet="_.- a\t\n", max_size=40))
def test_counting_twice_changes_nothing(text: str) -> None:
    once = countable(text)
    assert countable(once) == once
    assert once.replace("\t", "").count("  ") == 0
    assert "_____" not in once
    assert "...." not in once


def test_spaces_of_code_are_kept() -> None:
    lines = ["if x:", "    y = 1  # ______"]
    assert code(lines, "python").plain() == "\n".join(lines)
    assert "    y = 1  # ______" in code(lines, "python").markdown


@pytest.mark.parametrize("task", ["text", "transcription", "markdown", "grounding"])
def test_no_task_asks_for_the_length_of_a_rule(task: str) -> None:
    source = Ocr(kinds={"exam": 1, "form": 1}, tasks={task: 1}, strength=0, side_px=768, seed=3)
    assert {"exam", "form"} <= registry.TEMPLATES.keys()
    for number in range(6):
        sample = source.make(number, source.digest)
        texts = [sample.text or "", *sample.words.texts, *(message.content for message in sample.messages or ())]
        assert not any("_____" in text.replace("\\", "") or "   " in text for text in texts)
