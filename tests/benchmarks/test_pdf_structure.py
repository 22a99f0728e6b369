"""The scores of the benchmark of structure."""

import pytest

from benchmarks.pdf_structure_documents import PAGES, expanded
from benchmarks.pdf_structure_score import heading_scores, parse, score, table_scores
from benchmarks.teds import teds

ROWS = (("a", "b"), ("c", "d"))


def test_teds_of_known_trees() -> None:
    assert teds(ROWS, ROWS) == 1
    assert teds((("a", "b"),), ROWS) == pytest.approx(1 - 3 / 7)  # a row and its two cells are missing
    assert teds((("a", "b"), ("c", "x")), ROWS) == pytest.approx(1 - 1 / 7)  # another text in one cell
    assert teds((("a", "b"), ("cd",)), ROWS) == pytest.approx(1 - 1.5 / 7)  # one cell removed, half a text changed
    assert teds(ROWS, (("a", "b"), ("c", "x"))) == teds((("a", "b"), ("c", "x")), ROWS)


def test_markdown_is_parsed_into_blocks() -> None:
    text = "# **Title**\n\nSome\ntext.\n\n- one\n  - two\n1. three\n\n| a | b\\|c |\n|---|---|\n| d<br>e |  |\n"
    text += "\n```\nx  y\n```"
    blocks = [(block.kind, block.level, block.text) for block in parse(text)]
    assert blocks == [
        ("heading", 1, "Title"),
        ("text", 0, "Some text."),
        ("item", 0, "one"),
        ("item", 1, "two"),
        ("item", 0, "1. three"),
        ("table", 0, "a b|c d e"),
        ("code", 0, "x y"),
    ]


def test_missing_and_invented_tables_cost() -> None:
    table = parse("| a | b |\n|---|---|\n| c | d |")
    assert table_scores([], table) == ([0.0], 0)
    assert table_scores(table, []) == ([], 1)
    assert table_scores([*table, *table], table) == ([1.0], 1)


def test_headings_are_counted_with_their_level() -> None:
    assert heading_scores(parse("## Locks\n\n# Gates"), parse("# Locks\n\n# Gates\n\n# Weirs")) == (2, 3, 2, 1)


def test_the_marked_text_scores_one() -> None:
    text = "# Title\n\n- one\n\n| a | b |\n|---|---|\n| c | d |"
    found = score(text, text)
    assert (found["text"], found["blocks"], found["tables"], found["lists"]) == (1, 1, [1.0], 1)
    assert score("Title one a b c d", text)["blocks"] < 0.5


def test_ellipses_are_filled_from_the_page() -> None:
    page = "The canal was mea-\nsured at four locks.\nThe next column."
    assert expanded("- The canal ⟨…⟩ four locks. ⟨+⟩ The next ⟨…⟩ column.", page) == (
        "- The canal was measured at four locks. The next column."
    )
    with pytest.raises(ValueError, match="not found on the page"):
        expanded("The river ⟨…⟩ locks.", page)


def test_there_are_sixty_marked_pages() -> None:
    own = list((PAGES / "own").glob("*.md"))
    assert len(list(PAGES.glob("*.md"))) + len(list((PAGES / "examples").glob("*.md"))) + 2 * len(own) == 60
