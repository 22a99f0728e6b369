"""Pages in other forms: Markdown's marks, formulas, forms read as tables, turned and divided words."""

import random

import numpy as np
import pytest

from sources.base.ground_truth import Table
from sources.base.sample import EncodedImage, Provenance, Sample, Words
from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.page_order import PageOrder
from taxonomy.writers.printed import has_formulas, printed_lines
from taxonomy.writers.table_questions import is_regular
from taxonomy.writers.type_size import TypeSize


def page_of(
    text: str, words: str | None = None, boxes: list[list[float]] | None = None, locator: str = "page=1"
) -> Page:
    texts = (text if words is None else words).split()
    places = np.array(boxes or [[20 * k, 0, 20 * k + 18, 10] for k in range(len(texts))], np.float32).reshape(-1, 4)
    sample = Sample(
        id="a",
        source="pdfs",
        provenance=Provenance(locator=locator, digest=""),
        text=text,
        images=[EncodedImage(data=b"", extension="png", width=900, height=900)],
        words=Words(texts=texts, boxes=places, images=np.zeros(len(texts), np.int32)),
    )
    return Page.of(sample)


def test_lines_are_as_printed() -> None:
    text = "## The harbour\n\n- One **boat**\n- 5 \\* 4 pearls"
    assert printed_lines(page_of(text, "The harbour • One boat • 5 * 4 pearls")) == [
        "The harbour",
        "One boat",
        "5 * 4 pearls",
    ]
    code = "# a comment\n- a dash that is printed"
    assert printed_lines(page_of(code)) == code.split("\n")


@pytest.mark.parametrize(
    "line", ["| a<br>b | c |", "```python", "$$x^2$$", "so $\\alpha$ is", "see [it](there)", "x<sub>2</sub>"]
)
def test_what_has_no_printed_line_is_not_repeated(line: str) -> None:
    assert printed_lines(page_of(f"Before\n{line}", "Before a b c")) == []


def test_formulas_are_seen() -> None:
    assert has_formulas(page_of("∑ x ∈ A ∩ B"))
    assert not has_formulas(page_of("A → B, 3 ≤ 4"))


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        (("City", "People"), (("Aldern", "12"), ("Brone", "9")), True),
        (("", "2019", "2020"), (("Aldern", "12", ""), ("Brone", "9", "7")), True),
        (("Applicant:", "Reading room"), (("Area:", "4 acres"),), False),
        (("-", "The price"), (("-", "The plan"),), False),
        (("Data", "A", "B"), (("English", "", ""), ("MMLU", "3", "4")), False),
        (("Data", "A", ""), (("MMLU", "3", "4"),), False),
        (("Data", "A"), (("M AT H", "3"),), False),
    ],
)
def test_forms_and_lists_are_no_tables(
    header: tuple[str, ...], rows: tuple[tuple[str, ...], ...], expected: bool
) -> None:
    assert is_regular(Table(header, rows)) == expected


def test_numbers_in_circles_are_no_page_numbers() -> None:
    pages = [page_of(f"{mark} first\n" + "many words. " * 40, locator=f"page={k}") for k, mark in enumerate("①②③", 1)]
    assert PageOrder().write(pages, 0, random.Random(1), Choices()) is None


def test_type_of_turned_and_divided_words_is_not_compared() -> None:
    small, large = [0.0, 100, 30, 110], [0.0, 0, 90, 30]
    words = "small large"
    compared = page_of(words, boxes=[small, large])
    assert TypeSize().write([compared], 0, random.Random(1), Choices()) is not None
    turned = compared.with_words(["small", "large"], np.array([small, [0, 0, 30, 90]], np.float32))
    assert TypeSize().write([turned], 0, random.Random(1), Choices()) is None
    divided = page_of("small large ns", boxes=[small, large, [91.0, 0, 120, 30]])
    assert TypeSize().write([divided], 0, random.Random(1), Choices()) is None
