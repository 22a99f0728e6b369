"""Reading order on synthetic layouts with columns and tables."""

import time
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


def cells(lefts: list[float], width: float, num_rows: int, top: float, pitch: float = LEADING) -> np.ndarray:
    """Return the cells of a table, row by row."""
    rows = [[(x, top + pitch * row, x + width, top + pitch * row + HEIGHT) for x in lefts] for row in range(num_rows)]
    return np.array(rows, float).reshape(-1, 4)


def ragged(lines: np.ndarray, seed: int) -> np.ndarray:
    """Return lines that end up to a quarter before the column does, as without hyphenation."""
    shorter = lines.copy()
    shorter[:, 2] -= np.random.default_rng(seed).uniform(0, 0.25, len(lines)) * (lines[:, 2] - lines[:, 0])
    return shorter


@pytest.mark.parametrize("lefts", [[60, 160, 320, 420], [60, 130, 200, 300, 400, 470]])
def test_a_table_above_two_columns_is_read_on_its_own(lefts: list[float]) -> None:
    """The gutter of the columns goes on between the table's cells."""
    table = cells(lefts, 50, 5, top=60)
    body = [column(50, 200, 30, top=150), column(300, 200, 30, top=150)]
    assert in_given_order(reading_order(np.concatenate([table, *body])))


def test_a_table_between_columns_divides_them() -> None:
    upper = [column(50, 200, 12, top=60), column(300, 200, 12, top=60)]
    table = cells([60, 160, 320, 420], 50, 4, top=230)
    lower = [column(50, 200, 12, top=310), column(300, 200, 12, top=310)]
    assert in_given_order(reading_order(np.concatenate([*upper, table, *lower])))


def test_blank_lines_at_the_same_height_do_not_divide_columns() -> None:
    left = np.concatenate([column(50, 200, 10), column(50, 200, 10, top=240)])
    assert in_given_order(reading_order(np.concatenate([left, left + np.array([250, 0, 250, 0])])))


def test_a_chart_in_one_column_is_read_with_it() -> None:
    """Its labels are no prose, and the columns have white space at the same height."""
    labels, scale = column(60, 40, 9, top=60), cells([110, 140, 170, 200], 20, 1, top=180)
    left, right = column(50, 200, 30, top=220), column(300, 200, 30, top=220)
    boxes = np.concatenate([labels[::-1], scale, left, column(300, 200, 10, top=60), right])
    order = reading_order(boxes)
    assert set(order[:13]) == set(range(13))
    assert order[13:] == list(range(13, 83))


def test_a_row_of_cells_above_columns_is_read_on_its_own() -> None:
    row = cells([60, 110, 160, 320, 370, 420], 40, 1, top=100)
    body = [column(50, 200, 30, top=140), column(300, 200, 30, top=140)]
    assert in_given_order(reading_order(np.concatenate([row, *body])))


def test_bands_of_columns_that_were_written_one_after_the_other_stay_apart() -> None:
    upper = [column(50, 200, 10), column(300, 200, 10)]
    lower = [column(50, 200, 10, top=250), column(300, 200, 10, top=250)]
    assert in_given_order(reading_order(np.concatenate([*upper, *lower])))


@pytest.mark.parametrize("num_columns", [2, 3])
def test_ragged_prose_written_row_by_row_is_read_column_by_column(num_columns: int) -> None:
    columns = [ragged(column(50 + 220 * k, 200, 30), seed=k) for k in range(num_columns)]
    boxes, places = alternating(*columns)
    assert list(places[reading_order(boxes)]) == list(range(len(boxes)))


def test_three_columns_with_other_baselines_sorted_by_height_are_read_one_by_one() -> None:
    columns = [column(50 + 220 * k, 200, 30, top=100 + 4 * k) for k in range(3)]
    boxes = np.concatenate(columns)
    by_height = np.argsort(boxes[:, 1], kind="stable")
    assert by_height[reading_order(boxes[by_height])].tolist() == list(range(len(boxes)))


