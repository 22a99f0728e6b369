"""Reading order on synthetic layouts with columns and tables."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.text.page_text import in_reading_order
from sources.text.reading_order import reading_order
from sources.text.words import LayoutWords

HEIGHT, LEADING = 10, 12


def column(x: float, width: float, num_lines: int, top: float = 100) -> np.ndarray:
    """Return (num_lines, 4) boxes of full lines below each other."""
    y = top + LEADING * np.arange(num_lines)
    return np.stack([np.full(num_lines, x), y, np.full(num_lines, x + width), y + HEIGHT], axis=1).astype(float)


def in_given_order(order: list[int]) -> bool:
    return order == list(range(len(order)))


def alternating(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return lines row by row, and for each its position when columns are read one after the other."""
    rows = np.stack(columns, axis=1)  # (lines, columns, 4)
    places = np.arange(rows.shape[0] * rows.shape[1]).reshape(len(columns), -1).T
    return rows.reshape(-1, 4), places.ravel()


def test_one_column_keeps_its_order() -> None:
    assert in_given_order(reading_order(column(50, 400, 40)))


@pytest.mark.parametrize("num_columns", [2, 3])
def test_prose_written_row_by_row_is_read_column_by_column(num_columns: int) -> None:
    columns = [column(50 + 220 * k, 200, 30) for k in range(num_columns)]
    boxes, places = alternating(*columns)
    assert list(places[reading_order(boxes)]) == list(range(len(boxes)))


def test_short_cells_written_row_by_row_stay_rows() -> None:
    boxes, _ = alternating(column(50, 60, 30), column(150, 60, 30), column(250, 60, 30))
    assert in_given_order(reading_order(boxes))


def test_columns_written_one_after_the_other_may_have_short_lines() -> None:
    left, right = column(50, 200, 30), column(300, 200, 30)
    left[::3, 2] -= 150
    right[::2, 2] -= 160
    assert in_given_order(reading_order(np.concatenate([left, right])))


def test_a_title_written_last_comes_first_and_a_page_number_written_first_comes_last() -> None:
    title, number = np.array([[50.0, 40, 500, 60]]), np.array([[270.0, 800, 280, 810]])
    body = [column(50, 200, 30), column(300, 200, 30)]
    boxes = np.concatenate([number, *body, title])
    assert reading_order(boxes) == [61, *range(1, 61), 0]


def test_a_heading_across_columns_divides_them_into_bands() -> None:
    upper = [column(50, 200, 10), column(300, 200, 10)]
    heading = np.array([[50.0, 230, 500, 245]])
    lower = [column(50, 200, 10, top=260), column(300, 200, 10, top=260)]
    boxes = np.concatenate([upper[0], lower[0], upper[1], lower[1], heading])
    expected = [*range(10), *range(20, 30), 40, *range(10, 20), *range(30, 40)]
    assert reading_order(boxes) == expected


def test_right_to_left_columns_begin_on_the_right() -> None:
    left, right = column(50, 200, 20), column(300, 200, 20)
    boxes = np.concatenate([left, right])
    assert reading_order(boxes, right_to_left=True) == [*range(20, 40), *range(20)]
    assert in_given_order(reading_order(boxes))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_sideways_text_is_read_as_if_it_were_upright(degrees: int) -> None:
    words = lines_of(*["one two three four five six seven eight"] * 12)
    x0, y0, x1, y1 = words.boxes.T
    turned = {0: (x0, y0, x1, y1), 90: (-y1, x0, -y0, x1), 180: (-x1, -y1, -x0, -y0), 270: (y0, -x1, y1, -x0)}
    boxes = np.stack(turned[degrees], axis=1)
    direction = {0: (1.0, 0.0), 90: (0.0, 1.0), 180: (-1.0, 0.0), 270: (0.0, -1.0)}[degrees]
    shuffled = np.concatenate([np.arange(48, 96), np.arange(48)])  # the lower half was written first
    page = in_reading_order(
        LayoutWords(
            [words.texts[k] for k in shuffled],
            boxes[shuffled],
            words.blocks[shuffled],
            words.lines[shuffled],
            directions=np.tile(direction, (96, 1)),
            frames=words.boxes[shuffled],
        )
    )
    assert shuffled[page.order].tolist() == list(range(96))


def test_cells_of_several_lines_stay_whole() -> None:
    """A jump up and to the right leads to the next cell."""
    rows = [[column(50, 100, 3, top), column(200, 100, 2, top), column(350, 90, 3, top)] for top in (100, 160, 220)]
    assert in_given_order(reading_order(np.concatenate([cell for row in rows for cell in row])))


BOX = st.tuples(*[st.floats(0, 1000, width=32)] * 2, *[st.floats(0.5, 500, width=32)] * 2)


@given(st.lists(BOX, max_size=60), st.booleans())
def test_every_line_appears_once(boxes: list[tuple[float, float, float, float]], right_to_left: bool) -> None:
    array = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes]).reshape(-1, 4)
    order = reading_order(array, right_to_left=right_to_left)
    assert sorted(order) == list(range(len(boxes)))


@given(st.lists(st.tuples(BOX, st.text(min_size=1, max_size=8), st.integers(0, 5), st.integers(0, 3)), max_size=30))
def test_every_word_appears_once(found: list[Any]) -> None:
    words = LayoutWords(
        [text for _, text, _, _ in found],
        np.array([(x, y, x + w, y + h) for (x, y, w, h), *_ in found]).reshape(-1, 4),
        np.array([block for *_, block, _ in found], np.int64),
        np.array([line for *_, line in found], np.int64),
    )
    page = in_reading_order(words)
    assert sorted(page.order.tolist()) == list(range(len(found)))
    letters = {letter for _, word, *_ in found for letter in word if letter.isalpha()}
    assert letters <= set(page.text)


def lines_of(*texts: str) -> LayoutWords:
    """Return one block with one line per text."""
    words = [(word, x, y) for y, text in enumerate(texts) for x, word in enumerate(text.split())]
    boxes = np.array([(60 * x, 12 * y, 60 * x + 57, 12 * y + 10) for _, x, y in words], float)
    return LayoutWords([word for word, *_ in words], boxes, np.zeros(len(words)), np.array([y for *_, y in words]))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("a bro-", "ken word"), "a broken\nword"),
        (("long-term use of a long-", "term plan"), "long-term use of a long-term\nplan"),
        (("in the year 1990-", "and later"), "in the year 1990-\nand later"),
        (("a list -", "of items"), "a list -\nof items"),
        (("the Anglo-", "Saxon one"), "the Anglo-Saxon\none"),
        (("soft\u00ad", "ware and hard\u00adware"), "software\nand hardware"),
        (("bro-", "ken"), "broken"),
        (("un-", "be-", "lievable"), "unbelievable"),
        (("一个好的数据集", "不仅要大"), "一个好的数据集不仅要大"),
    ],
)
def test_hyphenated_words_are_joined_and_real_hyphens_are_kept(lines: tuple[str, ...], text: str) -> None:
    assert in_reading_order(lines_of(*lines)).text == text
