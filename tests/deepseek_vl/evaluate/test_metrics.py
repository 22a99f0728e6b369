"""Metrics against values computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_vl.evaluate.intervals import difference, estimate
from deepseek_vl.evaluate.metrics import (
    anls,
    box_iou,
    character_error_rate,
    contains,
    edit_distance,
    exact_match,
    number_in,
    relaxed_accuracy,
)


@pytest.mark.parametrize(
    ("metric", "answer", "expected", "value"),
    [
        (exact_match, " The Answer. ", ["the answer"], 1),
        (exact_match, "the answers", ["the answer", "none"], 0),
        (contains, "It says STOP here", ["stop"], 1),
        (anls, "kitten", ["sitting", "kitte"], 1 - 1 / 6),
        (anls, "abcd", ["wxyz"], 0),
        (relaxed_accuracy, "104", ["100"], 1),
        (relaxed_accuracy, "106", ["100"], 0),
        (relaxed_accuracy, "$1,040", ["1000"], 1),
        (relaxed_accuracy, "−5%", ["-5"], 1),
        (relaxed_accuracy, "March", ["march"], 1),
        (relaxed_accuracy, "0", ["0"], 1),
        (box_iou, "[0, 0, 10, 10]", ["5 0 15 10"], 1 / 3),
        (box_iou, "0 0 10", ["0 0 10 10"], 0),
        (box_iou, "10 10 0 0", ["0 0 10 10"], 0),
    ],
)
def test_values(metric: object, answer: str, expected: list[str], value: float) -> None:
    assert callable(metric)
    assert metric(answer, expected) == pytest.approx(value)


def test_character_error_rate_counts_edits_per_character() -> None:
    assert character_error_rate("hello  wrld", "hello world") == pytest.approx(1 / 11)
    assert character_error_rate("", "abc") == 1
    assert character_error_rate("x", "") == 1


@given(st.text("ab", max_size=8), st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_edit_distance_is_a_distance(a: str, b: str, c: str) -> None:
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


def test_edit_distance_of_known_words() -> None:
    assert [edit_distance(*pair) for pair in (("kitten", "sitting"), ("flaw", "lawn"), ("", "abc"))] == [3, 2, 3]


def test_what_is_no_number_is_none() -> None:
    assert [number_in(text) for text in ("12 apples", "1.5", "", "1,000.5", "-3")] == [None, 1.5, None, 1000.5, -3]


def test_an_interval_holds_the_mean_and_narrows_with_more_values() -> None:
    few, many = estimate([0, 1] * 10), estimate([0, 1] * 1000)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert estimate([0, 1] * 10) == few
    assert difference([1, 1, 1], [0, 1, 1]).mean == pytest.approx(1 / 3)