def test_lines_whose_next_word_would_have_fitted_are_cells() -> None:
    """Long cells fill a column as well as prose does."""
    boxes, places = alternating(ragged(column(50, 200, 30), seed=1), ragged(column(270, 200, 30), seed=2))
    assert in_given_order(reading_order(boxes, first_words=np.full(len(boxes), 5.0)))
    assert list(places[reading_order(boxes, first_words=np.full(len(boxes), 40.0))]) == list(range(len(boxes)))


def test_widely_spaced_rows_are_a_table() -> None:
    boxes, _ = alternating(*[np.array(cells([x], 180, 20, top=50, pitch=20)) for x in (50, 260)])
    assert in_given_order(reading_order(boxes))


def test_a_figure_across_two_of_three_columns_does_not_divide_the_third() -> None:
    left = [column(50, 200, 10), column(270, 200, 10)]
    caption = column(50, 420, 2, top=230)
    lower = [column(50, 200, 10, top=270), column(270, 200, 10, top=270)]
    third = column(490, 200, 24)
    assert in_given_order(reading_order(np.concatenate([*left, caption, *lower, third])))


def test_footnotes_across_the_page_follow_the_columns() -> None:
    body = [column(50, 200, 30), column(300, 200, 30)]
    notes = column(50, 450, 3, top=470)
    boxes = np.concatenate([notes, *body])
    assert reading_order(boxes) == [*range(3, 63), 0, 1, 2]


def test_a_sidebar_written_between_lines_of_the_text_follows_it() -> None:
    text, notes = column(50, 300, 40), column(380, 90, 5, top=200)
    boxes = np.concatenate([text[:10], notes, text[10:]])
    assert reading_order(boxes) == [*range(10), *range(15, 45), *range(10, 15)]


def test_small_notes_on_the_left_written_between_lines_of_the_text_come_first() -> None:
    text = column(180, 300, 40)
    notes = [column(50, 100, 4, top=top) for top in (136, 376)]
    for note in notes:
        note += [0, 2.5, 0, 0]  # smaller letters
        note[:, 2] -= [0, 45, 20, 60]
    boxes = np.concatenate([text[:4], notes[0], text[4:24], notes[1], text[24:]])
    is_note = boxes[:, 0] == 50
    order = np.array(reading_order(boxes))
    assert order.tolist() == [*np.flatnonzero(is_note), *np.flatnonzero(~is_note)]


def test_cells_of_labels_on_the_left_stay_in_their_rows() -> None:
    rows = [(column(50, 100, 2, top=100 + 80 * k), column(180, 300, 5, top=100 + 80 * k)) for k in range(6)]
    for label, _ in rows:
        label[:, 1] += 2.5
    assert in_given_order(reading_order(np.concatenate([part for row in rows for part in row])))


def test_line_numbers_that_were_written_first_stay_together() -> None:
    numbers, text = column(20, 10, 40), column(50, 400, 40)
    assert in_given_order(reading_order(np.concatenate([numbers, text])))


def test_rows_of_a_form_are_read_from_label_to_value() -> None:
    labels, values = column(50, 80, 12), column(200, 60, 12)
    boxes = np.concatenate([labels, values[::-1]])
    assert reading_order(boxes) == [place for row in range(12) for place in (row, 23 - row)]


@pytest.mark.parametrize("order", [[4, 3, 2, 1, 0], [1, 3, 0, 2, 4]])
def test_pieces_of_a_row_are_read_from_the_left(order: list[int]) -> None:
    table = cells([50, 130, 210, 290, 370], 40, 10, top=100, pitch=20)
    written = np.concatenate([[5 * row + k for k in order] for row in range(10)])
    assert written[reading_order(table[written])].tolist() == list(range(50))


def test_pairs_that_are_written_from_the_right_are_read_from_the_left() -> None:
    table = cells([50, 130], 40, 10, top=100)
    written = np.arange(20).reshape(-1, 2)[:, ::-1].ravel()
    assert written[reading_order(table[written])].tolist() == list(range(20))


