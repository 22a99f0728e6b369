"""Which lines and words a question may quote: those that the picture prints as the text has them."""

import numpy as np
import pytest

from taxonomy.answers import choice_of
from taxonomy.writers.quotable import is_damaged, is_quotable, is_wordlike
from taxonomy.writers.rows import is_taken_apart


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hyphenation pa\u7400erns should be loaded at run time", True),  # a ligature that its font calls an ideograph
        ("\u5400he patterns are loaded when the format is built", True),
        ("A 3 £ 2 £ 3 multivariate analysis of variance", True),
        ("Yang M i n g Marine Transport", True),
        ("The ratio is \ufffd + 7abc", True),
        ("It costs £3 and not £2, as plan B says", False),
        ("对于变量a和b的值，我们用x表示它们的差", False),
        ("Die Größe der Straße ist a b c", False),
    ],
)
def test_characters_that_are_not_printed_are_seen(text: str, expected: bool) -> None:
    assert is_damaged(text) == expected
    assert not (expected and is_quotable(text))


def test_words_have_one_script_and_one_case() -> None:
    words = ["Größe", "USER", "Interrogation", "알고리즘이", "每一页", "VfVmai", "l웨어러블", "abc", "x1y2"]
    assert [word for word in words if is_wordlike(word)] == ["Größe", "USER", "Interrogation", "알고리즘이", "每一页"]


def test_words_that_touch_are_one_word_taken_apart() -> None:
    left = np.array([10, 0, 30, 10], np.float32)
    assert is_taken_apart(left, left + np.array([20.5, 0, 20, 0]))
    assert not is_taken_apart(left, left + np.array([23, 0, 23, 0]))


def test_answers_fit_questions_with_either_or() -> None:
    assert choice_of("Both pictures show the same page.", "page_discrimination") == "same or different: same"
    assert choice_of("两张图是不同的两页。", "page_discrimination") == "same or different: different"
