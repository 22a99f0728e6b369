"""Targets: runs of underscores, dots and spaces, which no reader can count, have a fixed length in every task."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.ocr.blocks import code, paragraph, table
from sources.ocr.countable import countable
from sources.ocr.escapes import escape_markdown
from sources.ocr.passages import BundledPassages
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


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Name: ____ Date: ____", "Name: ____ Date: ____"),
        ("汽车运送____客", "汽车运送____客"),
        ("snake_case", "snake_case"),
        ("_emphasis_", r"\_emphasis_"),
        ("____", r"\_\_\_\_"),
    ],
)
def test_only_underscores_that_open_emphasis_or_are_a_rule_are_escaped(text: str, markdown: str) -> None:
    assert escape_markdown(text) == markdown


def test_ordinals_of_the_passages_are_right() -> None:
    passages = BundledPassages()
    texts = " ".join(passages.paragraph("en", number) for number in range(4000))
    assert re.search(r"\b\d+th\b", texts)
    assert not re.search(r"\b(?:\d*[02-9])?[123]th\b", texts)
