"""Headings, lists, code, captions, footnotes and running heads of PDF pages in Markdown."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.base.sample import from_part, to_part
from sources.pdfs.source import Pdfs
from sources.pdfs.structure.content import page_content
from sources.pdfs.structure.page import find_blocks
from sources.text.words import LayoutWords
from tests.sources.structure.drawing import PROSE, Drawing, markdown, markdown_sample


def kinds(path: Path) -> list[tuple[str, str]]:
    return [(element.role, element.name) for element in markdown_sample(path).elements]


def test_paragraphs_are_one_line_each(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    drawing.prose("A second paragraph.")
    assert markdown(drawing.save(tmp_path)) == f"{PROSE}\n\nA second paragraph."


def test_numbers_of_headings_give_their_level(tmp_path: Path) -> None:
    drawing = Drawing()
    for number, title, size in (("3", "Methods", 16.0), ("3.1", "Gauges", 13.0), ("3.1.2", "Scales", 10.0)):
        drawing.y += 12
        drawing.text(f"{number} {title}", size=size, font="tibo")
        drawing.prose()
    text = markdown(drawing.save(tmp_path))
    assert [line for line in text.split("\n") if line.startswith("#")] == [
        "# 3 Methods",
        "## 3.1 Gauges",
        "### 3.1.2 Scales",
    ]


def test_sizes_of_headings_without_a_number_give_their_level(tmp_path: Path) -> None:
    drawing = Drawing()
    for title, size in (("Locks", 20.0), ("Gauges", 14.0), ("Scales", 11.5)):
        drawing.y += 12
        drawing.text(title, size=size, font="tibo")
        drawing.prose()
    text = markdown(drawing.save(tmp_path))
    assert [line for line in text.split("\n") if line.startswith("#")] == ["# Locks", "## Gauges", "### Scales"]


def test_the_outline_gives_the_level_of_a_heading(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("Gauges", size=14, font="tibo")
    drawing.prose()
    drawing.document.set_toc([[1, "Locks", 1], [2, "Work", 1], [3, "Gauges", 1]])
    assert markdown(drawing.save(tmp_path)).startswith("### Gauges\n")


def test_nested_lists_and_numbers(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    for x, marker, text in (
        (80, "\u2022", "Upper lock"),
        (100, "\u2013", "a scale of brass"),
        (100, "\u2013", "a scale of wood"),
        (80, "\u2022", "Lower lock"),
    ):
        drawing.text(marker, x, font="helv")
        drawing.text(text, x + 12, y=drawing.y)
    drawing.y += 20
    for number, text in enumerate(("Read the gauge.", "Sign the book."), 1):
        drawing.text(f"{number}.", 80)
        drawing.text(text, 98, y=drawing.y)
    text = markdown(drawing.save(tmp_path))
    bullets = "- Upper lock\n  - a scale of brass\n  - a scale of wood\n- Lower lock"
    assert text == f"{PROSE}\n\n{bullets}\n1. Read the gauge.\n2. Sign the book."


def test_code_keeps_its_indentation_and_empty_lines(tmp_path: Path) -> None:
    code = ["def count(text):", "    found = {}", "", "    for letter in text:", "        found[letter] = 1"]
    drawing = Drawing()
    drawing.prose()
    drawing.y += 10
    for line in code:
        if line:
            drawing.text(line, font="cour", size=9)
        else:
            drawing.y += 1.25 * 9
    drawing.y += 10
    drawing.prose()
    joined = "\n".join(code)
    assert markdown(drawing.save(tmp_path)) == f"{PROSE}\n\n```\n{joined}\n```\n\n{PROSE}"


def test_a_code_word_that_ends_a_paragraph_is_no_code_block(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("The description of every gauge and the readings of all years are in the folder below it,")
    drawing.text("/srv/canal/readings", font="cour")
    assert "```" not in markdown(drawing.save(tmp_path))


def test_running_heads_footnotes_and_captions_are_marked(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("Water levels", y=50, size=9)
    drawing.text("17", x=500, y=50, size=9)
    drawing.line(72, 56, 520, 56)
    for _ in range(5):
        drawing.prose()
    drawing.y += 12
    drawing.text("Figure 3: The upper lock in winter.")
    drawing.line(72, 730, 180, 730)
    drawing.text("1Measured by the keeper of the lock.", y=742, size=7.5)
    found = kinds(drawing.save(tmp_path))
    assert ("page_header", "Water levels 17") in found
    assert ("caption", "Figure 3: The upper lock in winter.") in found
    assert ("footnote", "1Measured by the keeper of the lock.") in found
    assert sum(kind == "paragraph" for kind, _ in found) == 5


def test_a_line_that_runs_off_the_page_divides_no_paragraph(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("Entries are in /var/lib/locks/upper/gauges/readings/by/keeper/and/by/day/" + "of-the-week/" * 12)
    drawing.text("(one file for each lock).")
    drawing.y += 6
    drawing.text("Read them before the gates are opened, and copy what you have read into the book of the", x=72)
    drawing.text("keeper, who signs it.")
    assert markdown(drawing.save(tmp_path)).split("\n\n")[-1].endswith("book of the keeper, who signs it.")


def test_the_lines_of_a_box_end_where_those_of_the_box_end(tmp_path: Path) -> None:
    drawing = Drawing()
    for left, right in ((72, 520), (130, 420), (72, 520)):
        drawing.y += 8
        drawing.justified(left, right)
    assert markdown(drawing.save(tmp_path)).split("\n\n") == [PROSE] * 3


def test_the_second_line_of_a_description_goes_on_with_it(tmp_path: Path) -> None:
    drawing = Drawing()
    for term in ("lock", "weir", "gate"):
        drawing.text(
            f"{term} A part of the canal that is opened and closed by hand, as the keeper of the upper lock has"
        )
        drawing.text("told us in his letter of last year.", x=100)
    assert "upper lock has told us in his letter of last year.\n\nweir A part" in markdown(drawing.save(tmp_path))


def test_a_list_near_the_top_of_a_page_is_no_running_head(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("Water levels", y=50)
    drawing.text("34 / 248", x=500, y=50)
    drawing.line(72, 56, 520, 56)
    drawing.y = 75
    for item in ("– the upper lock", "– the lower lock", "– both gates"):
        drawing.y += 4
        drawing.text(item)
    drawing.prose()
    assert markdown(drawing.save(tmp_path)).startswith("Water levels 34 / 248\n\n- the upper lock\n- the lower")


def test_a_table_of_contents_is_a_nested_list(tmp_path: Path) -> None:
    drawing = Drawing()
    for x, title, page in ((72, "1 Locks", 3), (92, "1.1 Gauges", 4), (92, "1.2 Gates", 9), (72, "2 Weirs", 12)):
        drawing.text(f"{title} " + ". " * 30, x)
        drawing.text(str(page), 500, y=drawing.y)
    assert markdown(drawing.save(tmp_path)) == "- 1 Locks 3\n  - 1.1 Gauges 4\n  - 1.2 Gates 9\n- 2 Weirs 12"


def test_notes_in_the_margin_stay_out_of_the_text(tmp_path: Path) -> None:
    drawing = Drawing()
    for k in range(4):
        drawing.prose(x=150, width=380)
        if k == 1:
            drawing.text("new in May", 80, size=7, y=drawing.y)
    text = markdown(drawing.save(tmp_path))
    assert sorted(text.split("\n\n")) == sorted([PROSE] * 4 + ["new in May"])


def test_a_paragraph_that_looks_like_markdown_is_escaped(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.text("# of locks is four, and that of the gates is eight, as everybody in the valley knows.")
    assert markdown(drawing.save(tmp_path)).startswith("\\# of locks")


def test_a_page_without_words_has_no_text_and_no_parts(tmp_path: Path) -> None:
    sample = markdown_sample(Drawing().save(tmp_path))
    assert sample.text == "<image>\n"
    assert not sample.elements


def test_elements_survive_a_part(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.prose()
    sample = markdown_sample(drawing.save(tmp_path))
    (again,) = from_part(to_part([sample]))
    assert [(e.role, e.name) for e in again.elements] == [("paragraph", PROSE)]


def test_plain_text_is_the_default_and_other_values_are_refused() -> None:
    assert Pdfs().text == "plain"
    with pytest.raises(ValueError, match="text must be plain or markdown, got 'html'"):
        Pdfs(text="html")
    assert json.dumps(Pdfs().fingerprint()) != json.dumps(Pdfs(text="markdown").fingerprint())


_LENGTH = st.floats(1, 400)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.tuples(st.floats(0, 500), st.floats(0, 800), st.integers(1, 12), st.integers(0, 5)), max_size=40),
    lines=st.lists(st.tuples(st.floats(0, 500), st.floats(0, 800), _LENGTH, st.booleans()), max_size=12),
)
def test_every_word_of_any_page_is_in_exactly_one_block(
    words: list[tuple[float, float, int, int]], lines: list[tuple[float, float, float, bool]]
) -> None:
    texts = ["•" if length == 1 else "7." if length == 2 else "m" * length for _, _, length, _ in words]
    boxes = np.array([(x, y, x + 5 * length, y + 10) for x, y, length, _ in words]).reshape(-1, 4)
    numbers = np.array([line for *_, line in words], np.int64)
    vectors = [
        {
            "type": 3,
            "bbox": (x, y, x + length, y + 0.5) if across else (x, y, x + 0.5, y + length),
            "stroked": True,
            "isrect": True,
            "color": 0,
            "alpha": 255,
        }
        for x, y, length, across in lines
    ]
    page = {"width": 595, "height": 842, "blocks": vectors}
    content = page_content(LayoutWords(texts, boxes, numbers, numbers), page, [])
    found = [k for block in find_blocks(content, {}) for k in block.words]
    assert sorted(found) == list(range(len(words)))