@pytest.mark.parametrize(("x", "row"), [(135, 9), (440, 10)])
def test_a_label_that_was_written_first_does_not_tear_cells_of_a_table_apart(x: float, row: int) -> None:
    """It is read in the row below which it is, or after the table if it is on its right."""
    label = np.array([[x, 446, x + 60, 456]])
    rows = [[column(50, 80, 2, top), column(200, 80, 2, top), column(350, 80, 2, top)] for top in range(100, 500, 40)]
    boxes = np.concatenate([label, *[cell for row in rows for cell in row]])
    assert reading_order(boxes) == [*range(1, 6 * row + 1), 0, *range(6 * row + 1, 61)]


def test_cells_of_prose_are_read_row_by_row() -> None:
    rows = [[column(50, 200, 4, top), column(270, 200, 4, top)] for top in range(100, 500, 56)]
    assert in_given_order(reading_order(np.concatenate([cell for row in rows for cell in row])))


def test_a_few_lines_below_columns_belong_to_them() -> None:
    """The table keeps the region from being columns as a whole."""
    table = cells([60, 160, 320, 420], 50, 5, top=60)
    columns = [np.concatenate([column(x, 200, 20, top=150), column(x, 200, 2, top=440)]) for x in (50, 300)]
    body, places = alternating(*columns)
    order = reading_order(np.concatenate([table, body]))
    assert order[:20] == list(range(20))
    assert list(places[np.array(order[20:]) - 20]) == list(range(44))


def test_prose_beside_mostly_short_lines_with_other_baselines_is_a_column() -> None:
    prose = column(50, 200, 30)
    y = 103 + 15.0 * np.arange(24)
    widths = np.where(np.arange(24) < 4, 180, 40)
    short = np.stack([np.full(24, 300), y, 300 + widths, y + HEIGHT], axis=1)
    boxes = np.concatenate([prose, short])
    by_height = np.argsort(boxes[:, 1], kind="stable")
    assert by_height[reading_order(boxes[by_height])].tolist() == list(range(54))


@pytest.mark.parametrize("place", [0, 60])
@pytest.mark.parametrize("stamp", [(10, 150, 22, 450), (100, 200, 450, 260)], ids=["in the margin", "over the text"])
def test_stamps_come_last(place: int, stamp: tuple[float, float, float, float]) -> None:
    body = np.concatenate([column(50, 200, 30), column(300, 200, 30)])
    boxes = np.insert(body, place, stamp, axis=0)
    assert reading_order(boxes) == [*range(place), *range(place + 1, 61), place]


def test_an_index_with_short_lines_is_read_column_by_column() -> None:
    rng = np.random.default_rng(3)
    columns = [column(50 + 170 * k, 150, 40) for k in range(3)]
    for each in columns:
        each[:, 0] += 10 * rng.integers(0, 2, 40)
        each[:, 2] -= rng.uniform(20, 110, 40)
    assert in_given_order(reading_order(np.concatenate(columns)))


def large_band(top: float) -> np.ndarray:
    """Return two columns of eight lines, written row by row, and a line below both."""
    rows, _ = alternating(column(0, 200, 8, top), column(230, 200, 8, top))
    return np.concatenate([rows, column(0, 430, 1, top + 100)])


LARGE_PAGES = {
    "shuffled cells": np.random.default_rng(5).permutation(cells([60.0 * k for k in range(8)], 40, 2000, 0)),
    "bottom up": column(0, 400, 16_000)[::-1],
    "bands": np.concatenate([large_band(130.0 * k) for k in range(941)]),
}


@pytest.mark.parametrize("name", LARGE_PAGES)
def test_time_grows_hardly_faster_than_the_number_of_lines(name: str) -> None:
    boxes = LARGE_PAGES[name]
    begin = time.process_time()
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))
    assert time.process_time() - begin < 2  # it takes 0.2 s; a quadratic algorithm takes minutes


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
